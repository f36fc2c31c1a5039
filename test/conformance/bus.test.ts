/**
 * What every kind of bus does alike: in memory, embedded, over any broker, over AWS IoT. The rows of AWS itself run when
 * WINDFLEET_AWS_IOT_ENDPOINT, _CERT, _KEY (files; the client id is WINDFLEET_AWS_IOT_THING) are set.
 */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bus, Message } from '../../actors/contracts/bus.ts';
import { RemoteRefused } from '../../actors/contracts/errors.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { awsIotBus } from '../../cloud/bus/aws-iot.ts';
import type { ClientOptions } from '../../cloud/bus/client-options.ts';
import { embeddedBroker } from '../../cloud/bus/embedded.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { mqttBus } from '../../cloud/bus/mqtt.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { leaveNativeClients } from '../kit/native-clients.ts';
import { type CutLine, cutLine } from '../kit/cut-line.ts';
import { freePort } from '../kit/free-port.ts';
import { startMosquitto } from '../kit/mosquitto.ts';
import { has } from '../kit/programs.ts';
import { type TestCa, testCa } from '../kit/test-ca.ts';
import { testThings } from '../kit/test-things.ts';

type Options = Omit<ClientOptions, 'clientId' | 'log'>;

interface Kind {
  connect(name: string, options?: Options): Promise<Bus>;
  /** The line to the broker, for kinds that have one. */
  readonly line: CutLine | null;
  /** Connects to where nobody listens. */
  readonly astray: (() => Promise<Bus>) | null;
  close(): Promise<void>;
}

const hasOpenssl = has('openssl', 'openssl');
const hasMosquitto = has('mosquitto', 'mosquitto');
const ca: TestCa | null = hasOpenssl ? testCa() : null;
const log = silentLog;

/** Every name that a test connects under, as a thing that may do everything outside `$`. */
const NAMES = ['one', 'two', 'three'] as const;
const certificates = new Map(NAMES.map((name) => [name as string, ca?.issue(name)]));
const tlsOf = (name: string) => certificates.get(name)!;

async function embedded(): Promise<{ readonly plain: number; readonly tls: number; close(): Promise<void> }> {
  const things = testThings();
  for (const [name, issued] of certificates) if (issued) things.add(issued.fingerprint, name, ['#']);
  const port = await freePort();
  const broker = await embeddedBroker({
    host: '127.0.0.1',
    port,
    wall: wallClock(),
    log,
    ...(ca ? { tls: { port: await freePort(), material: ca.server, authorizer: things.authorizer } } : {}),
  });
  return { plain: port, tls: broker.tlsAddress?.port ?? 0, close: () => broker.close() };
}

async function mosquitto(withTls: boolean) {
  const { port, close } = await startMosquitto(withTls ? ca!.server : undefined);
  return { plain: port, tls: port, close };
}

async function overLine(
  server: { close(): Promise<void> },
  port: number,
  connect: (name: string, port: number, options: Options) => Promise<Bus>,
): Promise<Kind> {
  const line = await cutLine(port);
  const nowhere = await freePort();
  return {
    connect: (name, options = {}) => connect(name, line.port, options),
    line,
    astray: () => connect('one', nowhere, {}),
    async close() {
      await line.close();
      await server.close();
    },
  };
}

const overMqtt = (name: string, port: number, options: Options) =>
  mqttBus({ url: `mqtt://127.0.0.1:${port}`, clientId: name, log, reconnectMs: 50, ...options });
const overMqtts = (name: string, port: number, options: Options) =>
  mqttBus({ url: `mqtts://localhost:${port}`, clientId: name, log, reconnectMs: 50, tls: tlsOf(name), ...options });
const overAws = (name: string, port: number, options: Options) =>
  awsIotBus({ host: 'localhost', port, clientId: name, log, reconnectMs: 50, clock: wallClock(), tls: tlsOf(name), ...options });

const kinds: Record<string, () => Promise<Kind>> = {
  async memory() {
    const broker = memoryBroker();
    return { connect: async (name) => broker.connect(name), line: null, astray: null, close: () => broker.close() };
  },
  async 'embedded, within the process'() {
    const broker = await embeddedBroker({ host: '127.0.0.1', port: await freePort(), wall: wallClock(), log });
    return { connect: async (name) => broker.connect(name), line: null, astray: null, close: () => broker.close() };
  },
  async 'mqtt 3.1.1 → embedded'() {
    const broker = await embedded();
    return overLine(broker, broker.plain, overMqtt);
  },
  async 'mqtt 5 → embedded'() {
    const broker = await embedded();
    return overLine(broker, broker.plain, (name, port, options) => overMqtt(name, port, { version: 5, ...options }));
  },
};

if (hasOpenssl) {
  Object.assign(kinds, {
    async 'mqtt 3.1.1, mTLS → embedded'() {
      const broker = await embedded();
      return overLine(broker, broker.tls, overMqtts);
    },
    async 'aws-iot 3.1.1, mTLS → embedded'() {
      const broker = await embedded();
      return overLine(broker, broker.tls, overAws);
    },
    async 'aws-iot 5, mTLS → embedded'() {
      const broker = await embedded();
      return overLine(broker, broker.tls, (name, port, options) => overAws(name, port, { version: 5, ...options }));
    },
  });
}

if (hasMosquitto) {
  kinds['mqtt 3.1.1 → mosquitto'] = async () => {
    const broker = await mosquitto(false);
    return overLine(broker, broker.plain, overMqtt);
  };
  if (hasOpenssl) {
    kinds['mqtt 5, mTLS → mosquitto'] = async () => {
      const broker = await mosquitto(true);
      return overLine(broker, broker.tls, (name, port, options) => overMqtts(name, port, { version: 5, ...options }));
    };
    kinds['aws-iot 3.1.1, mTLS → mosquitto'] = async () => {
      const broker = await mosquitto(true);
      return overLine(broker, broker.tls, overAws);
    };
    kinds['aws-iot 5, mTLS → mosquitto'] = async () => {
      const broker = await mosquitto(true);
      return overLine(broker, broker.tls, (name, port, options) => overAws(name, port, { version: 5, ...options }));
    };
  }
}

const { WINDFLEET_AWS_IOT_ENDPOINT: endpoint, WINDFLEET_AWS_IOT_CERT: cert, WINDFLEET_AWS_IOT_KEY: key } = process.env;
if (endpoint && cert && key) {
  for (const version of [4, 5] as const)
    kinds[`AWS IoT Core, MQTT ${version}`] = async () => ({
      connect: (name, options) =>
        awsIotBus({
          host: endpoint,
          port: 8883,
          clientId: `${process.env['WINDFLEET_AWS_IOT_THING'] ?? 'windfleet'}-${name}`,
          log,
          clock: wallClock(),
          version,
          tls: { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8'), ca: '' },
          ...options,
        }),
      line: null,
      astray: null,
      close: async () => {},
    });
} else console.log('skipped: bus rows of AWS IoT Core need WINDFLEET_AWS_IOT_ENDPOINT, _CERT and _KEY');

/** What a hearer has got, and waiting for more of it. */
function inbox() {
  const got: string[] = [];
  const waiting: (() => void)[] = [];
  const until = async (isIt: () => boolean) => {
    while (!isIt()) await new Promise<void>((done) => waiting.push(done));
  };
  return {
    got,
    hear({ topic, payload }: Message) {
      got.push(`${topic} ${Buffer.from(payload).toString()}`);
      for (const done of waiting.splice(0)) done();
    },
    /** Different ones: where filters overlap, or at QoS 1, a copy may come too. */
    atLeast: (count: number) => until(() => new Set(got).size >= count),
  };
}

async function refusal(work: Promise<unknown>): Promise<RemoteRefused> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  assert.instance(error, RemoteRefused);
  return error as RemoteRefused;
}

/** At least once: repetitions are allowed at QoS 1. */
const unique = (lines: readonly string[]) => [...new Set(lines)];

for (const [name, open] of Object.entries(kinds)) {
  const bus = suite(`bus: ${name}`);
  let kind: Kind;
  bus.before(async () => {
    kind = await open();
  });
  bus.after(() => kind.close());

  bus('delivers at QoS 0 and 1, in order, to whoever a filter covers', async () => {
    const one = await kind.connect('one');
    const two = await kind.connect('two');
    const [exact, plus, hash, own] = [inbox(), inbox(), inbox(), inbox()];
    await two.subscribe('wf/a/b', exact.hear);
    await two.subscribe('wf/+/b', plus.hear);
    await two.subscribe('wf/#', hash.hear);
    const alone = await one.subscribe('wf/own', own.hear);

    for (let i = 0; i < 20; i++) await one.publish('wf/a/b', `${i}`, { qos: i % 2 === 0 ? 1 : 0 });
    await one.publish('wf', 'parent', { qos: 1 });
    await one.publish('other/a/b', 'elsewhere', { qos: 1 });
    await one.publish('wf/own', 'mine', { qos: 1 });
    await one.publish('wf/end', '', { qos: 1 });

    await Promise.all([hash.atLeast(23), plus.atLeast(20), exact.atLeast(20), own.atLeast(1)]);
    const numbered = Array.from({ length: 20 }, (_, i) => `wf/a/b ${i}`);
    // [MQTT-4.6.0-6]: in order within one quality
    const atQos1 = (lines: readonly string[]) => unique(lines).filter((line) => !/ \d*[13579]$/.test(line));
    const atQos0 = (lines: readonly string[]) => unique(lines).filter((line) => / \d*[13579]$/.test(line));
    for (const { got } of [exact, plus]) assert.equal([atQos1(got), atQos0(got)], [atQos1(numbered), atQos0(numbered)]);
    assert.equal(atQos1(hash.got), [...atQos1(numbered), 'wf parent', 'wf/own mine', 'wf/end ']);
    assert.equal(unique(own.got), ['wf/own mine']);

    await alone.close();
    await one.publish('wf/own', 'unheard', { qos: 1 });
    await one.publish('wf/end', 'again', { qos: 1 });
    await hash.atLeast(24);
    assert.equal(unique(own.got), ['wf/own mine']);
    await one.close();
    await two.close();
  });

  bus('a wildcard at the front does not hear what begins with $', async () => {
    const one = await kind.connect('one');
    const all = inbox();
    await one.subscribe('#', all.hear);
    await one.subscribe('+/marker', all.hear);
    await one.publish('wf/marker', 'x', { qos: 1 });
    await all.atLeast(1);
    assert.equal(
      all.got.filter((line) => line.startsWith('$')),
      [],
    );
    await one.close();
  });

  bus('retained messages come to new subscribers, and an empty one clears them', async () => {
    const one = await kind.connect('one');
    await one.publish('wf/kept/1', 'old', { qos: 1, retain: true });
    await one.publish('wf/kept/1', 'new', { qos: 1, retain: true });
    await one.publish('wf/kept/2', 'second', { qos: 1, retain: true });
    const two = await kind.connect('two');
    const first = inbox();
    await two.subscribe('wf/kept/+', first.hear);
    await first.atLeast(2);
    assert.equal(unique(first.got).sort(), ['wf/kept/1 new', 'wf/kept/2 second']);

    await one.publish('wf/kept/1', '', { qos: 1, retain: true });
    await one.publish('wf/kept/2', '', { qos: 1, retain: true });
    await first.atLeast(4);
    const three = await kind.connect('three');
    const late = inbox();
    await three.subscribe('wf/kept/+', late.hear);
    await three.subscribe('wf/after', late.hear);
    await one.publish('wf/after', 'x', { qos: 1 });
    await late.atLeast(1);
    assert.equal(late.got, ['wf/after x']);
    for (const each of [one, two, three]) await each.close();
  });

  bus('carries 100 kB of any bytes', async () => {
    const one = await kind.connect('one');
    const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256);
    const whole = new Promise<Uint8Array>(
      (got) => void one.subscribe('wf/big', ({ payload }) => got(payload)).then(() => one.publish('wf/big', bytes, { qos: 1 })),
    );
    assert.ok(Buffer.from(await whole).equals(bytes));
    await one.close();
  });

  bus('once closed it refuses, and closing again does nothing', async () => {
    const one = await kind.connect('one');
    await one.close();
    await one.close();
    await refusal(one.publish('wf/a', 'x'));
    await refusal(one.subscribe('wf/a', () => {}));
    const again = await kind.connect('one'); // its name is free
    await again.close();
  });

  bus('an unreachable broker is refused with its address and a hint', async () => {
    if (!kind.astray) return;
    const error = await refusal(kind.astray());
    assert.match(error.message, /(127\.0\.0\.1|localhost):\d+/);
    assert.ok(error.hint);
  });

  bus('after the line was cut, subscriptions stand again before anyone is told', async () => {
    if (!kind.line) return;
    const one = await kind.connect('one', { session: 'kept' });
    const two = await kind.connect('two', { session: 'fresh' });
    const [kept, fresh] = [inbox(), inbox()];
    await one.subscribe('wf/cut/#', kept.hear);
    await two.subscribe('wf/cut/#', fresh.hear);
    const back = (each: Bus) => new Promise<void>((told) => each.onReconnect(told));
    const both = Promise.all([back(one), back(two)]);

    kind.line.cut();
    await both;
    await two.publish('wf/cut/1', 'after', { qos: 1 });

    await Promise.all([kept.atLeast(1), fresh.atLeast(1)]);
    assert.equal(unique(kept.got), ['wf/cut/1 after']);
    assert.equal(unique(fresh.got), ['wf/cut/1 after']);
    await one.close();
    await two.close();
  });

  bus('a kept session gets at QoS 1 what was published while it was away, in order', async () => {
    if (!kind.line) return;
    const one = await kind.connect('one', { session: 'kept' });
    const heard = inbox();
    await one.subscribe('wf/away/#', heard.hear);
    await one.close();

    const two = await kind.connect('two');
    for (let i = 0; i < 10; i++) await two.publish('wf/away/x', `${i}`, { qos: 1 });
    const again = await kind.connect('one', { session: 'kept' });
    const late = inbox();
    await again.subscribe('wf/away/#', late.hear);

    await late.atLeast(10);
    assert.equal(
      unique(late.got),
      Array.from({ length: 10 }, (_, i) => `wf/away/x ${i}`),
    );
    await again.close();
    await two.close();
    await (await kind.connect('one', { session: 'fresh' })).close(); // ends the session
  });

  bus('a will is published when the line is lost, and not when the client says goodbye', async () => {
    if (!kind.line) return;
    const will = { topic: 'wf/will', payload: 'lost', qos: 1, retain: false } as const;
    const two = await kind.connect('two', { session: 'kept' });
    const heard = inbox();
    await two.subscribe('wf/will', heard.hear);
    const polite = await kind.connect('one', { will });
    await polite.close();
    await two.publish('wf/will', 'marker', { qos: 1 });
    await heard.atLeast(1);
    assert.equal(heard.got, ['wf/will marker']);

    const rude = await kind.connect('one', { will });
    kind.line.shut();
    kind.line.open();
    await heard.atLeast(2);
    assert.is(heard.got[1], 'wf/will lost');
    await rude.close();
    await two.close();
  });

  bus.run();
}

const doors = suite('bus: doors that stay shut');

if (hasOpenssl)
  doors('a broker of another CA, and a certificate that nobody knows, are refused with a hint', async () => {
    const broker = await embedded();
    const other = testCa();
    const stranger = ca!.issue('stranger');
    for (const [tls, hint] of [
      [{ ...tlsOf('one'), ca: other.server.ca }, /CA/],
      [stranger, /certificate/],
    ] as const) {
      const url = `mqtts://localhost:${broker.tls}`;
      assert.match((await refusal(mqttBus({ url, clientId: 'one', log, tls }))).hint ?? '', hint);
      const aws = { host: 'localhost', port: broker.tls, clientId: 'one', log, clock: wallClock(), tls };
      if (tls !== stranger) continue; // AWS's TLS library waits 10 to 30 s by intent before it says what was wrong
      for (const version of [4, 5] as const) {
        const error = await refusal(awsIotBus({ ...aws, version }));
        assert.match(error.hint ?? '', /certificate/);
        assert.match(error.message, /localhost:\d+/);
      }
    }
    other.remove();
    await broker.close();
  });

doors.after(leaveNativeClients);

process.on('exit', () => ca?.remove());

doors.run();
