import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CAPTURE_BUCKET } from '../../actors/contracts/capture.ts';
import type { Disk } from '../../actors/contracts/disk.ts';
import { NotFound, StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { DocumentIndex } from '../../actors/contracts/index.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import { memoryBroker } from '../../cloud/bus/memory.ts';
import { memoryIndex } from '../../cloud/index/memory.ts';
import { openLetters } from '../../cloud/ingest/letters.ts';
import { linesOf } from '../../cloud/ingest/lines.ts';
import { type IngestPorts, startIngest } from '../../cloud/ingest/pipeline.ts';
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
  const clock = new VirtualClock();
  const spool = await openSpool(disk, clock, silentLog);
  for (let n = 0; n < 10; n++) await spool.keep({ topic: `t/${n}`, payload: Buffer.from(`payload ${n}`), from: null, heardAt: n }, true);
  const [name] = await disk.list('spool');
  const whole = (await disk.read(`spool/${name}`))!;
  for (let length = 0; length <= whole.length; length += 7) {
    await disk.write(`spool/${name}`, whole.subarray(0, length));
    const again = await openSpool(disk, clock, silentLog);
    const read = [];
    for await (const message of again.read(await again.cut())) read.push(message.topic);
    assert.equal(
      read,
      Array.from({ length: read.length }, (_, n) => `t/${n}`),
    );
    assert.ok(length < whole.length || read.length === 10);
  }
  const flipped = Uint8Array.from(whole);
  flipped[whole.length >> 1] ^= 1;
  await disk.write(`spool/${name}`, flipped);
  const again = await openSpool(disk, clock, silentLog);
  let n = 0;
  for await (const _ of again.read(await again.cut())) n++;
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
  assert.ok(letters.some(({ reason }) => reason.includes('longer than')));

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
    for await (const { number, bytes, isTooLong } of linesOf(chunks(), 4)) lines.push([number, Buffer.from(bytes).toString(), isTooLong]);
    assert.equal(lines, [
      [1, 'one', false],
      [3, 'two', false],
      [4, 'thre', true],
    ]);
  }
});

ingestion.run();
