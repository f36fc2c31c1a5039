/**
 * A thing with a valid certificate against the topics of another one, and clients that break the protocol: what the broker
 * answers, that it says so in its log and counts it, and that it goes on.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Broker } from '../../actors/contracts/bus.ts';
import type { Log } from '../../actors/contracts/log.ts';
import { embeddedBroker } from '../../cloud/bus/embedded.ts';
import type { BrokerLimits } from '../../cloud/bus/limits.ts';
import { filterContains } from '../../cloud/bus/topic-rules.ts';
import { wallClock } from '../../physical/wall-clock.ts';
import { freePort } from '../kit/free-port.ts';
import { RawClient, type RawPacket } from '../kit/raw-mqtt.ts';
import { has } from '../kit/programs.ts';
import { type Issued, testCa } from '../kit/test-ca.ts';
import { ownTopics, type TestThings, testThings } from '../kit/test-things.ts';

const policies = suite('bus policies');
const hasOpenssl = has('openssl', 'openssl');
const ca = hasOpenssl ? testCa() : null;
const thief = ca?.issue('T-thief');
const victim = ca?.issue('T-victim');

interface World {
  readonly broker: Broker;
  readonly things: TestThings;
  readonly logged: { readonly fields: Record<string, unknown>; readonly message: string }[];
  plain(): Promise<RawClient>;
  secure(as: Issued): Promise<RawClient>;
  close(): Promise<void>;
}

async function openWorld(limits: Partial<BrokerLimits> = {}): Promise<World> {
  const logged: World['logged'][number][] = [];
  const hear = (fields: object, message: string) => void logged.push({ fields: fields as Record<string, unknown>, message });
  const log: Log = { debug() {}, info: hear, warn: hear, error: hear };
  const things = testThings();
  if (thief && victim) {
    things.add(thief.fingerprint, 'T-thief');
    things.add(victim.fingerprint, 'T-victim');
  }
  const broker = await embeddedBroker({
    host: '127.0.0.1',
    port: await freePort(),
    wall: wallClock(),
    log,
    limits: { standingMs: 0, ...limits },
    ...(ca ? { tls: { port: await freePort(), material: ca.server, authorizer: things.authorizer } } : {}),
  });
  broker.reserve('$aws/things/+/jobs/#', ({ topic }, client) => broker.reply(client, `${topic}/accepted`, '{}'));
  const clients: RawClient[] = [];
  const keep = (socket: Socket | TLSSocket) => {
    const client = new RawClient(socket);
    clients.push(client);
    return client;
  };
  return {
    broker,
    things,
    logged,
    plain: async () => keep(connect(broker.address!.port, '127.0.0.1')),
    secure: async ({ cert, key, ca }) =>
      keep(connectTls({ host: '127.0.0.1', port: broker.tlsAddress!.port, cert, key, ca, servername: 'localhost' })),
    async close() {
      for (const client of clients) client.socket.destroy();
      await broker.close();
    },
  };
}

const refusals = ({ broker }: World, what: string) => broker.counters()[`refused.${what}`] ?? 0;

/** Everything that belongs to another thing, by name and by wildcard. */
const foreignFilters = [
  ...ownTopics('T-victim').flatMap((filter) => [
    filter,
    filter.replace('#', '+'),
    filter.replace('#', 'get/accepted'),
    filter.replace('#', '+/get/+'),
  ]),
  ...['$aws/things/T-victim/jobs/notify', '$aws/things/T-victim/jobs/notify-next', '$aws/things/T-victim/shadow/name/model/update/delta'],
  ...[
    '#',
    '+',
    '+/#',
    '/#',
    '+/+',
    '+/+/+',
    '$aws/#',
    '$aws/things/#',
    '$aws/things/+/#',
    '$aws/things/+/jobs/#',
    '$aws/things/+/shadow/#',
    '$aws/+/T-thief/jobs/#',
  ],
  ...[
    '$aws/things/+/jobs/notify',
    '$aws/events/#',
    '$aws/events/job/+/completed',
    '$aws/rules/#',
    '$SYS/#',
    '$SYS/broker/clients',
    '+/T-thief/jobs/#',
  ],
  ...[
    'windfleet/#',
    'windfleet/+',
    'windfleet/+/state',
    'windfleet/+/#',
    'windfleet/T-thief+/#',
    'wind-turbine/#',
    'wind-turbine/logs/+',
    'wind-turbine/logs/#',
    'wind-turbine/+/T-thief',
  ],
  ...[
    '$share/g/windfleet/T-thief/#',
    '$windfleet/served',
    '$queue/#',
    'windfleet/T-thie',
    'windfleet/t-thief/#',
    'windfleet//#',
    '/windfleet/T-thief/#',
  ],
];

const foreignTopics = [
  ...['get', 'start-next', '$next/get', 'job-1/get', 'job-1/update', 'notify', 'notify-next', 'job-1/update/accepted'].map(
    (rest) => `$aws/things/T-victim/jobs/${rest}`,
  ),
  ...['get', 'update', 'delete', 'update/accepted', 'update/delta', 'name/model/update'].map(
    (rest) => `$aws/things/T-victim/shadow/${rest}`,
  ),
  ...['state', 'verdict', 'telemetry', 'transitions', 'command', 'inspect'].map((rest) => `windfleet/T-victim/${rest}`),
  ...[
    'wind-turbine/logs/T-victim',
    'wind-turbine/T-victim/raw-data',
    'windfleet',
    'anything',
    '/',
    '$SYS/x',
    '$windfleet/served',
    '$aws/events/job/x/completed',
  ],
  ...[
    '$aws/rules/r/x',
    '$aws/things/T-thief',
    '$aws/things//jobs/get',
    '$aws/things/T-thief/other',
    '$share/g/windfleet/T-thief/state',
    'windfleet/T-thiefs/state',
  ],
];

if (ca && thief && victim) {
  policies('a thing may not subscribe, publish, retain or leave a will beyond its own: all refused, logged and counted', async () => {
    const world = await openWorld();
    let attempts = 0;

    const heard: RawPacket[] = [];
    const listener = await world.secure(thief);
    listener.connect({ clientId: 'T-thief' });
    assert.is((await listener.next('connack')).code, 0);
    for (const filter of foreignFilters) {
      listener.subscribe([{ filter, qos: 1 }]);
      assert.equal((await listener.next('suback')).granted, [0x80], filter);
      attempts++;
    }
    assert.is(refusals(world, 'subscribe'), foreignFilters.length);
    listener.subscribe([
      { filter: 'windfleet/T-thief/#', qos: 1 },
      { filter: 'windfleet/#', qos: 1 },
    ]);
    assert.equal((await listener.next('suback')).granted, [1, 0x80]); // each filter for itself

    for (const topic of foreignTopics)
      for (const retain of [false, true]) {
        const client = await world.secure(thief);
        client.connect({ clientId: '' });
        assert.is((await client.next('connack')).code, 0);
        client.publish({ topic, payload: 'stolen', qos: 1, retain });
        assert.is(await client.ended(), true, topic);
        assert.equal(
          client.got.filter(({ cmd }) => cmd === 'puback'),
          [],
        );
        attempts++;
      }
    assert.is(refusals(world, 'publish'), foreignTopics.length * 2);

    for (const topic of foreignTopics) {
      const client = await world.secure(thief);
      client.connect({ clientId: '', will: { topic, payload: 'stolen', qos: 1, retain: true } });
      assert.is((await client.next('connack')).code, 5, topic);
      attempts++;
    }
    assert.is(refusals(world, 'will'), foreignTopics.length);

    assert.ok(attempts >= 100, `${attempts} attempts`);
    assert.equal([...world.broker.retained()], []);
    const said = world.logged.filter(({ message }) => /is refused$/.test(message));
    assert.ok(said.length >= attempts);
    assert.ok(said.every(({ fields }) => fields['thing'] === 'T-thief'));
    assert.equal(heard, []);
    await world.close();
  });

  policies('what belongs to another is not delivered, whatever is published', async () => {
    const world = await openWorld();
    const listener = await world.secure(thief);
    listener.connect({ clientId: 'T-thief' });
    await listener.next('connack');
    listener.subscribe([{ filter: 'windfleet/T-thief/#', qos: 1 }]);
    await listener.next('suback');

    const owner = await world.secure(victim);
    owner.connect({ clientId: 'T-victim' });
    await owner.next('connack');
    owner.publish({ topic: 'windfleet/T-victim/state', payload: 'secret', qos: 1, messageId: 1 });
    await owner.next('puback');
    owner.publish({ topic: '$aws/things/T-victim/jobs/get', payload: '', qos: 0 });
    assert.is((await owner.next('publish')).topic, '$aws/things/T-victim/jobs/get/accepted'); // without a subscription
    await world.broker.announce('windfleet/T-thief/command', 'hello');

    assert.is((await listener.next('publish')).topic, 'windfleet/T-thief/command');
    assert.is(listener.got.filter(({ cmd }) => cmd === 'publish').length, 1);
    await world.close();
  });

  policies('the client id is the thing’s, or empty; nobody takes over what another certificate holds', async () => {
    const world = await openWorld();
    for (const clientId of ['T-victim', 'other', 'T-thief2', '$GEN/x', 'T-thief/..']) {
      const client = await world.secure(thief);
      client.connect({ clientId });
      assert.is.not((await client.next('connack')).code, 0, clientId);
    }
    const first = await world.secure(thief);
    first.connect({ clientId: 'T-thief' });
    await first.next('connack');
    const unnamed = await world.secure(thief);
    unnamed.connect({ clientId: '' });
    assert.is((await unnamed.next('connack')).code, 0);
    assert.equal(
      world.broker.clients().map(({ thing }) => thing),
      ['T-thief', 'T-thief'],
    );

    const open = await world.plain(); // without a certificate, under the thing's name
    open.connect({ clientId: 'T-thief' });
    assert.is((await open.next('connack')).code, 5);
    const second = await world.secure(thief);
    second.connect({ clientId: 'T-thief' });
    assert.is((await second.next('connack')).code, 0);
    assert.ok(await first.ended()); // [MQTT-3.1.4-2]
    await world.close();
  });

  policies('a revoked certificate ends its live connection and is refused at the next', async () => {
    for (const quietly of [false, true]) {
      const world = await openWorld();
      const client = await world.secure(thief);
      client.connect({ clientId: 'T-thief' });
      await client.next('connack');
      world.things.revoke(thief.fingerprint, { quietly }); // told at once, or found out at the next look
      assert.ok(await client.ended());
      const again = await world.secure(thief);
      again.connect({ clientId: 'T-thief' });
      assert.is((await again.next('connack')).code, 5);
      assert.ok(world.logged.some(({ fields }) => fields['reason'] === 'administrative'));
      await world.close();
    }
  });

  policies('an expired or foreign certificate, or none, does not get through TLS', async () => {
    const world = await openWorld();
    const foreign = testCa();
    const own = foreign.issue('T-thief');
    for (const shown of [{ ...own, ca: ca.server.ca }, ca.issue('T-thief', -1), { ...thief, cert: '', key: '' }]) {
      const client = await world.secure({
        ...shown,
        ...(shown.cert ? {} : { cert: undefined as unknown as string, key: undefined as unknown as string }),
      });
      client.connect({ clientId: 'T-thief' });
      assert.ok(await client.ended());
      assert.equal(client.got, []);
    }
    assert.is(refusals(world, 'tls'), 3);
    foreign.remove();
    await world.close();
  });
}

policies('malformed packets end their connection, and no other', async () => {
  const world = await openWorld();
  const witness = await world.plain();
  witness.connect({ clientId: 'witness' });
  await witness.next('connack');
  witness.subscribe([{ filter: 'marker', qos: 1 }]);
  await witness.next('suback');
  const string = (text: string | Buffer) => {
    const bytes = Buffer.from(text as string);
    return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
  };
  const frame = (first: number, ...parts: Buffer[]) => {
    const body = Buffer.concat(parts);
    const length: number[] = [];
    let rest = body.length;
    do {
      length.push((rest & 127) | (rest > 127 ? 128 : 0));
      rest >>= 7;
    } while (rest > 0);
    return Buffer.concat([Buffer.from([first, ...length]), body]);
  };
  const bytes = (...values: number[]) => Buffer.from(values);

  const beforeConnect: Record<string, Buffer> = {
    'no CONNECT': frame(0xc0),
    HTTP: Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    'a length of five bytes': bytes(0x10, 0xff, 0xff, 0xff, 0xff, 0x01),
    'a packet of 256 MB': bytes(0x10, 0xff, 0xff, 0xff, 0x7f),
    'a protocol of another name': frame(0x10, string('MQTTT'), bytes(4, 2, 0, 0), string('x')),
    'a protocol of version 9': frame(0x10, string('MQTT'), bytes(9, 2, 0, 0), string('x')),
    'the reserved flag': frame(0x10, string('MQTT'), bytes(4, 3, 0, 0), string('x')),
    'a will of QoS 3': frame(0x10, string('MQTT'), bytes(4, 0x1e, 0, 0), string('x'), string('t'), string('p')),
    'a CONNECT that ends too soon': frame(0x10, string('MQTT'), bytes(4, 2, 0)),
    'bytes behind it': frame(0x10, string('MQTT'), bytes(4, 2, 0, 0), string('x'), bytes(1, 2, 3)),
    'a client id that is not UTF-8': frame(0x10, string('MQTT'), bytes(4, 2, 0, 0), string(Buffer.from([0xff, 0xfe]))),
    'a client id with a NUL': frame(0x10, string('MQTT'), bytes(4, 2, 0, 0), string('a\0b')),
    'a client id of 10 kB': frame(0x10, string('MQTT'), bytes(4, 2, 0, 0), string('x'.repeat(10_000))),
    'a session to keep of nobody': frame(0x10, string('MQTT'), bytes(4, 0, 0, 0), string('')),
  };
  for (const [name, sent] of Object.entries(beforeConnect)) {
    const client = await world.plain();
    client.socket.write(sent);
    assert.ok(await client.ended(), name);
    if (name === 'a client id of 10 kB') assert.is(client.got[0]?.code, 2, name);
    if (name.includes('version 9')) assert.is(client.got[0]?.code, 1, name);
  }

  const afterConnect: Record<string, Buffer> = {
    'a second CONNECT': frame(0x10, string('MQTT'), bytes(4, 2, 0, 0), string('x')),
    'a packet of type 0': frame(0x00),
    'a CONNACK': frame(0x20, bytes(0, 0)),
    'QoS 3': frame(0x36, string('t'), bytes(0, 1)),
    'QoS 2': frame(0x34, string('t'), bytes(0, 1)),
    'a message id of 0': frame(0x32, string('t'), bytes(0, 0)),
    'an empty topic': frame(0x30, string('')),
    'a topic with +': frame(0x30, string('a/+')),
    'a topic with #': frame(0x30, string('#')),
    'a topic with a NUL': frame(0x30, string('a\0b')),
    'a topic that is not UTF-8': frame(0x30, string(Buffer.from([0x61, 0xc3, 0x28]))),
    'a surrogate in UTF-8': frame(0x30, string(Buffer.from([0xed, 0xa0, 0x80]))),
    'a topic of 65 535 bytes': frame(0x30, string('x'.repeat(65_535))),
    'a topic of 65 535 levels': frame(0x30, string('/'.repeat(65_534))),
    'a topic of 33 levels': frame(0x30, string('/'.repeat(32))),
    $SYS: frame(0x30, string('$SYS/broker')),
    $windfleet: frame(0x30, string('$windfleet/served')),
    'another’s event': frame(0x30, string('$aws/events/job/x/completed')),
    'a payload of 200 kB': frame(0x30, string('t'), Buffer.alloc(200_000)),
    'a payload of 131 073 bytes': frame(0x30, string('t'), Buffer.alloc(131_073)),
    'a packet of 100 MB': bytes(0x30, 0x80, 0xc2, 0xd7, 0x2f),
    'a topic longer than its packet': frame(0x30, bytes(0xff, 0xff, 0x61)),
    'a SUBSCRIBE without filters': frame(0x82, bytes(0, 1)),
    'a SUBSCRIBE with the wrong flags': frame(0x80, bytes(0, 1), string('a'), bytes(0)),
    'a subscription of QoS 3': frame(0x82, bytes(0, 1), string('a'), bytes(3)),
    'an UNSUBSCRIBE without filters': frame(0xa2, bytes(0, 1)),
    'a PUBREC': frame(0x50, bytes(0, 1)),
    'an AUTH': frame(0xf0),
  };
  for (const [name, sent] of Object.entries(afterConnect)) {
    const client = await world.plain();
    client.connect({ clientId: 'bad' });
    await client.next('connack');
    client.socket.write(sent);
    assert.ok(await client.ended(), name);
  }

  const odd = await world.plain();
  odd.connect({ clientId: 'odd' });
  await odd.next('connack');
  for (const filter of [
    '',
    'a/#/b',
    'a#',
    '+a',
    'a/b+',
    '##',
    '/'.repeat(40),
    'x'.repeat(300),
    `${'a/'.repeat(32_000)}b`,
    '$SYS/#',
    '$share/g/a',
  ]) {
    odd.subscribe([{ filter, qos: 0 }]);
    assert.equal((await odd.next('suback')).granted, [0x80], filter.slice(0, 20));
  }
  odd.subscribe(Array.from({ length: 101 }, (_, i) => ({ filter: `many/${i}`, qos: 0 as const })));
  const { granted } = await odd.next('suback');
  assert.equal([granted!.length, granted!.filter((code) => code === 0x80).length], [101, 1]);
  odd.socket.write(
    Buffer.concat([frame(0x30, string('__proto__'), Buffer.from('x')), frame(0x30, string('constructor/toString'), Buffer.from('x'))]),
  );
  odd.publish({ topic: 'marker', payload: 'still here', qos: 1, messageId: 7 });
  await odd.next('puback');
  assert.is((await witness.next('publish')).payload!.toString(), 'still here');
  await world.close();
});

policies('any bytes whatever, cut anywhere, leave the broker standing', async () => {
  const world = await openWorld();
  let state = 12345;
  const random = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state;
  };
  for (let i = 0; i < 150; i++) {
    const client = await world.plain();
    client.connect({ clientId: `fuzz-${i}` });
    await client.next('connack');
    const noise = Buffer.from(Array.from({ length: 1 + (random() % 200) }, () => random() >> 8));
    client.socket.write(noise.subarray(0, noise.length >> 1));
    client.socket.end(noise.subarray(noise.length >> 1));
    await client.ended();
  }
  const after = await world.plain();
  after.connect({ clientId: 'after' });
  assert.is((await after.next('connack')).code, 0);
  assert.is(world.broker.clients().length, 1);
  await world.close();
});

policies('two devices under one name do not flap for ever; too many connections are turned away', async () => {
  const world = await openWorld({ takeovers: 3, connections: 10 });
  const codes: number[] = [];
  for (let i = 0; i < 6; i++) {
    const client = await world.plain();
    client.connect({ clientId: 'twin' });
    codes.push((await client.next('connack')).code!);
  }
  assert.equal(codes, [0, 0, 0, 0, 3, 3]);
  const many = await Promise.all(Array.from({ length: 20 }, () => world.plain()));
  const turnedAway = await Promise.race(many.map((client) => client.ended()));
  assert.ok(turnedAway);
  assert.ok((world.broker.counters()['refused.connection'] ?? 0) > 0);
  await world.close();
});

policies('one filter lies within another exactly when every topic of it does', () => {
  const levels = ['a', '+', '#', '$x'];
  const filters = levels
    .flatMap((x) => [x, ...levels.flatMap((y) => [`${x}/${y}`, ...levels.map((z) => `${x}/${y}/${z}`)])])
    .filter((f) => !/#./.test(f));
  const names = ['a', 'b', '$x', ''];
  const topics = names
    .flatMap((x) => [x, ...names.flatMap((y) => [`${x}/${y}`, ...names.flatMap((z) => [`${x}/${y}/${z}`, `${x}/${y}/${z}/w`])])])
    .filter((t) => t !== '');
  const covered = new Map(filters.map((filter) => [filter, new Set(topics.filter((topic) => filterContains(filter, topic)))]));
  for (const outer of filters)
    for (const inner of filters) {
      const holds = [...covered.get(inner)!].every((topic) => covered.get(outer)!.has(topic));
      if (filterContains(outer, inner)) assert.ok(holds, `${outer} ⊇ ${inner}`);
      else if (!inner.startsWith('$') && !outer.startsWith('#') && !inner.startsWith('#') && !inner.startsWith('+'))
        assert.not.ok(holds && covered.get(inner)!.size > 0 && !/\+\/?#?$/.test(inner), `${outer} ⊉ ${inner}`);
    }
});

process.on('exit', () => ca?.remove());

policies.run();
