import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { unpackTar } from '../../actors/package/tar.ts';
import { packModel } from '../../actors/package/package.ts';
import { openKey } from '../../cloud/models/keys.ts';
import { unpackInto } from '../kit/agent.ts';
import { CLI, removeFolder, scratchFolder } from '../kit/farm-process.ts';
import { packageRoot } from '../kit/package-root.ts';
import { starter } from '../kit/packages.ts';
import { hasPython, python } from '../kit/programs.ts';

const clients = suite('clients of the edge agent in Python');

const PREFIX = 'capture_prefix';

/** `windfleet agent` in a process of its own. */
async function startAgent(folder: string, flags: readonly string[] = []) {
  const socket = join(folder, 'edge_agent');
  const child = spawn(process.execPath, [CLI, 'agent', '--socket', socket, '--data', join(folder, 'data'), ...flags], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  let log = '';
  const ended = new Promise<number | null>((done) => child.on('close', done));
  child.stderr.on('data', (chunk) => (log += chunk));
  await new Promise<void>((ready, failed) => {
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.includes('Ctrl-C')) ready();
    });
    void ended.then((code) => failed(new Error(`the agent ended with ${code}:\n${output}${log}`)));
  });
  const stop = () => {
    child.kill('SIGINT');
    return ended;
  };
  return { socket, stop, log: () => log };
}

const hasGrpc = hasPython('grpc', 'python3-grpcio') && hasPython('grpc_tools', 'python3-grpc-tools');
const test = hasGrpc ? clients : clients.skip;

for (const variant of ['string', 'bytes'] as const) {
  test(`stubs from our file (names as ${variant}): load, list, describe, predict, capture, status, unload`, async () => {
    const folder = scratchFolder();
    const { manifest, network, golden } = starter();
    unpackInto(
      join(folder, 'models/one'),
      unpackTar(packModel({ manifest, network, golden }, openKey(join(folder, 'data')).privateKey).bytes),
    );
    writeFileSync(join(folder, 'windows.json'), JSON.stringify(golden.windows));
    const config = {
      sagemaker_edge_core_device_name: 'jetson-nano-1',
      sagemaker_edge_core_device_fleet_name: 'wind-turbine-farm',
      sagemaker_edge_core_folder_prefix: PREFIX,
      sagemaker_edge_core_capture_data_destination: 'Disk',
      sagemaker_edge_core_capture_data_disk_path: join(folder, 'captured'),
      sagemaker_edge_core_capture_data_push_period_seconds: 1,
    };
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
    const proto = readFileSync(join(packageRoot(), 'physical/agent/agent.proto'), 'utf8');
    mkdirSync(join(folder, 'stubs'));
    writeFileSync(
      join(folder, 'stubs/agent.proto'),
      variant === 'string'
        ? proto
        : proto.replace('string name = 1;\n  DataType data_type = 2;', 'bytes name = 1;\n  DataType data_type = 2;'),
    );
    const stubs = join(folder, 'stubs');
    const made = spawnSync(python, [
      '-m',
      'grpc_tools.protoc',
      `-I${stubs}`,
      `--python_out=${stubs}`,
      `--grpc_python_out=${stubs}`,
      'agent.proto',
    ]);
    assert.is(made.status, 0, String(made.stderr));

    const agent = await startAgent(folder, ['--config', 'config.json']);
    const script = join(packageRoot(), 'test/physical/agent-client.py');
    const run = await runPython([script, stubs, agent.socket, 'models/one', join(folder, 'windows.json')]);
    const said = new Map<string, unknown[]>();
    for (const { what, value } of run) said.set(what, [...(said.get(what) ?? []), value]);

    const names = ['WindTurbineAnomalyDetection-1-0', 'WindTurbineAnomalyDetection-2-0'];
    assert.equal(said.get('models at start'), [0]);
    assert.equal(said.get('models'), [names]);
    assert.equal(said.get('described'), [['models/one', ['input0'], ['reconstruction', 'scores']]]);
    for (const [i, maes] of said.get('maes')!.entries())
      for (const [f, mae] of (maes as number[]).entries()) {
        const score = mae / manifest.thresholds[f].mae;
        assert.ok(
          Math.abs(score - golden.scores[i][f]) < 1e-3 * Math.max(1, score),
          `window ${i}, feature ${f}: ${score}, not ${golden.scores[i][f]}`,
        );
      }
    const [captureId, first, last] = said.get('capture')![0] as string[];
    assert.is(first, 'IN_PROGRESS');
    assert.is(last, 'SUCCESS');
    assert.match(String(said.get('again')), /^ALREADY_EXISTS: /);
    assert.match(String(said.get('absent')), /^NOT_FOUND: nothing lies at/);
    assert.match(String(said.get('short')), /^INVALID_ARGUMENT: input-size mismatch/);
    assert.equal(said.get('unloaded'), ['OK']);
    assert.equal(said.get('models at end'), [[names[0]]]);

    const [file] = filesBelow(join(folder, 'captured'));
    assert.match(
      relative(join(folder, 'captured'), file),
      new RegExp(`^${PREFIX}/wind-turbine-farm/${names[1]}/\\d{4}/\\d\\d/\\d\\d/\\d\\d/[0-9a-f]{32}\\.jsonl$`),
    );
    const { eventMetadata } = JSON.parse(readFileSync(file, 'utf8'));
    assert.is(eventMetadata.eventId, captureId);
    assert.is(eventMetadata.deviceId, 'jetson-nano-1');
    assert.is(eventMetadata.modelVersion, '1.1.0');

    assert.is(await agent.stop(), 130);
    assert.match(agent.log(), /^\{"version":"[\d.]+"\}\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\]\[I\] model loaded/m);
    removeFolder(folder);
  });
}

function runPython(args: readonly string[]): Promise<{ what: string; value: unknown }[]> {
  const child = spawn(python, args);
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  return new Promise((done, failed) =>
    child.on('close', (code) => {
      if (code !== 0) failed(new Error(`the client ended with ${code}:\n${out}${err}`));
      else
        done(
          out
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line)),
        );
    }),
  );
}

function filesBelow(folder: string): string[] {
  return spawnSync('find', [folder, '-type', 'f', '-name', '*.jsonl']).stdout.toString().trim().split('\n');
}

clients.run();
