/**
 * Devices of the original beside twins, against `windfleet up`: programs in Python with Debian's boto3, paho, requests and grpcio, and
 * nothing of ours but the addresses. Written from the facts of what those programs did (original-system.md §4–§7).
 *
 * | who | call | tried by |
 * |---|---|---|
 * | device | credentials provider, with and without `x-amzn-iot-thingname`, anew for every client | `device/cloud.py` |
 * | device | `SageMaker.DescribeDevice`, by its name or its uuid | `device/cloud.py` |
 * | device | `DescribeEndpoint` of `iot:Data-ATS`, then TLS to that host with its name checked | `device/cloud.py`, `device/ota.py` |
 * | device | MQTT by certificate: `jobs/get`, `jobs/<id>/get` without payload, `jobs/<id>/update`; notify, accepted, rejected subscribed | `device/ota.py` |
 * | device | `GetObject` of the package, path-style, temporary keys | `device/ota.py` |
 * | device | `iot-data` Publish to `wind-turbine/logs/<thing>`, again with new keys when refused | `device/cloud.py` |
 * | device | agent: ListModels, LoadModel, Predict, CaptureData, GetCaptureDataStatus | `device/agent.py` |
 * | device | agent: DescribeModel, UnLoadModel | `test/physical/agent-python.test.ts` |
 * | agent | credentials provider, `PutObject` of captures under the original's keys | this file |
 * | agent | GetDeviceRegistration, GetDeployments (and SendHeartbeat) | `test/cloud/aws-boto3.py` |
 * | notebooks | device fleet, role alias, thing group, thing, keys and certificate, policy, RegisterDevices, fleet report, endpoints | `provision.py` |
 * | notebooks | CreateJob on a thing group with `"model_version": "1.0"`, DescribeJob, DescribeJobExecution, ListJobExecutionsForJob | this file, by the aws CLI |
 * | Lambda | the rule's `msg_type` and `device_name`, capture files put: documents in two indexes | `expect.py` |
 * | people | both dashboards and the saved averages | `expect.py` |
 * | notebooks | training, compilation and packaging jobs | none: `train`, `model compile` and `model pack` stand for them |
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, type MqttClient } from 'mqtt';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TurbineView } from '../../actors/contracts/fleet-view.ts';
import { CAPTURE_BUCKET } from '../../actors/contracts/capture.ts';
import { MODEL_BUCKET } from '../../actors/contracts/objects.ts';
import { seedNetwork } from '../../cloud/studio/network-kinds.ts';
import { exportOnnx } from '../../cloud/studio/onnx.ts';
import { originalThresholds } from '../../cloud/studio/original.ts';
import { createRng } from '../../twins/rng.ts';
import { eventually, type FarmProcess, getJson, removeFolder, runCli, scratchFolder, startFarm } from '../kit/farm-process.ts';
import { agentStubs, originalFile, type Running, run, serialLines, startEdgeAgent } from '../kit/original-device.ts';
import { has, hasPython, python } from '../kit/programs.ts';

const original = suite('devices of the original');

const MODEL = 'WindTurbineAnomalyDetection';
const KEY = `${MODEL}/${MODEL}-1.0.0.tar.gz`;
const NEEDS = {
  boto3: 'boto3',
  'paho.mqtt.client': 'paho-mqtt',
  requests: 'requests',
  grpc: 'grpcio',
  grpc_tools: 'grpc-tools',
  numpy: 'numpy',
  pywt: 'pywt',
};
const isEquipped = Object.entries(NEEDS).every(([module, name]) => hasPython(module, `python3-${name}`)) && has('aws', 'awscli');
const test = isEquipped ? original : original.skip;

let folder: string;
let farm: FarmProcess;
let env: NodeJS.ProcessEnv;
const running: Running[] = [];
let listener: MqttClient | undefined;

/** A run of the CLI that must go well. */
async function windfleet(...args: string[]): Promise<string> {
  const { code, out, err } = await runCli(args);
  assert.is(code, 0, `${args.join(' ')}: ${err}`);
  return out;
}

async function aws(...words: string[]): Promise<Record<string, unknown>> {
  const program = existsSync('/usr/bin/aws') ? '/usr/bin/aws' : 'aws';
  const cli = run(program, ['--endpoint-url', farm.url, '--output', 'json', ...words], env);
  assert.is(await cli.ended, 0, cli.output().err);
  return cli.output().out.trim() === '' ? {} : (JSON.parse(cli.output().out) as Record<string, unknown>);
}

original.before(async () => {
  if (!isEquipped) return;
  folder = scratchFolder();
  const data = join(folder, 'data');
  const network = seedNetwork(6, 100, createRng(11));
  writeFileSync(
    join(folder, 'autoencoder.onnx'),
    exportOnnx(
      network,
      Float32Array.from(originalThresholds, ({ mae }) => mae),
      'as-trained',
    ),
  );
  await windfleet(
    'model',
    'pack',
    join(folder, 'autoencoder.onnx'),
    '--name',
    MODEL,
    '--version',
    '1.0.0',
    '--data',
    data,
    '--out',
    folder,
  );
  await windfleet('model', 'publish', join(folder, `${MODEL}-1.0.0.tar.gz`), '--data', data);
  await windfleet('data', 'record', '--turbines', '1', '--for', '40s', '--seed', '5', '--out', join(folder, 'recording.csv'));
  serialLines(readFileSync(join(folder, 'recording.csv'), 'utf8'), join(folder, 'lines.txt'));
  agentStubs(join(folder, 'stubs'));
  farm = await startFarm(data, ['--turbines', '2']);
  await windfleet('things', 'create', 'T-100', '--out', join(folder, 't-100'), '--cloud', farm.url);
  const owner = Object.fromEntries(
    [...(await windfleet('cloud', '--print-env', '--data', data)).matchAll(/^export (\w+)=(.*)$/gm)].map(([, name, value]) => [
      name,
      value,
    ]),
  );
  env = {
    PATH: process.env['PATH'],
    HOME: folder,
    TZ: 'UTC',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
    ...owner,
    AWS_DEFAULT_REGION: owner['AWS_REGION'],
    AWS_CA_BUNDLE: join(folder, 't-100/ca.pem'),
    REQUESTS_CA_BUNDLE: join(folder, 't-100/ca.pem'),
    MQTTS_PORT: farm.mqtts.split(':')[1],
    PYTHONPATH: join(folder, 'stubs'),
  };
});

original.after(async () => {
  listener?.end(true);
  for (const { child, ended } of running) {
    child.kill('SIGKILL');
    await ended;
  }
  if (!farm) return;
  await farm.stop();
  removeFolder(folder);
});

/** The keys of the cloud's owner are no device's. */
const deviceEnv = (more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv => {
  const { AWS_ACCESS_KEY_ID: _, AWS_SECRET_ACCESS_KEY: __, ...rest } = env;
  return { ...rest, ...more };
};

async function startAgent(name: string, config: string, flags: readonly string[] = []) {
  const agent = await startEdgeAgent(join(folder, `${name}-agent`), config, flags, deviceEnv());
  running.push(agent);
  return agent;
}

function startDevice(name: string, config: string, socket: string, args: readonly string[] = [], more: NodeJS.ProcessEnv = {}) {
  const program = [originalFile('launch.py'), originalFile('device/run.py'), config, socket, join(folder, `${name}-models`)];
  const device = run(python, [...program, join(folder, 'lines.txt'), ...args], deviceEnv(more));
  running.push(device);
  return device;
}

interface Said {
  readonly what: string;
  readonly value: unknown;
}
const journal = ({ output }: Running): Said[] =>
  output()
    .out.split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as Said);
const said = (device: Running, what: string) =>
  journal(device)
    .filter((one) => one.what === what)
    .map(({ value }) => value);

/** What was said in full, once the device has ended well. */
async function finished(name: string, device: Running): Promise<string> {
  const code = await device.ended;
  const { out, err } = device.output();
  assert.is(code, 0, `${name}: ${out.slice(-2_000)}\n${err}`);
  const file = join(folder, `${name}.jsonl`);
  writeFileSync(file, out);
  return file;
}

test('two of them, from credentials to captured metrics; one dies in the middle of its job and goes on', async () => {
  const provisioned = run(
    python,
    [originalFile('launch.py'), originalFile('provision.py'), join(folder, 'b'), 'edge-device-0', 'wind-turbine-farm-7', 'WindTurbineFarm'],
    env,
  );
  assert.is(await provisioned.ended, 0, provisioned.output().err);
  const { group_arn: group, ...config } = JSON.parse(provisioned.output().out) as Record<string, string>;
  writeFileSync(join(folder, 'b/config.json'), JSON.stringify(config));
  await aws('iot', 'add-thing-to-thing-group', '--thing-group-name', 'WindTurbineFarm', '--thing-name', 'T-100');
  const heard: string[] = [];
  listener = connect(`mqtt://${farm.mqtt}`);
  listener.on('message', (topic) => heard.push(topic));
  await listener.subscribeAsync('wind-turbine/logs/#');

  const configs = { a: join(folder, 't-100/sagemaker_edge_config.json'), b: join(folder, 'b/config.json') };
  const a = await startAgent('a', configs.a);
  const b = await startAgent('b', configs.b, ['--keys', join(folder, 't-100')]);
  const demo = startDevice('a', configs.a, a.socket, ['--samples', '545']);
  const dying = startDevice('b', configs.b, b.socket, ['--thing-header', 'edge-device-0'], { DIE_AT: 'tarfile.open' });
  await eventually(
    async () => [demo, dying].map((device) => said(device, 'connected').length),
    (connected) => connected.join() === '1,1',
  );
  assert.equal(said(demo, 'is'), [['T-100', '127.0.0.1']]);
  assert.equal(said(dying, 'is'), [['edge-device-0', '127.0.0.1']]);

  const document = {
    type: 'new_model',
    model_version: '1.0',
    model_name: MODEL,
    model_package_bucket: MODEL_BUCKET,
    model_package_key: KEY,
  };
  const text = JSON.stringify(document, null, 1);
  await aws('iot', 'create-job', '--job-id', 'a1b2', '--targets', group, '--document', text, '--target-selection', 'SNAPSHOT');
  assert.is(await dying.ended, 'SIGKILL');
  assert.equal(said(dying, 'reported'), ['IN_PROGRESS']);
  const left = (await aws('iot', 'describe-job-execution', '--job-id', 'a1b2', '--thing-name', 'edge-device-0'))['execution'];
  assert.is((left as { status: string }).status, 'IN_PROGRESS');
  const revived = startDevice('b', configs.b, b.socket, ['--thing-header', 'edge-device-0', '--samples', '536']);
  const journals = { a: await finished('a', demo), b: await finished('b', revived) };

  for (const device of [demo, revived]) {
    assert.equal(said(device, 'document'), [document], 'as it was written');
    assert.equal(said(device, 'reported'), ['IN_PROGRESS', 'SUCCEEDED']);
    assert.equal(said(device, 'loaded'), [`${MODEL}-1-0`]);
    const topics = said(device, 'heard');
    for (const topic of ['get/accepted', 'a1b2/get/accepted', 'a1b2/update/accepted']) assert.ok(topics.includes(topic), `${topics}`);
    assert.equal([...new Set(said(device, 'stored').flat())], ['SUCCESS'], `${a.output().err}${b.output().err}`);
  }
  const { executionSummaries } = await aws('iot', 'list-job-executions-for-job', '--job-id', 'a1b2');
  const statuses = (executionSummaries as { jobExecutionSummary: { status: string } }[]).map(
    ({ jobExecutionSummary }) => jobExecutionSummary.status,
  );
  assert.equal(statuses, ['SUCCEEDED', 'SUCCEEDED']);
  assert.is(((await aws('iot', 'describe-job', '--job-id', 'a1b2'))['job'] as { status: string }).status, 'COMPLETED');
  assert.is(heard.filter((topic) => topic === 'wind-turbine/logs/T-100').length, Math.floor(545 / 11));
  assert.is(heard.filter((topic) => topic === 'wind-turbine/logs/edge-device-0').length, Math.floor(536 / 11));

  const captured = await aws('s3api', 'list-objects-v2', '--bucket', CAPTURE_BUCKET, '--prefix', 'wind_turbine_data/wind-turbine-farm-7/');
  for (const { Key } of captured['Contents'] as { Key: string }[])
    assert.match(Key, new RegExp(`/${MODEL}-1-0/\\d{4}/\\d\\d/\\d\\d/\\d\\d/[0-9a-f]{32}\\.jsonl$`));

  const expected = run(python, [originalFile('expect.py'), farm.url, `T-100=${journals.a}`, `edge-device-0=${journals.b}`], env);
  assert.is(await expected.ended, 0, expected.output().err);
  assert.match(
    expected.output().out,
    /^ok T-100 539 records 45 captures [1-9]\d* anomalies\nok edge-device-0 528 records 36 captures [1-9]\d* anomalies\n$/,
  );

  const fleet = await getJson<TurbineView[]>(`${farm.url}/api/turbines`);
  assert.equal(
    fleet.map(({ thing, machine, backing }) => `${thing} ${machine} ${backing}`),
    ['T-001 desk-turbine twin', 'T-002 desk-turbine twin', 'T-100 desk-turbine original', 'edge-device-0 desk-turbine original'],
  );
  for (const [thing, device] of [
    ['T-100', demo],
    ['edge-device-0', revived],
  ] as const) {
    const shown = fleet.find((one) => one.thing === thing)!;
    const last = (said(device, 'logs').at(-1) as { data: string[] }[]).at(-1)!;
    assert.equal(Object.values(shown.channels), last.data.map(Number));
    assert.match(shown.state, /^inferring\.(healthy|suspect)$/);
    assert.is(shown.model, `${MODEL}-1-0@1.0.0`);
    const [, errors, flags] = said(device, 'captured').at(-1) as [string, number[], number[]];
    assert.is(shown.verdict?.anomalous, flags.includes(1));
    for (const [f, { feature, mae }] of originalThresholds.entries())
      assert.ok(Math.abs(shown.verdict!.scores[feature] - errors[f] / mae) < 1e-6, feature);
  }
});

original.run();
