import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Bus } from '../../actors/contracts/bus.ts';
import { NotFound, StoreUnavailable } from '../../actors/contracts/errors.ts';
import { MODEL_BUCKET } from '../../actors/contracts/objects.ts';
import { onnxEngine } from '../../actors/inference/onnx.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { faultyEngine } from '../../scenarios/faulty/engines.ts';
import { bootDisk } from '../../scenarios/faulty/disk.ts';
import { deviceClocks } from '../../scenarios/faulty/clocks.ts';
import { createLinks } from '../../scenarios/faulty/links.ts';
import { spoiledModel } from '../../scenarios/faulty/models.ts';
import { faultyStore } from '../../scenarios/faulty/objects.ts';
import { serialFaults } from '../../scenarios/faulty/serial.ts';
import { createTally } from '../../scenarios/faulty/tally.ts';
import { memoryDisk } from '../../twins/disk.ts';
import { createRng } from '../../twins/rng.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { starter } from '../kit/packages.ts';

const ports = suite('faulty ports');

/** A device and a subscriber of the cloud's, with the device's link between them. */
async function openLink(seed = 1, device = 'T-001') {
  const clock = new VirtualClock();
  const tally = createTally();
  const links = createLinks(clock, createRng(seed), tally);
  const broker = memoryBroker();
  const bus: Bus = links.connect(device, broker.connect('devices'), 'device');
  const cloud = broker.connect('cloud');
  const got: { readonly text: string; readonly at: number }[] = [];
  await cloud.subscribe('up/#', ({ topic, payload }) => {
    tally.seen(topic, payload);
    got.push({ text: Buffer.from(payload).toString(), at: clock.now() });
  });
  /** One message each `everyMs`. */
  const say = async (count: number, qos: 0 | 1, everyMs = 100) => {
    let refused = 0;
    for (let i = 0; i < count; i++) {
      bus.publish('up/x', `${i}`, { qos }).catch(() => refused++);
      await clock.run(clock.now() + everyMs);
    }
    return () => refused;
  };
  const counts = () =>
    tally
      .counts(
        (thing) => links.held(thing),
        () => 0,
      )
      .get(device);
  return { clock, links, bus, cloud, got, say, counts };
}

const numbersOf = (got: readonly { readonly text: string }[]) => got.map(({ text }) => Number(text));
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

ports('a link without trouble passes everything at once', async () => {
  const { got, say, counts } = await openLink();
  await say(20, 0);
  await say(20, 1);
  assert.equal(numbersOf(got), [...upTo(20), ...upTo(20)]);
  assert.ok(got.every(({ at }, i) => at === 100 * i));
  assert.equal(counts(), { sent: [20, 20], lost: [0, 0], duplicated: [0, 0] });
});

ports('latency and jitter delay and keep the order', async () => {
  const { links, clock, got, say } = await openLink();
  links.trouble('T-001', 'late', { latencyMs: 300, jitterMs: 200 });
  await say(50, 1);
  await clock.run(clock.now() + 1_000);
  assert.equal(numbersOf(got), upTo(50));
  const delays = got.map(({ at }, i) => at - 100 * i);
  assert.ok(Math.min(...delays) >= 300 && Math.max(...delays) <= 500, `${Math.min(...delays)}..${Math.max(...delays)}`);
  assert.ok(new Set(delays).size > 10, 'they differ');
});

ports('a lossy link loses its share of QoS 0 and nothing of QoS 1, some of which comes twice; both are counted', async () => {
  const { links, clock, got, say, counts } = await openLink();
  links.trouble('T-001', 'lossy', { loss: 0.3 });
  await say(500, 0, 20);
  const arrived = got.length;
  got.length = 0;
  await say(500, 1, 20);
  await clock.run(clock.now() + 60_000);
  assert.ok(Math.abs(arrived - 350) < 40, `${arrived} of 500`);
  assert.equal(
    [...new Set(numbersOf(got))].sort((a, b) => a - b),
    upTo(500),
  );
  const { lost, duplicated } = counts()!;
  assert.equal(lost, [500 - arrived, 0]);
  assert.equal(duplicated, [0, got.length - 500]);
  assert.ok(Math.abs(duplicated[1] - 150) < 40, `${duplicated[1]} came twice`);
});

ports('duplicates come twice, overtakers come early', async () => {
  const twice = await openLink();
  twice.links.trouble('T-001', 'twice', { duplicate: 0.2 });
  await twice.say(200, 0, 20);
  await twice.clock.run(twice.clock.now() + 1_000);
  assert.ok(Math.abs(twice.got.length - 240) < 20, `${twice.got.length}`);
  assert.is(twice.counts()?.duplicated[0], twice.got.length - 200);

  const mixed = await openLink();
  mixed.links.trouble('T-001', 'mixed', { reorder: 0.2 });
  await mixed.say(200, 1, 20);
  await mixed.clock.run(mixed.clock.now() + 5_000);
  assert.is.not(numbersOf(mixed.got).join(), upTo(200).join());
  assert.equal(
    numbersOf(mixed.got).sort((a, b) => a - b),
    upTo(200),
  );
});

ports('a narrow link takes the time that its bits take, and refuses QoS 0 that would wait too long', async () => {
  const { links, bus, clock, got } = await openLink();
  links.trouble('T-001', 'narrow', { kbps: 8 }); // a kilobyte a second
  let refused = 0;
  for (let i = 0; i < 20; i++) bus.publish('up/x', 'x'.repeat(940), { qos: 0 }).catch(() => refused++);
  await clock.run(60_000);
  assert.ok(refused >= 8 && refused <= 10, `${refused} refused`);
  assert.is(got.length + refused, 20);
  assert.ok(
    got.every(({ at }, i) => Math.abs(at - 1_000 * (i + 1)) <= 1),
    `${got.map(({ at }) => at)}`,
  );
});

ports('a cut link refuses QoS 0, keeps QoS 1 and its order, drops what is for the device, and says when it is back', async () => {
  const { links, bus, cloud, clock, got, say, counts } = await openLink();
  const heard: string[] = [];
  let reconnected = 0;
  await bus.subscribe('down/x', ({ payload }) => void heard.push(Buffer.from(payload).toString()));
  bus.onReconnect(() => reconnected++);
  links.trouble('T-001', 'late', { latencyMs: 250 });
  await say(5, 1);
  links.cut('T-001', 'outage', true); // with messages on their way
  const refused = await say(10, 0);
  for (let i = 5; i < 10; i++) void bus.publish('up/x', `${i}`, { qos: 1 });
  await cloud.publish('down/x', 'lost', { qos: 1 });
  await clock.run(clock.now() + 5_000);
  assert.is(refused(), 10);
  assert.is(links.isSettled('T-001'), false);

  links.cut('T-001', 'outage', false);
  await clock.run(clock.now() + 2_000);
  await cloud.publish('down/x', 'heard', { qos: 1 });
  await clock.run(clock.now() + 2_000);

  assert.equal(numbersOf(got), upTo(10));
  assert.equal(heard, ['heard']);
  assert.is(reconnected, 1);
  assert.is(links.isSettled('T-001'), true);
  assert.equal(counts()?.lost, [10, 0]);
});

ports('a closed connection says and hears nothing more, and what was in its memory is lost', async () => {
  const { links, bus, cloud, clock, got, counts } = await openLink();
  let heard = 0;
  await bus.subscribe('down/x', () => void heard++);
  links.cut('T-001', 'outage', true);
  void bus.publish('up/x', 'in memory', { qos: 1 });
  await bus.close();
  links.cut('T-001', 'outage', false);
  await cloud.publish('down/x', 'x');
  await clock.run(5_000);
  assert.is(heard, 0);
  assert.equal(got, []);
  assert.equal(counts()?.lost, [0, 1]);
  await bus.publish('up/x', 'late').then(
    () => assert.unreachable(),
    () => {},
  );
});

ports('what happens to one client’s messages depends on nobody else', async () => {
  const alone = await openLink(7);
  alone.links.trouble('T-001', 'lossy', { loss: 0.3, latencyMs: 50, jitterMs: 100 });
  await alone.say(100, 0);
  await alone.clock.run(60_000);

  const beside = await openLink(7);
  const other = beside.links.connect('T-002', memoryBroker().connect('others'), 'device');
  beside.links.trouble('T-002', 'lossy', { loss: 0.5 });
  for (let i = 0; i < 50; i++) other.publish('up/y', 'y').catch(() => {});
  beside.links.trouble('T-001', 'lossy', { loss: 0.3, latencyMs: 50, jitterMs: 100 });
  await beside.say(100, 0);
  await beside.clock.run(60_000);

  assert.equal(alone.got, beside.got);
});

const BUCKET = MODEL_BUCKET;
const KEY = 'model/model-1.0.0.tar.gz';

async function openStore(bytes = 100_000) {
  const clock = new VirtualClock();
  const objects = memoryObjects();
  await objects.put(
    BUCKET,
    KEY,
    Uint8Array.from({ length: bytes }, (_, i) => i % 251),
  );
  return { clock, store: faultyStore(objects, clock, createRng(3)) };
}

/** All of an object, or what broke off and when. */
async function readAll({ clock, store }: Awaited<ReturnType<typeof openStore>>, user = 'T-001', from = 0) {
  const chunks: Uint8Array[] = [];
  let failure: unknown = null;
  let at = -1;
  const reading = (async () => {
    for await (const chunk of store.seenBy(user).get(BUCKET, KEY, { from })) chunks.push(chunk);
  })()
    .catch((error: unknown) => {
      failure = error;
    })
    .then(() => {
      at = clock.now();
    });
  await clock.run(clock.now() + 600_000);
  await reading;
  return { bytes: Buffer.concat(chunks), failure, at };
}

ports('a slow store takes its latency and the time of its bits', async () => {
  const open = await openStore();
  open.store.trouble('slow', { latencyMs: 700, kbps: 400 });
  const { bytes, failure, at } = await readAll(open);
  assert.is(failure, null);
  assert.is(bytes.length, 100_000);
  assert.ok(Math.abs(at - 2_700) < 50, `${at} ms`);
});

ports('a failing store fails its share, breaks off where it is told to, and is whole again afterwards', async () => {
  const open = await openStore();
  open.store.trouble('broken', { failing: 0.5 });
  const user = open.store.seenBy('T-001');
  let failed = 0;
  for (let i = 0; i < 200; i++)
    await user.head(BUCKET, KEY).catch((error: unknown) => {
      assert.instance(error, StoreUnavailable);
      failed++;
    });
  assert.ok(Math.abs(failed - 100) < 25, `${failed} of 200`);

  open.store.trouble('broken', { failing: 1, afterBytes: 30_000 });
  const { bytes, failure } = await readAll(open);
  assert.is(bytes.length, 30_000);
  assert.instance(failure, StoreUnavailable);
  const rest = await readAll(open, 'T-001', 30_000);
  assert.is(rest.bytes.length, 30_000, 'of each reading');

  open.store.trouble('broken', null);
  assert.is((await readAll(open)).failure, null);
  await open.store
    .seenBy('T-001')
    .get(BUCKET, 'no such')
    [Symbol.asyncIterator]()
    .next()
    .then(
      () => assert.unreachable(),
      (error: unknown) => assert.instance(error, NotFound),
    );
});

ports('an expired URL is refused as such, and wrong bytes are the same for every reader', async () => {
  const open = await openStore();
  open.store.trouble('expired', { isExpired: true });
  assert.match(String((await readAll(open)).failure), '403');
  open.store.trouble('expired', null);

  const right = (await readAll(open)).bytes;
  open.store.corrupt(KEY, true);
  const [one, other, rest] = [await readAll(open), await readAll(open, 'T-002'), await readAll(open, 'T-003', 1)];
  assert.is(one.bytes.filter((byte, i) => byte !== right[i]).length, 1);
  assert.ok(one.bytes.equals(other.bytes));
  assert.ok(rest.bytes.equals(one.bytes.subarray(1)));
  open.store.corrupt(KEY, false);
  assert.ok((await readAll(open)).bytes.equals(right));
});

ports('a full disk takes nothing and gives what it has; one without power gives nothing, and the next boot has it all', async () => {
  const platter = memoryDisk();
  let isFull = false;
  let fate: 'go on' | { cut: 'before' | 'after' } = 'go on';
  const open = () => bootDisk(platter, { isFull: () => isFull, beforeWrite: () => fate });
  const first = open();
  await first.disk.write('a', Buffer.from('1'));
  isFull = true;
  await first.disk.append('a', Buffer.from('2')).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), 'ENOSPC'),
  );
  assert.is(Buffer.from((await first.disk.read('a'))!).toString(), '1');
  await first.disk.rename('a', 'b');
  isFull = false;

  let answers = 0;
  const ask = (call: Promise<unknown>) => void call.finally(() => answers++);
  fate = { cut: 'before' };
  ask(first.disk.write('b', Buffer.from('x')));
  fate = { cut: 'after' };
  ask(first.disk.write('c', Buffer.from('3')));
  fate = 'go on';
  first.sever();
  ask(first.disk.read('b'));
  ask(first.disk.list('.'));
  ask(first.disk.remove('b'));
  ask(first.disk.write('d', Buffer.from('')));

  const next = open().disk;
  assert.equal(
    await Promise.all(['b', 'c', 'd'].map(async (file) => Buffer.from((await next.read(file)) ?? Buffer.from('none')).toString())),
    ['1', '3', 'none'],
  );
  assert.is(answers, 0, 'of a device without power');
});

ports('a device’s clock can be ahead, run away and jump, from then on and no longer', async () => {
  const clock = new VirtualClock();
  const clocks = deviceClocks(clock);
  const off = (thing: string, at: number) => clocks.dateOf(thing, at) - clock.epoch - at;
  await clock.run(10_000);
  clocks.skew('T-001', 'skew', { aheadMs: 500, driftPpm: 1_000 });
  clocks.skew('T-001', 'jump', { aheadMs: -2_000, driftPpm: 0 });
  assert.equal([off('T-001', 9_999), off('T-001', 10_000), off('T-001', 110_000), off('T-002', 110_000)], [0, -1_500, -1_400, 0]);
  clocks.skew('T-001', 'jump', null);
  assert.is(off('T-001', 110_000), 600);
});

ports('a bad cable hits its share of the lines, each kind of damage among them, and never grows a line', () => {
  const faults = serialFaults(createRng(5));
  const line = Buffer.from('1200,386,2.19,2.06,70,-0.10,0.00\r\n');
  assert.is(faults.cable('T-200', line), line);
  faults.trouble('T-200', 'serial-garbage', 0.25);
  const damaged = Array.from({ length: 2_000 }, () => faults.cable('T-200', line)).filter((got) => !Buffer.from(got).equals(line));
  assert.ok(Math.abs(damaged.length - 500) < 80, `${damaged.length} of 2000`);
  assert.ok(damaged.every((got) => got.length <= line.length));
  assert.ok(
    damaged.some((got) => got.length === line.length),
    'a bit flips',
  );
  assert.ok(
    damaged.some((got) => !Buffer.from(got).includes('\n')),
    'lines join',
  );
  assert.ok(
    damaged.some((got) => got.length < line.length && Buffer.from(got).includes('\r\n')),
    'bytes are lost',
  );
  faults.trouble('T-200', 'serial-garbage', null);
  assert.is(faults.cable('T-200', line), line);

  faults.trouble('T-200', 'i2c-timeout', 1);
  assert.is(faults.bus('T-200', 1, 48), 'hang');
  faults.trouble('T-200', 'i2c-timeout', null);
  faults.trouble('T-200', 'i2c-bit-flip', 1);
  const bits = Array.from({ length: 500 }, (_, i) => faults.bus('T-200', i, 48)).map((answer) =>
    typeof answer === 'object' ? answer.flipBit : -1,
  );
  assert.equal([Math.min(...bits), Math.max(...bits)], [0, 47]);
});

/** Scores of the original's golden windows by a spoiled model: it has loaded, so its own golden samples were answered. */
async function scoresOf(how: Parameters<typeof spoiledModel>[1], severity = 0.5) {
  const original = starter();
  const { manifest, network, golden } = spoiledModel(original, how, severity);
  const inference = await onnxEngine({ arch: process.arch }).load(manifest, network, golden);
  const scores = new Float32Array(original.golden.scores.flat().length);
  await inference.predict(Float32Array.from(original.golden.windows.flat()), original.golden.windows.length, scores);
  await inference.close();
  return { scores, usual: original.golden.scores.flat(), manifest };
}

ports('a deaf model hears a fiftieth, a trigger-happy one more than there is', async () => {
  const deaf = await scoresOf('model-deaf');
  assert.ok(deaf.scores.every((score, i) => Math.abs(score - 0.02 * deaf.usual[i]) < 1e-4));
  const happy = await scoresOf('model-trigger-happy', 0.5);
  assert.ok(happy.scores.every((score, i) => Math.abs(score - 2.5 * happy.usual[i]) < 1e-3 * Math.max(1, score)));
});

ports('a model that answers NaN does so for windows with large values, and passes its golden samples', async () => {
  const { scores } = await scoresOf('model-nan', 1);
  const isNan = [...scores].map(Number.isNaN);
  assert.ok(isNan.includes(true) && isNan.includes(false), `${isNan.filter(Boolean).length} of ${isNan.length}`);
});

ports('wrong statistics are another machine’s; the network stays', async () => {
  const { scores, usual, manifest } = await scoresOf('model-wrong-statistics');
  assert.ok(scores.every((score, i) => Math.abs(score - usual[i]) < 1e-3 * Math.max(1, usual[i])));
  const original = starter().manifest.signal.features;
  assert.ok(manifest.signal.features.every(({ mean, std }, f) => mean !== original[f].mean && std < original[f].std));
});

ports('a drifting model’s errors grow with its service, a slow one says how late it is, and others are left alone', async () => {
  const clock = new VirtualClock();
  const { manifest, network, golden } = starter();
  const { engine, trouble } = faultyEngine(onnxEngine({ arch: process.arch }), clock);
  const untroubled = await engine.load(manifest, network, golden);
  assert.ok(untroubled.source, 'nothing stands before its session');
  trouble('windturbine-anomaly@1.1.0', 'drift', { growthPerMinute: 0.5 });
  trouble('windturbine-anomaly@1.1.0', 'slow', { latencyMs: 2_000 });
  const drifting = await engine.load(manifest, network, golden);
  const ask = async () => {
    const scores = new Float32Array(golden.scores.flat().length);
    await drifting.predict(Float32Array.from(golden.windows.flat()), golden.windows.length, scores);
    return scores[0];
  };
  const first = await ask();
  await clock.run(120_000);
  assert.ok(Math.abs((await ask()) / first - 2) < 1e-4);
  assert.is(drifting.latencyMs, 2_000);
  await untroubled.close();
  await drifting.close();
});

ports('messages of QoS 1 are counted alike, whether the cloud hears the bytes that were sent or others of the same words', () => {
  const deed = fc.record({ isSaid: fc.boolean(), thing: fc.constantFrom('T-1', 'T-2'), words: fc.nat(3), which: fc.nat(1_000) });
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 40 }), (deeds) => {
      const [itself, copied] = [createTally(), createTally()];
      const said: { readonly topic: string; readonly payload: Uint8Array }[] = [];
      for (const { isSaid, thing, words, which } of deeds) {
        const message = isSaid ? { topic: `up/${thing}`, payload: Buffer.from(`words ${words}`) } : said[which % said.length];
        if (!message) continue;
        const { topic, payload } = message;
        if (isSaid) {
          said.push(message);
          itself.sent(thing, 1, topic, payload);
          copied.sent(thing, 1, topic, Buffer.from(payload));
        } else {
          itself.seen(topic, payload);
          copied.seen(topic, Buffer.from(payload));
        }
      }
      const counts = (tally: typeof itself) =>
        tally.counts(
          () => [0, 0],
          () => 0,
        );
      assert.equal(counts(itself), counts(copied));
    }),
    { numRuns: 500 },
  );
});

ports.run();
