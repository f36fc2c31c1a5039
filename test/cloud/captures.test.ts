import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CAPTURE_POLICY, fleetCapture } from '../../actors/capture.ts';
import { CAPTURE_BUCKET, CAPTURE_PREFIX } from '../../actors/contracts/capture.ts';
import { StoreUnavailable } from '../../actors/contracts/errors.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import type { ObjectStore } from '../../actors/contracts/objects.ts';
import { captureDocument } from '../../cloud/ingest/captures.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { memoryWorld } from '../kit/memory-world.ts';
import { starter } from '../kit/packages.ts';

const captures = suite('captures of a fleet');

const { manifest } = starter('1.0.0');
const names = manifest.signal.features.map(({ name }) => name);

const read = async (objects: ObjectStore, key: string) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of objects.get(CAPTURE_BUCKET, key)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
};

/** @param bad features whose score is 2 rather than 0.5 */
const verdict = (at: number, bad: readonly string[] = []) => ({
  at,
  model: 'windturbine-anomaly@1.0.0',
  anomalous: bad.length > 0,
  score: bad.length > 0 ? 2 : 0.5,
  worst: bad[0] ?? names[0],
  scores: Object.fromEntries(names.map((name) => [name, bad.includes(name) ? 2 : 0.5])),
});

const open = (objects: ObjectStore, clock = new VirtualClock()) => ({
  clock,
  capture: fleetCapture({ clock, log: silentLog, objects, bucket: CAPTURE_BUCKET, prefix: CAPTURE_PREFIX }),
});

captures('in a farm: sampled and anomalous windows are stored, and are numbers by turbine in the index', async () => {
  const world = await memoryWorld({ seed: 3, twins: 2 });
  world.faults.inject('T-001', { fault: 'bearing-wear', severity: 0.9, over: 0 });
  await world.clock.run(180_000);
  await world.ingest.settled();

  const objects = await world.objects.list(CAPTURE_BUCKET);
  assert.ok(objects.length > 0);
  for (const { key } of objects)
    assert.match(key, /^wind_turbine_data\/windturbine-farm\/windturbine-anomaly\/2026\/01\/01\/00\/[0-9a-f]{32}\.jsonl$/);
  const count = await world.index.aggregate({ index: 'captures', by: ['deviceId'], agg: 'count' });
  assert.equal(
    count.map(({ by }) => by['deviceId']),
    ['T-001', 'T-002'],
  );
  assert.ok(count[0].value > count[1].value, 'every anomalous window, and few of the others');
  assert.ok(count[1].value >= 2 && count[1].value <= 180 / 5 / CAPTURE_POLICY.everyNth + 1);

  for (const name of names) {
    const [worn, sound] = await world.index.aggregate({ index: 'captures', by: ['thing'], agg: 'mean', field: `mean_pred_${name}` });
    assert.ok(worn.value > 0 && sound.value > 0, name);
  }
  const anomalies = await world.index.aggregate({ index: 'captures', by: ['thing'], agg: 'max', field: 'anomaly_voltage_by_wind' });
  assert.ok(anomalies.every(({ value }) => value === 0 || value === 1));
  const [latest] = await world.index.latest('captures', { thing: 'T-001', limit: 1 });
  assert.ok(latest.at > world.clock.epoch && latest.at <= world.clock.epoch + 180_000, 'the device’s own time');

  const [{ key }] = objects;
  const before = await world.index.aggregate({ index: 'captures', by: [], agg: 'count' });
  world.ingest.objectCreated(world.objects, objects[0]);
  await world.ingest.settled();
  assert.equal(await world.index.aggregate({ index: 'captures', by: [], agg: 'count' }), before, `${key} again changes nothing`);
  await world.close();
});

captures('a replay stores the same objects, byte for byte', async () => {
  const runs: (readonly string[])[] = [];
  for (let i = 0; i < 2; i++) {
    const world = await memoryWorld({ seed: 8, twins: 2 });
    await world.clock.run(120_000);
    await world.close();
    runs.push((await world.objects.list(CAPTURE_BUCKET)).map(({ key, sha256 }) => `${key} ${sha256}`));
  }
  assert.ok(runs[0].length > 0);
  assert.equal(runs[0], runs[1]);
});

captures('a record holds the errors, their thresholds taken out, and the anomalies', async () => {
  const objects = memoryObjects();
  const { capture, clock } = open(objects);

  capture.judged('T-001', verdict(1_000, [names[2]]), manifest);
  await clock.run(CAPTURE_POLICY.pushMs);

  const [{ key }] = await objects.list(CAPTURE_BUCKET);
  const lines = (await read(objects, key)).trimEnd().split('\n');
  assert.is(lines.length, 1);
  const { document } = captureDocument(lines[0]);
  assert.is(document.at, clock.epoch + 1_000);
  assert.is(document['model'], 'windturbine-anomaly@1.0.0');
  assert.is(document['anomalous'], true);
  for (const [f, name] of names.entries()) {
    const error = (f === 2 ? 2 : 0.5) * manifest.thresholds[f].mae;
    assert.ok(Math.abs((document[`mean_pred_${name}`] as number) - error) < 1e-6 * error, name);
    assert.is(document[`anomaly_${name}`], f === 2 ? 1 : 0);
  }
});

captures('a store that is away for a while loses nothing; one that stays away does not fill the memory', async () => {
  let away = true;
  const memory = memoryObjects();
  const objects: ObjectStore = {
    ...memory,
    put: (...parts) => (away ? Promise.reject(new StoreUnavailable('gone')) : memory.put(...parts)),
  };
  const { capture, clock } = open(objects);

  capture.judged('T-001', verdict(1_000, ['voltage_by_wind']), manifest);
  await clock.run(CAPTURE_POLICY.pushMs);
  away = false;
  await clock.run(2 * CAPTURE_POLICY.pushMs);
  assert.is(capture.stored, 1);
  assert.is(capture.dropped, 0);

  away = true;
  for (let i = 0; i < CAPTURE_POLICY.buffer + 500; i++)
    capture.judged('T-001', verdict(100_000 + i * 1_000, ['voltage_by_wind']), manifest);
  assert.is(capture.dropped, 500);
  await clock.run(100 * CAPTURE_POLICY.pushMs);
  assert.is(capture.stored + capture.dropped, CAPTURE_POLICY.buffer + 501);
  await capture.close();
});

captures('what waits is stored at the end', async () => {
  const objects = memoryObjects();
  const { capture } = open(objects);
  for (let i = 0; i < 250; i++) capture.judged('T-001', verdict(i * 5_000, ['voltage_by_wind']), manifest);
  await capture.close();
  assert.is(capture.stored, 250);
});

captures('a bad line says what is wrong with it', async () => {
  const objects = memoryObjects();
  const { capture } = open(objects);
  capture.judged('T-001', verdict(1_000), manifest);
  await capture.close();
  const good = (await read(objects, (await objects.list(CAPTURE_BUCKET))[0].key)).trimEnd();
  const record = JSON.parse(good);
  const change = (part: object) => JSON.stringify({ ...record, ...part });
  const original = { ...record.deviceFleetInputs[0], data: Buffer.alloc(24).toString('base64'), observedContentType: 'Tensor[float32; 6]' };
  const bad: [string, RegExp][] = [
    ['{', /JSON/],
    ['[]', /no JSON object/],
    ['{"__proto__":{"x":1}}', /__proto__ is no name/],
    [good.replace('{"', '{"eventVersion":"0","'), /there twice/],
    [good.slice(0, good.length >> 1), /JSON/],
    [change({ eventVersion: '1' }), /eventVersion/],
    [change({ eventMetadata: { ...record.eventMetadata, deviceId: '../x' } }), /no name of a thing/],
    [change({ eventMetadata: { ...record.eventMetadata, inferenceTime: 'yesterday' } }), /is no time/],
    [change({ eventMetadata: { ...record.eventMetadata, eventId: '7' } }), /eventId/],
    [change({ deviceFleetInputs: [] }), /no tensor input/],
    [change({ deviceFleetInputs: [{ ...record.deviceFleetInputs[0], data: 'AAAA' }] }), /has 3 bytes/],
    [change({ deviceFleetInputs: [{ ...record.deviceFleetInputs[0], data: undefined }] }), /no tensor of float32/],
    [change({ deviceFleetInputs: [{ ...record.deviceFleetInputs[0], observedContentType: 'Tensor[INT8; 16]' }] }), /no tensor of float32/],
    [
      change({ deviceFleetInputs: [{ ...record.deviceFleetInputs[0], data: Buffer.alloc(4 * names.length, 0xff).toString('base64') }] }),
      /no number/,
    ],
    [change({ deviceFleetAuxiliaryInputs: [] }), /of 0 named features/],
    [
      change({
        deviceFleetAuxiliaryInputs: [{ ...record.deviceFleetAuxiliaryInputs[0], data: [...names.slice(0, -1), names[0]].join(',') }],
      }),
      /is there twice/,
    ],
    [
      change({ deviceFleetAuxiliaryInputs: [{ ...record.deviceFleetAuxiliaryInputs[0], data: `${names.join(',')}"` }] }),
      /no name of a feature/,
    ],
  ];

  assert.is(captureDocument(good).document.thing, 'T-001');
  for (const [line, words] of bad)
    assert.throws(
      () => captureDocument(line),
      (error: Error) => words.test(error.message),
      line,
    );

  const ofOriginal = change({
    deviceFleetInputs: [original],
    deviceFleetOutputs: [{ ...original, name: 'output' }],
    deviceFleetAuxiliaryInputs: [],
  });
  const { document } = captureDocument(ofOriginal);
  assert.is(document['mean_pred_wind_speed_rps'], 0, 'six values without names are the original’s');
});

captures.run();
