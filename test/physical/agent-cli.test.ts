import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CLI, removeFolder, runCli, scratchFolder } from '../kit/farm-process.ts';

const commands = suite('windfleet agent and --inference');

commands('a farm in one process, its model in another: the agent’s, found by its socket and trusted by its key', async () => {
  const folder = scratchFolder();
  const data = join(folder, 'data');
  const socket = join(folder, 'agent');
  await runCli(['keys', 'init', '--data', data]);
  const agent = spawn(process.execPath, [CLI, 'agent', '--socket', socket, '--data', data], { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  agent.stderr.on('data', (chunk) => (log += chunk));
  const ended = new Promise<number | null>((done) => agent.on('close', done));
  await new Promise<void>((ready) => agent.stdout.on('data', (chunk) => String(chunk).includes('Ctrl-C') && ready()));

  const second = await runCli(['agent', '--socket', socket, '--data', data]);
  assert.is(second.code, 4);
  assert.match(second.err, /another agent answers on .*\n.*--socket/);

  const farm = ['up', '--data', data, '--port', '0', '--mqtt-port', '0', '--turbines', '2', '--speed', 'max', '--for', '1m', '--json'];
  const { code, out, err } = await runCli([...farm, '--inference', `agent:${socket}`]);
  assert.is(code, 0, err);
  assert.ok(JSON.parse(out).windows > 0);

  agent.kill('SIGTERM');
  assert.is(await ended, 143);
  assert.ok(Number(/predictions=(\d+)/.exec(log)?.[1]) >= JSON.parse(out).windows, log);

  const alone = await runCli([...farm, '--inference', `agent:${socket}`]);
  assert.is(alone.code, 5);
  assert.match(alone.err, /is it running\? windfleet agent --socket/);
  removeFolder(folder);
});

commands('what is wrong is said, with the exit code of its kind', async () => {
  const folder = scratchFolder();
  writeFileSync(join(folder, 'bad.json'), '{"sagemaker_edge_core_capture_data_batch_size": "many"}');
  writeFileSync(join(folder, 'broken.json'), '{\n"a": 1');
  writeFileSync(join(folder, 'windfleet.config.yaml'), 'inference: { kind: agent }');
  const cases: [string[], number, RegExp][] = [
    [['agent', '--config', 'none.json'], 3, /none\.json cannot be read/],
    [['agent', '--config', 'bad.json'], 3, /bad\.json: sagemaker_edge_core_capture_data_batch_size: /],
    [['agent', '--config', 'broken.json'], 3, /broken\.json:2:7: /],
    [['agent', '--keys', 'nowhere'], 3, /keys in nowhere cannot be read/],
    [['agent', '--memory', 'much'], 2, /--memory much/],
    [['agent', '--cloud', 'here'], 2, /--cloud wants an address/],
    [['agent', '--socket', join(folder, 'x'.repeat(120))], 2, /longer than a socket's may be/],
    [['agent', '--socket', join(folder, 'no/where')], 4, /no socket can be made/],
    [['agent', '--socket', 'bad.json'], 4, /is no socket/],
    [['up'], 3, /windfleet\.config\.yaml:\d+:\d+: inference: .* is neither onnx nor agent:/],
    [['up', '--inference', 'grpc'], 3, /--inference: inference: "grpc" is neither/],
    [['up', '--profile', 'memory', '--inference', 'agent:/x'], 3, /memory profile/],
    [['edge', '--thing', 'T-1', '--serial', '/dev/null', '--inference', 'agent:'], 2, /--inference: "agent:" is neither/],
  ];

  for (const [args, exit, words] of cases) {
    const { code, err } = await runCli(args, { cwd: folder });
    assert.is(code, exit, `${args.join(' ')}: ${err}`);
    assert.match(err, words);
  }
  removeFolder(folder);
});

commands.run();
