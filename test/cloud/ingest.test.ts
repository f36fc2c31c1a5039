import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CAPTURE_BUCKET } from '../../actors/contracts/capture.ts';
import type { Disk } from '../../actors/contracts/disk.ts';
import { NotFound, StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { DocumentIndex } from '../../actors/contracts/index.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { duckdbIndex } from '../../cloud/index/duckdb.ts';
import { memoryIndex } from '../../cloud/index/memory.ts';
import { openLetters } from '../../cloud/ingest/letters.ts';
import { linesOf } from '../../cloud/ingest/lines.ts';
import { type IngestPorts, startIngest } from '../../cloud/ingest/pipeline.ts';
import { ruleMaker } from '../../cloud/ingest/rows.ts';
import { openSpool } from '../../cloud/ingest/spool.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { memoryDisk } from '../../twins/disk.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { logMessage, RECORDS } from '../kit/log-messages.ts';

const ingestion = suite('ingestion');

const rest = () => new Promise((rested) => setImmediate(rested));

/** An index that is away while it is told so. */
function faultyIndex(inner: DocumentIndex = memoryIndex()): DocumentIndex & { away: boolean; refusals: number } {
  const gone = () => new StoreUnavailable('the index is away');
  const index = {
    ...inner,
    away: false,
    refusals: 0,
    async add(name: string, documents: Parameters<DocumentIndex['add']>[1]) {
      if (index.away) {
        index.refusals++;
        throw gone();
      }
      await inner.add(name, documents);
    },
    async flush() {
      if (index.away) throw gone();
      return inner.flush();
    },
  };
  return index;
}

async function open(more: Partial<IngestPorts> = {}) {
  const broker = memoryBroker();
  const clock = new VirtualClock();
  const index = faultyIndex();
  const disk: Disk | null = memoryDisk();
  const ports: IngestPorts = { bus: broker.connect('cloud'), index, clock, log: silentLog, disk, ...more };
  const ingest = await startIngest(ports);
  await rest();
  return { broker, clock, index, disk, ingest, device: broker.connect('device') };
}

const count = async (index: DocumentIndex, name = 'logs') => (await index.aggregate({ index: name, by: [], agg: 'count' }))[0]?.value ?? 0;

ingestion('a message of QoS 1 is on disk before its publisher is answered', async () => {
  const { disk, device, ingest } = await open();
  await device.publish('wind-turbine/logs/T-1', logMessage(0), { qos: 1 });
  const [segment] = await disk!.list('spool');
  assert.ok(Buffer.from((await disk!.read(`spool/${segment}`))!).includes('wind-turbine/logs/T-1'));
  await ingest.close();
});

ingestion('a verdict that comes twice is one, and two windows that a clock dates alike are two', async () => {
  const { device, clock, index, ingest } = await open();
  const said = {
    at: clock.epoch,
    model: 'm@1.0.0',
    anomalous: false,
    score: 0.5,
    worst: 'x',
    scores: { x: 0.5, y: 0.25 },
    announced: false,
  };
  const other = { ...said, score: 0.75, scores: { x: 0.75, y: 0.25 } }; // after the device's clock was set back by its windows
  for (const verdict of [said, said, other, said]) await device.publish('windfleet/T-1/verdict', JSON.stringify(verdict), { qos: 1 });
  await ingest.settled();
  assert.is(await count(index, 'verdicts'), 4);
  assert.is((await index.aggregate({ index: 'verdicts', by: [], agg: 'max', field: 'score' }))[0].value, 0.75);
  await ingest.close();
});

ingestion('a state that comes twice is one, and two states that a clock dates alike are two', async () => {
  const { device, clock, index, ingest } = await open();
  const said = { at: clock.epoch, state: 'idle', cause: 'a:b', machine: 'desk-turbine', backing: 'twin', model: null, update: null };
  const others = [
    { ...said, cause: 'a' },
    { ...said, model: 'm@1.0.0' },
    { ...said, state: 'idle:a', cause: 'b' },
  ];
  for (const state of [said, ...others, said, ...others]) await device.publish('windfleet/T-1/state', JSON.stringify(state), { qos: 1 });
  await ingest.settled();
  assert.is(await count(index, 'states'), 4);
  await ingest.close();
});

ingestion('a verdict of a day ahead becomes no document, and a letter', async () => {
  const { device, clock, index, ingest } = await open();
  const verdict = { at: 0, model: 'm@1.0.0', anomalous: false, score: 0.5, worst: 'x', scores: { x: 0.5, y: 0.25 }, announced: false };
  const say = (ahead: number) => device.publish('windfleet/T-1/verdict', JSON.stringify({ ...verdict, at: clock.epoch + ahead }));

  await say(86_400_000);
  await say(86_400_001);
  await ingest.settled();

  assert.equal(
    (await index.latest('verdicts')).map(({ at, feature }) => [at, feature]),
    [
      [clock.epoch + 86_400_000, 'y'],
      [clock.epoch + 86_400_000, 'x'],
    ],
  );
  assert.is(ingest.documents, 2);
  const [letter, ...others] = ingest.list();
  assert.is(others.length, 0);
  assert.match(letter.reason, /its clock is 24 hours ahead of here/);
  await ingest.close();
});

ingestion('when a process ends at any moment, the next one makes the documents that it did not, and none twice', async () => {
  const disk = memoryDisk();
  const index = faultyIndex();
  for (let life = 0; life < 20; life++) {
    const { device, clock } = await open({ disk, index });
    index.away = life % 3 === 1; // some lives write nothing at all
    for (let n = 0; n < 5; n++) await device.publish('wind-turbine/logs/T-1', logMessage(life * 5 + n), { qos: 1 });
    if (life % 4 === 0) await clock.run(6_000);
    index.away = true; // it ends here: what memory holds is gone
    await clock.run(12_000);
    index.away = false;
  }
  const { ingest } = await open({ disk, index });
  await ingest.settled();
  assert.is(await count(index), 20 * 5 * RECORDS);
  assert.is(ingest.counts().letters, 0);
  await ingest.close();
  assert.equal(await disk.list('spool'), []);
});

ingestion('whatever happens in whatever order, each message that was answered is in the index, once', async () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('publish', 'publish unanswered') },
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 6_000 }) }, // milliseconds
    { weight: 2, arbitrary: fc.constantFrom('away', 'back') },
    { weight: 1, arbitrary: fc.constant('die') },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
      const disk = memoryDisk();
      const index = faultyIndex();
      let life = await open({ disk, index });
      let published = 0;
      for (const one of steps) {
        if (typeof one === 'number') await life.clock.run(life.clock.now() + one);
        else if (one === 'away' || one === 'back') index.away = one === 'away';
        else if (one === 'die') {
          await rest(); // what a process has written outlives it
          const before = index.away;
          index.away = true;
          await life.broker.close();
          index.away = before;
          life = await open({ disk, index });
        } else await life.device.publish('wind-turbine/logs/T-1', logMessage(published++), { qos: one === 'publish' ? 1 : 0 });
      }
      index.away = false;
      await life.clock.run(life.clock.now() + 11_000);
      await life.ingest.close();
      assert.is(await count(index), published * RECORDS);
      assert.is(life.ingest.lost, 0);
      assert.equal(await disk.list('spool'), []);
    }),
    { numRuns: 80 },
  );
});

ingestion('a message that several rules want is on disk once', async () => {
  const makers = [ruleMaker({ sql: "SELECT topic(3) as thing, logs[0].data[2] as rps FROM 'wind-turbine/#'", index: 'mine' })];
  const { disk, device, ingest, index } = await open({ makers });
  await device.publish('wind-turbine/logs/T-1', logMessage(0), { qos: 1 });
  const [segment] = await disk!.list('spool');
  const held = Buffer.from((await disk!.read(`spool/${segment}`))!).toString('latin1');
  assert.is(held.split('"wind-turbine/logs/T-1"').length - 1, 1);
  await ingest.close();
  assert.equal([await count(index), await count(index, 'mine')], [RECORDS, 1]);
});

ingestion('what the cloud itself makes a document of waits like a message', async () => {
  const disk = memoryDisk();
  const { ingest, index, clock } = await open({ disk });
  index.away = true;
  ingest.keep('alarms', [{ id: 'a', at: 1, thing: 'T-1', score: 2 }]);
  await clock.run(6_000);
  const next = await open({ disk });
  await next.ingest.settled();
  assert.is(await count(next.index, 'alarms'), 1);
  await next.ingest.close();
});

ingestion('payloads that JSON’s parser would take are refused all the same', async () => {
  const { device, ingest, index } = await open();
  const good = logMessage(0);
  const bad: readonly (readonly [string | Uint8Array, RegExp])[] = [
    [good.replace('{"logs"', '{"logs":[],"logs"'), /there twice/],
    [good.replace('{"logs"', '{"__proto__":{},"logs"'), /__proto__ is no name/],
    [`{"logs":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, /nested deeper/],
    [Buffer.from([0x7b, 0xff, 0x7d]), /no UTF-8/],
    [good.slice(0, 300), /JSON/],
    ['{"logs":{"records":[],"values":[]}}', /array/],
  ];
  for (const [payload] of bad) await device.publish('wind-turbine/logs/T-1', payload, { qos: 1 });
  await device.publish('wind-turbine/logs/T-1', good, { qos: 1 });
  await ingest.close();
  assert.is(await count(index), RECORDS);
  const reasons = ingest.list().map(({ reason }) => reason);
  assert.is(reasons.length, bad.length);
  for (const [payload, reason] of bad)
    assert.ok(
      reasons.some((given) => reason.test(given)),
      `${reason} of ${payload.slice(0, 40)}: ${reasons}`,
    );
});

ingestion('an object cannot fill the shelf of letters, nor unpack itself', async () => {
  const objects = memoryObjects(() => 1_000_000);
  await objects.put(CAPTURE_BUCKET, 'farm/many.jsonl', Buffer.from('no\n'.repeat(5_000)));
  await objects.put(CAPTURE_BUCKET, 'farm/packed.jsonl', gzipSync(Buffer.alloc(50 * 2 ** 20)));
  await objects.put(CAPTURE_BUCKET, 'farm/m/2026/01/01/00/raw-data/0123.jsonl', Buffer.from('a payload of its own'));
  const { ingest } = await open({ objects });
  await ingest.settled();
  const letters = ingest.list();
  assert.is(letters.length, 102);
  assert.ok(letters.some(({ reason }) => reason.startsWith('5000 of its lines')));
  assert.ok(
    letters.some(({ reason, source }) => reason.includes('gzip') && source.kind === 'object' && source.key === 'farm/packed.jsonl'),
  );
  await ingest.close();
});

ingestion('a document that its index does not take is a letter, and goes in when it is replayed to one that does', async () => {
  const makers = [ruleMaker({ sql: "SELECT * FROM 'mine/+'", index: 'mine' })];
  const disk = memoryDisk();
  const index = await duckdbIndex(':memory:');
  const { device, ingest } = await open({ makers, disk, index });
  await device.publish('mine/T-1', '{"x":1,"at":1}', { qos: 1 });
  await device.publish('mine/T-1', '{"x":"one","at":2}', { qos: 1 });
  await ingest.settled();
  await device.publish('mine/T-1', '{"x":2,"at":3}', { qos: 1 });
  await ingest.close();
  const [letter] = ingest.list();
  assert.match(letter.reason, /field x is DOUBLE, and "one" is not/);
  assert.equal(letter.source, { kind: 'document', index: 'mine' });
  assert.match(JSON.stringify(await ingest.replay(letter.id)), /"documents":null.*is not/);
  assert.is(ingest.counts().letters, 1);
  assert.is(await count(index, 'mine'), 2);
  await index.close();

  const second = await open({ makers, disk });
  assert.equal(await second.ingest.replay(letter.id), { documents: 1 });
  assert.equal([second.ingest.counts().letters, second.ingest.counts().replayed], [0, 1]);
  assert.is(await count(second.index, 'mine'), 1);
  await second.ingest.close();
});

ingestion('a flood of letters waits as their names: those pushed out meanwhile are never written', async () => {
  const disk = memoryDisk();
  const letters = await openLetters(disk, silentLog, { letters: 10, bytes: 1e6, payload: 1e6 });
  for (let i = 0; i < 5_000; i++) letters.keep({ kind: 'message', topic: `t/${i}`, from: null, heardAt: 0 }, Buffer.from('x'), 'no', i);
  await letters.settled();
  assert.is((await disk.list('dead-letters')).length, 10);
  assert.ok(disk.writes < 5_100, String(disk.writes));
  const again = await openLetters(disk, silentLog);
  assert.is(again.list().length, 10);
});

ingestion('an index that is away for ten minutes costs disk, not memory, and nothing', async () => {
  const { clock, index, device, disk, ingest } = await open();
  index.away = true;
  for (let second = 0; second < 600; second++) {
    await device.publish('wind-turbine/logs/T-1', logMessage(second), { qos: second % 2 === 0 ? 1 : 0 });
    await clock.run(clock.now() + 1_000);
  }
  assert.ok(index.refusals < 200, `${index.refusals} tries`);
  assert.ok((await disk!.list('spool')).length > 0);
  index.away = false;
  await clock.run(clock.now() + 11_000);
  await ingest.settled();
  assert.is(await count(index), 600 * RECORDS);
  assert.is(ingest.lost, 0);
  await clock.run(clock.now() + 11_000);
  await ingest.settled();
  assert.equal(await disk!.list('spool'), []);
  await ingest.close();
});

ingestion('without a disk what waits is bounded, and what is given up is counted', async () => {
  const { clock, index, device, ingest } = await open({ disk: null });
  index.away = true;
  const records = 9_500;
  for (let n = 0; n < records; n++) await device.publish('wind-turbine/logs/T-1', logMessage(n));
  await ingest.settled();
  assert.ok(ingest.lost > 0 && ingest.lost <= records * RECORDS - 90_000, String(ingest.lost));
  index.away = false;
  await clock.run(6_000);
  await ingest.settled();
  assert.is(await count(index), records * RECORDS - ingest.lost);
  await ingest.close();
});

ingestion('a full disk holds back the answer of QoS 1, and everything else goes on', async () => {
  const disk = memoryDisk();
  let isFull = false;
  const full: Disk = { ...disk, append: (...of) => (isFull ? Promise.reject(new Error('ENOSPC: no space left')) : disk.append(...of)) };
  const { device, index, ingest, clock } = await open({ disk: full });
  isFull = true;
  const refused = await device.publish('wind-turbine/logs/T-1', logMessage(0), { qos: 1 }).then(
    () => null,
    (error: Error) => error.message,
  );
  assert.match(String(refused), /could not be kept.*ENOSPC/);
  isFull = false;
  await device.publish('wind-turbine/logs/T-1', logMessage(0), { qos: 1 });
  await clock.run(6_000);
  await ingest.settled();
  assert.is(await count(index), RECORDS);
  await ingest.close();
});

ingestion('a segment that was cut short, or whose bytes changed, gives what is whole before that', async () => {
  const disk = memoryDisk();
  const spool = await openSpool(disk, silentLog);
  for (let n = 0; n < 10; n++)
    await spool.keep({ topic: `t/${n}`, payload: Buffer.from(`payload ${n}`), from: null, heardAt: n }, true).written;
  const [name] = await disk.list('spool');
  const whole = (await disk.read(`spool/${name}`))!;
  for (let length = 0; length <= whole.length; length += 7) {
    await disk.write(`spool/${name}`, whole.subarray(0, length));
    const again = await openSpool(disk, silentLog);
    const read = [];
    for (const segment of await again.cut()) for await (const message of again.read(segment)) read.push(message.topic);
    assert.equal(
      read,
      Array.from({ length: read.length }, (_, n) => `t/${n}`),
    );
    assert.ok(length < whole.length || read.length === 10);
  }
  const flipped = Uint8Array.from(whole);
  flipped[whole.length >> 1] ^= 1;
  await disk.write(`spool/${name}`, flipped);
  const again = await openSpool(disk, silentLog);
  let n = 0;
  for (const segment of await again.cut()) for await (const _ of again.read(segment)) n++;
  assert.ok(n < 10);
});

ingestion('captures that came while nobody listened are read at start; twice is once; a bad line is a letter', async () => {
  const objects = memoryObjects(() => 1_000_000);
  const good = (id: string) =>
    JSON.stringify({
      deviceFleetInputs: [
        { name: 'input', data: Buffer.alloc(24).toString('base64'), encoding: 'BASE64', observedContentType: 'Tensor[FLOAT32; 6]' },
      ],
      deviceFleetOutputs: [
        { name: 'output', data: Buffer.alloc(24).toString('base64'), encoding: 'BASE64', observedContentType: 'Tensor[FLOAT32; 6]' },
      ],
      eventMetadata: {
        deviceFleetName: 'farm',
        deviceId: 'T-1',
        eventId: id,
        inferenceTime: '2025-12-31T20:05:24',
        modelName: 'm',
        modelVersion: '1.0',
      },
      eventVersion: '0',
    });
  const ids = Array.from({ length: 3 }, (_, i) => `00000000-0000-4000-8000-00000000000${i}`);
  await objects.put(CAPTURE_BUCKET, 'farm/a.jsonl', Buffer.from(`${ids.map(good).join('\n')}\n${good(ids[0]).slice(0, 80)}\n`));
  await objects.put(CAPTURE_BUCKET, 'farm/b.txt', Buffer.from('not ours'));
  await objects.put(CAPTURE_BUCKET, 'farm/c.jsonl', Buffer.concat([Buffer.alloc(3 * 2 ** 20, 'x'), Buffer.from(`\n${good(ids[1])}`)]));
  const { ingest, index, disk } = await open({ objects });
  await ingest.settled();
  assert.is(await count(index, 'captures'), 3);
  const letters = ingest.list();
  assert.equal(letters.map(({ source }) => source.kind === 'object' && [source.key, source.line]).sort(), [
    ['farm/a.jsonl', 4],
    ['farm/c.jsonl', 1],
  ]);
  assert.ok(letters.some(({ reason }) => reason.includes('3145728 bytes')));

  ingest.objectCreated(objects, (await objects.head(CAPTURE_BUCKET, 'farm/a.jsonl'))!);
  await ingest.close();
  assert.is(await count(index, 'captures'), 3);
  assert.ok((await disk!.read('captures.json')) !== null);
});

ingestion('letters outlive the process, can be looked into, replayed once mended, and are bounded', async () => {
  const disk = memoryDisk();
  const first = await open({ disk });
  const record = JSON.parse(logMessage(0)).logs[0] as { ts: string; data: string[] };
  const bad = JSON.stringify({ logs: [{ ...record, data: record.data.slice(1) }, JSON.parse(logMessage(1)).logs[0]] });
  for (let twice = 0; twice < 2; twice++) await first.device.publish('wind-turbine/logs/T-1', bad, { qos: 1 });
  await first.device.publish('windfleet/T-1/verdict', '{"at":1}', { qos: 1 });
  const ahead = {
    at: first.clock.epoch + 2 * 86_400_000,
    model: 'm@1.0.0',
    anomalous: false,
    score: 1,
    worst: 'x',
    scores: { x: 1 },
    announced: false,
  };
  await first.device.publish('windfleet/T-1/verdict', JSON.stringify(ahead), { qos: 1 });
  await first.ingest.close();
  assert.is(first.ingest.counts().letters, 3, JSON.stringify(first.ingest.list()));
  assert.is(await count(first.index), 1, 'the good record of the bad message');

  const second = await open({ disk });
  const letters = second.ingest.list();
  assert.is(letters.length, 3);
  const short = letters.find(({ reason }) => reason.includes('19 values'))!;
  const { payload } = await second.ingest.show(short.id);
  assert.equal((JSON.parse(Buffer.from(payload).toString('utf8')) as { logs: unknown[] }).logs.length, 1);
  assert.match(JSON.stringify(await second.ingest.replay(short.id)), /19 values/);
  assert.is(second.ingest.counts().letters, 3);
  await second.ingest.show('nothing').then(
    () => assert.unreachable(),
    (error: unknown) => assert.instance(error, NotFound),
  );
  assert.ok(letters.some(({ reason }) => /clock is 48 hours ahead/.test(reason)));
  await second.ingest.close();

  const small = await openLetters(memoryDisk(), silentLog, { letters: 3, bytes: 1_000, payload: 400 });
  for (let i = 0; i < 10; i++)
    small.keep({ kind: 'message', topic: `t/${i}`, from: null, heardAt: 0 }, Buffer.alloc(i === 9 ? 500 : 10, i), 'no', i);
  assert.equal(
    small.list().map(({ source }) => source.kind === 'message' && source.topic),
    ['t/9', 't/8', 't/7'],
  );
  assert.equal([small.list()[0].isCut, small.list()[0].bytes], [true, 500]);
  assert.is(small.counts().pushedOut, 7);
});

ingestion('lines come whole however the bytes are cut', async () => {
  const text = 'one\n\ntwo\nthree\n';
  for (let size = 1; size < 8; size++) {
    async function* chunks() {
      for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size));
    }
    const lines = [];
    for await (const { number, bytes, isTooLong, length } of linesOf(chunks(), 4))
      lines.push([number, Buffer.from(bytes).toString(), isTooLong, length]);
    assert.equal(lines, [
      [1, 'one', false, 3],
      [3, 'two', false, 3],
      [4, 'thre', true, 5],
    ]);
  }
});

ingestion.run();
