import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UsageError } from '../../actors/contracts/errors.ts';
import type { ModelManifest } from '../../actors/contracts/model.ts';
import { packModel } from '../../actors/package/package.ts';
import { parseSeeds } from '../../cloud/cli/commands/evaluate.ts';
import { readModel } from '../../cloud/cli/evaluate/model-source.ts';
import { seedsText } from '../../cloud/cli/evaluate/text.ts';
import { openKey } from '../../cloud/models/keys.ts';
import { CLI, removeFolder, runCli, scratchFolder } from '../kit/farm-process.ts';
import { packageRoot } from '../kit/package-root.ts';
import { starter } from '../kit/packages.ts';

const command = suite('evaluate, the command');

const folder = scratchFolder();
const data = join(folder, 'data');
const starterFolder = join(packageRoot(), 'cloud/models/starter/windturbine-anomaly-1.1.0');

/** The starter's folder with another manifest. */
function changed(name: string, change: (manifest: ModelManifest) => ModelManifest): string {
  const to = join(folder, name);
  cpSync(starterFolder, to, { recursive: true });
  writeFileSync(join(to, 'manifest.json'), JSON.stringify(change(starter().manifest)));
  return to;
}

command('reads ranges of seeds, and refuses what is none, with the mend', () => {
  assert.equal(parseSeeds('7'), [7]);
  assert.equal(parseSeeds('1000-1003'), [1000, 1001, 1002, 1003]);
  for (const [text, reason] of [
    ['', /no range/],
    ['a-b', /no range/],
    ['-3', /no range/],
    ['1-', /no range/],
    ['1.5', /no range/],
    ['1,2', /no range/],
    ['9-2', /ends before it begins/],
    ['1-100000', /200 at most/],
    ['99999999999999999', /no range/],
  ] as const)
    assert.throws(
      () => parseSeeds(text),
      (error: unknown) => error instanceof UsageError && reason.test(error.message) && error.hint !== undefined,
      text,
    );
  assert.is(seedsText([1, 2, 3, 7, 9, 10]), '1-3, 7, 9-10');
  assert.is(seedsText([]), 'none');
});

command('finds a starter by its id, a package by its file, and a folder of artefacts', async () => {
  const { privateKey } = openKey(data);
  const file = join(folder, 'packed.tar.gz');
  writeFileSync(file, packModel(starter(), privateKey).bytes);

  for (const model of ['windturbine-anomaly@1.1.0', file, starterFolder])
    assert.is((await readModel(model, data)).manifest.version, '1.1.0');
  const untrusting = join(folder, 'no-key');
  await readModel(file, untrusting).then(
    () => assert.unreachable(),
    (error: unknown) => assert.match(String(error), /VerificationRefused/),
  );
  assert.not(existsSync(untrusting)); // evaluating makes no key
});

command('every bad input ends before the run, with its exit code and the mend', async () => {
  const damaged = changed('damaged', (manifest) => manifest);
  writeFileSync(join(damaged, 'compiled.onnx'), 'no network');
  const cases: [args: string[], code: number, says: RegExp][] = [
    [['windturbine-anomoly@1.1.0'], 2, /no model windturbine-anomoly@1\.1\.0[\s\S]*Did you mean windturbine-anomaly@1\.1\.0/],
    [['windturbine-anomaly@1.1.0', '--seeds', '9-2'], 2, /--seeds 2-9/],
    [['windturbine-anomaly@1.1.0', '--workers', '0'], 2, /--workers 0/],
    [['windturbine-anomaly@1.1.0', '--report', join(folder, 'no/such/folder/r.html')], 3, /--report .* cannot be written/],
    [[join(folder, 'gone.tar.gz')], 3, /is not there/],
    [[mkdirSync(join(folder, 'empty'), { recursive: true }) ?? ''], 3, /no folder of a model[\s\S]*manifest\.json/],
    [[damaged], 6, /compiled\.onnx has SHA-256/],
    [
      [changed('mars', (manifest) => ({ ...manifest, machine: 'desk-turbines' }))],
      3,
      /no evaluation for the machine desk-turbines\. Did you mean desk-turbine/,
    ],
    [[changed('moved', (manifest) => ({ ...manifest, machine: 'nrel-5mw' }))], 6, /this machine has no channel/],
    [[changed('fast', (manifest) => ({ ...manifest, signal: { ...manifest.signal, rateHz: 50 } }))], 3, /wants 50 samples a second/],
    [[], 2, /missing required argument/],
  ];
  const results = await Promise.all(cases.map(([args]) => runCli(['evaluate', ...args, '--data', data])));
  for (const [i, [args, code, says]] of cases.entries()) {
    const result = results[i];
    assert.match(result.err, says, args.join(' '));
    assert.is(result.code, code, `${args.join(' ')}\n${result.err}`);
    assert.is(result.out, '');
  }
});

command('Ctrl-C says what is complete, writes the report all the same, and exits 130', async () => {
  const report = join(folder, 'early.html');
  const child = spawn(process.execPath, [
    CLI,
    'evaluate',
    'windturbine-anomaly@1.1.0',
    '--seeds',
    '1-200',
    '--json',
    '--report',
    report,
    '--data',
    data,
  ]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => {
    err += chunk;
    if (!child.killed && err.includes('0/200 seeds')) child.kill('SIGINT'); // it has begun
  });
  const code = await new Promise((done) => child.on('close', done));

  assert.is(code, 130);
  assert.match(err, /ended early: 0 of 200 seeds are complete/);
  assert.equal((JSON.parse(out) as { seeds: number[] }).seeds, []);
  assert.match(readFileSync(report, 'utf8'), /ended early/i);
});

command.after(() => removeFolder(folder));

command.run();
