import { spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { TrainingReport } from '../../../actors/contracts/trainings.ts';
import { writePrepared } from '../../../cloud/studio/files.ts';
import { CHECKPOINT } from '../../../cloud/studio/train-checkpoint.ts';
import { CLI, eventually, removeFolder, runCli, scratchFolder } from '../../kit/farm-process.ts';
import { freePort } from '../../kit/free-port.ts';
import { waves } from '../../kit/waves.ts';

const train = suite('train command');

const folder = scratchFolder();
const prepared = join(folder, 'prepared');
const small = ['--hidden', '12,4,12', '--batch', '20'];
const network = (out: string) => readFileSync(join(folder, out, 'compiled.onnx')).toString('base64');

train.before(() => writePrepared(prepared, waves()));
train.after(() => removeFolder(folder));

train('prints one JSON value, and the same bytes whatever the number of workers', async () => {
  const run = (out: string, workers: string) =>
    runCli(['train', prepared, '--out', join(folder, out), ...small, '--epochs', '3', '--workers', workers, '--json']);
  const [one, two] = [await run('one', '1'), await run('two', '2')];

  assert.is(one.code, 0, one.err);
  const facts = JSON.parse(one.out);
  assert.is(facts.model, 'windturbine-anomaly@2.0.0');
  assert.is(facts.epochs, 3);
  assert.is(facts.macs, 2 * 40 * 12 + 2 * 12 * 4);
  assert.equal(
    facts.thresholds.map(({ feature }: { feature: string }) => feature),
    ['f0', 'f1'],
  );
  assert.is(two.code, 0, two.err);
  assert.is(network('one'), network('two'));
  assert.match(readFileSync(join(folder, 'one', 'MODEL_CARD.md'), 'utf8'), /# windturbine-anomaly 2\.0\.0/);
  assert.not(existsSync(join(folder, 'one', CHECKPOINT)));
});

train('Ctrl-C exports the best so far and exits 130; --resume goes on to the same bytes', async () => {
  const flags = [...small, '--epochs', '1500', '--patience', '1500', '--seed', '3'];
  const whole = await runCli(['train', prepared, '--out', join(folder, 'whole'), ...flags]);
  assert.is(whole.code, 0, whole.err);

  const out = join(folder, 'stopped');
  const child = spawn(process.execPath, [CLI, 'train', prepared, '--out', out, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  let err = '';
  child.stderr.on('data', (chunk) => (err += chunk));
  const ended = new Promise<number | null>((done) => child.on('close', done));
  await eventually(async () => existsSync(join(out, CHECKPOINT)), Boolean);
  child.kill('SIGINT');
  assert.is(await ended, 130, err);
  assert.match(err, /best so far is exported; go on with the same command and --resume/);
  assert.ok(existsSync(join(out, 'manifest.json')));

  const forgot = await runCli(['train', prepared, '--out', out, ...flags]);
  assert.is(forgot.code, 2);
  assert.match(forgot.err, /did not come to its end[\s\S]*--resume/);
  const other = await runCli(['train', prepared, '--out', out, ...flags, '--batch', '30', '--resume']);
  assert.is(other.code, 2);
  assert.match(other.err, /its batch was 20, not 30/);
  const resumed = await runCli(['train', prepared, '--out', out, ...flags, '--resume']);
  assert.is(resumed.code, 0, resumed.err);
  assert.is(network('stopped'), network('whole'));
  assert.is((await runCli(['train', prepared, '--out', out, ...flags, '--resume'])).code, 3);
});

train('folds tell the loss of each, and which of them is the model', async () => {
  const { code, out, err } = await runCli(['train', prepared, '--out', join(folder, 'folds'), ...small, '--epochs', '2', '--folds', '3']);

  assert.is(code, 0, err);
  assert.match(out, /fold 0: [\s\S]*fold 1: [\s\S]*fold 2: /);
  assert.is(out.match(/this is the model/g)?.length, 1);
  assert.match(readFileSync(join(folder, 'folds', 'MODEL_CARD.md'), 'utf8'), /into 3 folds/);
});

train('tells a console how it goes, and goes on when none answers', async () => {
  const reports: TrainingReport[] = [];
  const console_ = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      assert.is(request.url, '/api/trainings');
      reports.push(JSON.parse(body) as TrainingReport);
      response.end('{}');
    });
  });
  const port = await freePort();
  await new Promise<void>((listening) => console_.listen(port, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${(console_.address() as AddressInfo).port}`;
  const told = await runCli(['train', prepared, '--out', join(folder, 'told'), ...small, '--epochs', '4', '--cloud', url]);
  console_.close();
  assert.is(told.code, 0, told.err);
  assert.is(reports.at(-1)!.state, 'done');
  assert.is(reports.at(-1)!.history.length, 4);
  assert.is(new Set(reports.map(({ id }) => id)).size, 1);

  const alone = await runCli(['train', prepared, '--out', join(folder, 'alone'), ...small, '--epochs', '4', '--cloud', url]);
  assert.is(alone.code, 0);
  assert.is(alone.err.match(/the console does not follow the training/g)?.length, 1);
});

train('what cannot be trained is said before it begins', async () => {
  const refused = async (flags: string[], code: number, reason: RegExp, from = prepared) => {
    const result = await runCli(['train', from, '--out', join(folder, 'refused'), ...flags]);
    assert.is(result.code, code, result.err);
    assert.match(result.err, reason);
    assert.not(existsSync(join(folder, 'refused')));
  };
  await refused(['--network', 'convs'], 2, /no network convs. Did you mean conv\?/);
  await refused(['--network', 'seed'], 3, /6 features by 100 samples; these windows have 2 by 20[\s\S]*seed-db6/);
  await refused(['--epochs', 'many'], 2, /--epochs many/);
  await refused(['--workers', '0'], 2, /--workers 0 is no whole number within 1\.\.64/);
  await refused(['--learning-rate', 'fast'], 2, /learning rate/);
  await refused(['--folds', '60'], 3, /90 training windows are too few for 60 folds/);
  await refused(['--resume'], 3, /nothing to resume/);
  await refused([], 3, /prepared.json cannot be read[\s\S]*data prepare/, join(folder, 'nowhere'));
  const flat = join(folder, 'flat');
  const windows = waves();
  await writePrepared(flat, { ...windows, training: windows.training.map((x, i) => (i % 40 < 20 ? x : 0)) });
  await refused([], 3, /f1 never changes/, flat);
  writeFileSync(join(flat, 'training.f32'), Buffer.alloc(10));
  await refused([], 3, /no whole number of windows/, flat);
});

train('a card that cannot take the figures of an evaluation is said before it is played', async () => {
  const wrong = join(folder, 'wrong.md');
  writeFileSync(wrong, '# Something else\n');
  for (const [card, reason] of [
    [wrong, /has no section “## Detection”/],
    [join(folder, 'none.md'), /none\.md cannot be read/],
  ] as const) {
    const { code, err } = await runCli(['evaluate', 'windturbine-anomaly@1.1.0', '--card', card]);
    assert.is(code, 3);
    assert.match(err, reason);
  }
});

train('--help names the networks, and what the original’s costs', async () => {
  const { out } = await runCli(['train', '--help']);
  assert.match(out, /200 epochs take days/);
  assert.match(out, /Examples:\n {2}windfleet train prepared/);
});

train.run();
