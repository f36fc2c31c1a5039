import { randomUUID } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConfigInvalid, StoreUnavailable } from '../../actors/contracts/errors.ts';
import { silentLog } from '../../actors/contracts/log.ts';
import type { ObjectStore } from '../../actors/contracts/objects.ts';
import { memoryObjects } from '../../cloud/objects/memory.ts';
import { diskSink, objectSink } from '../../physical/agent/capture-sink.ts';
import { readCapture } from '../../physical/agent/capture-request.ts';
import { openCapture } from '../../physical/agent/capture.ts';
import { readAgentConfig } from '../../physical/agent/config.ts';
import { CaptureStatus, type WireCapture } from '../../physical/agent/protocol.ts';
import { memoryDisk } from '../../twins/disk.ts';
import { VirtualClock } from '../../twins/time/virtual-clock.ts';
import { BUCKET, captureRequest, floats, startTestAgent } from '../kit/agent.ts';
import { removeFolder } from '../kit/farm-process.ts';

const captures = suite('captures of the edge agent');

const wire = (request: object): WireCapture =>
  ({ inference_timestamp: null, inputs: [], outputs: [], ...request }) as unknown as WireCapture;

function buffer(objects: ObjectStore = memoryObjects(), settings = {}) {
  const clock = new VirtualClock();
  const { config } = readAgentConfig(JSON.stringify({ sagemaker_edge_core_device_name: 'jetson-1', ...settings }), 'c.json');
  const sink = objectSink(objects, BUCKET);
  const opened = openCapture({
    clock,
    log: silentLog,
    sink,
    settings: config.capture,
    device: 'jetson-1',
    fleet: 'farm',
    versionOf: () => null,
  });
  const submit = (request: object = captureRequest()) => {
    const capture = readCapture(wire(request), clock.epoch + clock.now());
    opened.submit(capture);
    return capture.id;
  };
  return { ...opened, clock, objects, submit, close: opened.close };
}

const text = async (objects: ObjectStore, key: string) => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of objects.get(BUCKET, key)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
};

captures('a store that is away for a moment costs none, however fast they come', async () => {
  const store = memoryObjects();
  let isAway = true;
  const put: ObjectStore['put'] = (...put) => (isAway ? Promise.reject(new Error('away')) : store.put(...put));
  const { submit, status, clock } = buffer({ ...store, put }, { sagemaker_edge_core_capture_data_buffer_size: 100 });

  const ids: string[] = [];
  for (let batch = 1; batch <= 5; batch++) {
    for (let n = 0; n < 10; n++) ids.push(submit());
    await clock.run(clock.now() + 100);
  }
  isAway = false;
  await clock.run(clock.now() + 4_000);

  assert.ok(ids.every((id) => status(id) === CaptureStatus.SUCCESS));
});

captures('are stored when ten wait, or after four seconds', async () => {
  const { submit, status, clock, objects } = buffer();

  const ids = Array.from({ length: 10 }, () => submit());
  await clock.run(0);
  assert.is((await objects.list(BUCKET)).length, 1);
  assert.ok(ids.every((id) => status(id) === CaptureStatus.SUCCESS));

  const late = submit();
  await clock.run(3_999);
  assert.is(status(late), CaptureStatus.IN_PROGRESS);
  await clock.run(4_000);
  assert.is(status(late), CaptureStatus.SUCCESS);
});

captures('lie under the original’s keys, in the original’s records', async () => {
  const { submit, clock, objects } = buffer();

  const id = submit({ ...captureRequest(), inference_timestamp: { seconds: 1_685_563_524, nanos: 500_000_000 } });
  await clock.run(4_000);

  const [{ key }] = await objects.list(BUCKET);
  assert.match(key, /^wind_turbine_data\/farm\/WindTurbineAnomalyDetection-1-0\/2023\/05\/31\/20\/[0-9a-f]{32}\.jsonl$/);
  const record = JSON.parse((await text(objects, key)).trimEnd());
  assert.equal(record, {
    deviceFleetInputs: [
      {
        data: Buffer.from(Float32Array.of(0.1, 0.2, 0.3, 0.4, 0.5, 0.6).buffer).toString('base64'),
        encoding: 'BASE64',
        mode: 'Input',
        name: 'input',
        observedContentType: 'Tensor[FLOAT32; 6]',
      },
    ],
    deviceFleetOutputs: [
      {
        data: Buffer.from(Float32Array.of(0, 0, 0, 0, 1, 1).buffer).toString('base64'),
        encoding: 'BASE64',
        mode: 'Output',
        name: 'output',
        observedContentType: 'Tensor[FLOAT32; 6]',
      },
    ],
    deviceFleetAuxiliaryInputs: [],
    deviceFleetAuxiliaryOutputs: [],
    eventMetadata: {
      deviceFleetName: 'farm',
      deviceId: 'jetson-1',
      eventId: id,
      inferenceTime: '2023-05-31T20:05:24',
      modelName: 'WindTurbineAnomalyDetection-1-0',
      modelVersion: '1.0',
    },
    eventVersion: '0',
  });
});

captures('what is longer than 3072 bytes lies beside its record', async () => {
  const { submit, clock, objects } = buffer();

  submit({
    ...captureRequest(),
    input_tensors: [floats('short', [768], new Array(768).fill(1)), floats('long', [769], new Array(769).fill(2))],
    inputs: [{ name: 'note', encoding: 1, byte_data: Buffer.from('{"a":1}') }],
  });
  await clock.run(4_000);

  const keys = (await objects.list(BUCKET)).map(({ key }) => key);
  const raw = keys.find((key) => key.includes('/raw-data/'));
  const [short, long] = JSON.parse(await text(objects, keys.find((key) => key.endsWith('.jsonl'))!)).deviceFleetInputs;
  assert.ok(short.data);
  assert.is(long.data, undefined);
  assert.is(long['data-ref'], `s3://${BUCKET}/${raw}`);
  assert.is((await objects.head(BUCKET, raw!))?.bytes, 3_076);
});

captures('a full buffer and a used id are refused, whatever the store does', async () => {
  const hanging = { ...memoryObjects(), put: () => new Promise<never>(() => {}) };
  const { submit, clock } = buffer(hanging);

  const ids = Array.from({ length: 30 }, () => submit());
  await clock.run(10_000);

  assert.throws(() => submit(), /RESOURCE_EXHAUSTED|buffer is full: 30/);
  assert.throws(() => submit(captureRequest(ids[0].toUpperCase())), /was used before/);
});

captures('a batch that the store does not take is tried three times, then FAILURE; the next one is stored', async () => {
  let broken = true;
  let tries = 0;
  const memory = memoryObjects();
  const objects: ObjectStore = {
    ...memory,
    put(...parts) {
      tries++;
      return broken ? Promise.reject(new StoreUnavailable('the disk is full')) : memory.put(...parts);
    },
  };
  const { submit, status, clock, close } = buffer(objects);

  const lost = submit();
  await clock.run(4_000);
  assert.is(status(lost), CaptureStatus.IN_PROGRESS);
  await clock.run(12_000);
  assert.is(status(lost), CaptureStatus.FAILURE);
  assert.is(tries, 3);

  const retried = submit();
  await clock.run(16_000);
  broken = false;
  await clock.run(20_000);
  assert.is(status(retried), CaptureStatus.SUCCESS);

  const last = submit();
  await close();
  assert.is(status(last), CaptureStatus.SUCCESS);
  assert.throws(() => submit(), /ending/);
});

captures('what is wrong is named', () => {
  const now = 1_700_000_000_000;
  const read = (change: object) => () => readCapture(wire({ ...captureRequest(), ...change }), now);
  const cases: [object, RegExp][] = [
    [{ capture_id: 'not-a-uuid' }, /"not-a-uuid" is no UUID/],
    [{ capture_id: '' }, /"" is no UUID/],
    [{ model_name: '../x' }, /no name of a model/],
    [{ inference_timestamp: { seconds: 1_700_000_002, nanos: 0 } }, /in the future/],
    [{ inference_timestamp: { seconds: 9e18, nanos: 0 } }, /in the future/],
    [{ inference_timestamp: { seconds: -1, nanos: 0 } }, /no time since 1970/],
    [{ inference_timestamp: { seconds: 1, nanos: 1e9 } }, /no time since 1970/],
    [{ input_tensors: [], output_tensors: [] }, /nothing to capture/],
    [{ input_tensors: [{ ...floats('input', [6], [1]) }] }, /"input" \[6\] FLOAT32 wants 24 bytes, got 4/],
    [{ input_tensors: [floats('', [1], [1])] }, /name of 0 characters/],
    [{ input_tensors: [floats('in\uFFFDput', [1], [1])] }, /not UTF-8/],
    [{ input_tensors: [floats('x', [-1], [1])] }, /dimension 0 is -1/],
    [{ input_tensors: [floats('x', [2147483647, 2147483647, 2147483647], [1])] }, /wants/],
    [{ input_tensors: [{ tensor_metadata: null, byte_data: Buffer.alloc(4) }] }, /input tensor 0 has no metadata/],
    [{ input_tensors: [{ tensor_metadata: { name: 'x', data_type: 5, shape: [1] }, shared_memory_handle: {} }] }, /in byte_data/],
    [{ input_tensors: new Array(65).fill(floats('x', [1], [1])) }, /66 tensors/],
    [{ inputs: [{ name: 'x', encoding: 3, byte_data: Buffer.from('§') }] }, /says BASE64 and is not/],
    [{ inputs: [{ name: 'x', encoding: 1, byte_data: Buffer.from([0xff]) }] }, /says JSON and is not UTF-8/],
    [{ inputs: [{ name: 'x', encoding: 9, byte_data: Buffer.alloc(1) }] }, /unknown encoding 9/],
  ];
  for (const [change, words] of cases) assert.throws(read(change), words);
});

captures('over the socket: taken, asked for, refused by status, and stored when the agent ends', async () => {
  const { agent, ask, objects, close, folder } = await startTestAgent();
  const id = randomUUID();

  assert.is((await ask('CaptureData', captureRequest(id))).code, 'OK');
  assert.is((await ask('CaptureData', captureRequest(id))).code, 'ALREADY_EXISTS');
  assert.is((await ask('CaptureData', captureRequest('7'))).code, 'INVALID_ARGUMENT');
  const future = { seconds: Math.floor(Date.now() / 1_000) + 3_600, nanos: 0 };
  assert.is((await ask('CaptureData', { ...captureRequest(), inference_timestamp: future })).code, 'OUT_OF_RANGE');
  assert.equal((await ask('GetCaptureDataStatus', { capture_id: id })).value, { status: CaptureStatus.IN_PROGRESS });
  assert.is((await ask('GetCaptureDataStatus', { capture_id: randomUUID() })).code, 'NOT_FOUND');
  assert.is((await ask('GetCaptureDataStatus', { capture_id: 'x' })).code, 'INVALID_ARGUMENT');

  close();
  await agent.close();
  const [{ key }] = await objects.list(BUCKET);
  assert.is(JSON.parse(await text(objects, key)).eventMetadata.eventId, id);
  removeFolder(folder);
});

captures('without a store they are refused by status', async () => {
  const { agent, ask, close, folder } = await startTestAgent({ sink: null });
  assert.is((await ask('CaptureData', captureRequest())).code, 'FAILED_PRECONDITION');
  close();
  await agent.close();
  removeFolder(folder);
});

captures('to disk they have the same names', async () => {
  const disk = memoryDisk();
  const sink = diskSink(disk, '/var/captures');
  await sink.put('a/b/raw-data/c', Buffer.from('x'));
  assert.equal(await disk.list('a/b/raw-data'), ['c']);
  assert.is(sink.addressOf('a/b/raw-data/c'), 'file:///var/captures/a/b/raw-data/c');
});

captures('the configuration: old and new names of the device, unknown keys, and every wrong one named', () => {
  const read = (keys: object) => readAgentConfig(JSON.stringify(keys), 'agent.json');
  assert.is(read({ sagemaker_edge_core_device_uuid: 'old' }).config.device, 'old');
  assert.is(read({ sagemaker_edge_core_device_uuid: 'old', sagemaker_edge_core_device_name: 'new' }).config.device, 'new');
  assert.equal(read({ sagemaker_edge_core_capture_data_periodic_upload: true }).warnings, [
    'agent.json: sagemaker_edge_core_capture_data_periodic_upload is no key of this agent; it is left alone',
  ]);
  assert.equal(read({}).config.capture, {
    destination: 'Disk',
    diskPath: null,
    bucket: BUCKET,
    prefix: 'wind_turbine_data',
    bufferSize: 30,
    batchSize: 10,
    pushMs: 4_000,
    embedLimit: 3_072,
  });
  try {
    read({
      sagemaker_edge_core_capture_data_destination: 'Moon',
      sagemaker_edge_core_folder_prefix: 'a/../../b',
      sagemaker_edge_provider_s3_bucket_name: 'my-bucket',
      sagemaker_edge_core_capture_data_buffer_size: '30',
      sagemaker_edge_core_device_name: 'a/b',
    });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, ConfigInvalid);
    for (const key of ['destination', 'folder_prefix', 's3_bucket_name', 'buffer_size', 'device_name'])
      assert.match(String(error), new RegExp(`agent.json: sagemaker_edge_\\S*${key}: `));
  }
  assert.throws(() => readAgentConfig('{\n  "a": 1,\n  b\n}', 'agent.json'), /agent\.json:3:3: /);
  assert.throws(() => readAgentConfig('[]', 'agent.json'), /agent\.json: \(all\): /);
});

captures.run();
