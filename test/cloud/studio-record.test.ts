/** `data record` and `data prepare` from the command line. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { GroundTruth } from '../../actors/contracts/ground-truth.ts';
import { parseRecording, recordingHeader } from '../../actors/contracts/recording.ts';
import { CLI, removeFolder, runCli, scratchFolder } from '../kit/farm-process.ts';

const record = suite('data record and prepare');

const folder = scratchFolder();
const path = (name: string) => join(folder, name);
const truthOf = (name: string) => JSON.parse(readFileSync(path(name), 'utf8')) as GroundTruth;

record('records the original’s columns with the truth beside, and the same into Parquet', async () => {
  const flags = ['--turbines', '3', '--for', '5m', '--seed', '5', '--faults', 'icing', 'sensor-bias'];
  const course = ['--severity', '0.4', '--at', '2m', '--over', '30s', '--onset', 'wear', '--lasting', '1m'];
  const csv = await runCli(['data', 'record', ...flags, ...course, '--out', path('farm.csv'), '--json']);
  assert.is(csv.code, 0, csv.err);
  assert.is((JSON.parse(csv.out) as { samples: number }).samples, 18_000);
  const text = readFileSync(path('farm.csv'), 'utf8');
  assert.is(text.slice(0, text.indexOf('\n')), recordingHeader());
  const { turbines } = parseRecording(text, 'farm.csv');
  assert.equal([turbines.length, turbines[2].at.length], [3, 6_000]);

  const { faults, ...about } = truthOf('farm.truth.json');
  assert.equal([about.machine, about.seed, about.things.length, about.wind['meanMps']], ['desk-turbine', 5, 3, 1.6]);
  const interval = { severity: 0.4, onset: 'wear', overMs: 30_000, from: '2026-01-01T00:02:00.000Z', to: '2026-01-01T00:03:00.000Z' };
  assert.equal(
    faults.map((fault) => ({ ...fault })),
    [
      { thing: 'T-001', fault: 'icing', ...interval },
      { thing: 'T-002', fault: 'sensor-bias', ...interval, channel: 'voltage' },
    ] as never,
  );

  const parquet = await runCli(['data', 'record', ...flags, ...course, '--out', path('farm.parquet')]);
  assert.is(parquet.code, 0, parquet.err);
  assert.equal(truthOf('farm.truth.json').recordings, ['farm.csv', 'farm.parquet']);
  const prepared = async (file: string) => {
    const { code, out, err } = await runCli(['data', 'prepare', path(file), '--out', path(`${file}-prepared`), '--json']);
    assert.is(code, 0, err);
    const { training, heldOut, format, faulted } = JSON.parse(out);
    return { training, heldOut, format, faulted };
  };
  const [fromCsv, fromParquet] = [await prepared('farm.csv'), await prepared('farm.parquet')];
  assert.equal([fromCsv.format, fromParquet.format, fromCsv.faulted], ['csv', 'parquet', 2_402]); // both ends are within
  assert.equal(fromCsv.training, fromParquet.training);
  assert.equal(fromCsv.heldOut, fromParquet.heldOut);
});

record('a truth that tells of another recording is not taken for this one’s', async () => {
  writeFileSync(path('other.csv'), readFileSync(path('farm.csv')));
  writeFileSync(path('other.truth.json'), readFileSync(path('farm.truth.json')));
  const refused = await runCli(['data', 'prepare', path('other.csv'), '--out', path('other')]);
  assert.is(refused.code, 3);
  assert.match(refused.err, /other.truth.json tells of farm.csv, farm.parquet, not of other.csv[\s\S]*--no-truth/);
  assert.not.ok(existsSync(path('other')));
  assert.is((await runCli(['data', 'prepare', path('other.csv'), '--truth', path('farm.truth.json'), '--out', path('other')])).code, 0);
});

record('a 5-MW machine goes from its recording to a model of its own channels', async () => {
  const file = path('big.csv');
  assert.is((await runCli(['data', 'record', '--like', 'nrel-5mw', '--turbines', '2', '--for', '5m', '--out', file])).code, 0);
  const ready = await runCli(['data', 'prepare', file, '--out', path('big')]);
  assert.is(ready.code, 0, ready.err);
  assert.match(ready.out, /of a nrel-5mw \(csv, stream/);
  const trained = await runCli(['train', path('big'), '--out', path('big-model'), '--epochs', '2', '--name', 'big']);
  assert.is(trained.code, 0, trained.err);
  const manifest = JSON.parse(readFileSync(path('big-model/manifest.json'), 'utf8'));
  assert.is(manifest.machine, 'nrel-5mw');
  assert.ok(manifest.signal.features.some(({ channels }: { channels: string[] }) => channels.includes('gearboxC')));
  const seed = await runCli(['data', 'prepare', file, '--out', path('big-seed'), '--pipeline', 'seed-db6']);
  assert.is(seed.code, 3);
  assert.match(seed.err, /seed-db6 is for a desk-turbine: a nrel-5mw has no qx/);
});

record('Ctrl-C leaves a whole, shorter recording', async () => {
  const file = path('long.csv');
  const child = spawn(process.execPath, [CLI, 'data', 'record', '--turbines', '4', '--for', '2000h', '--faults', 'icing', '--out', file], {
    stdio: 'ignore',
  });
  const ended = new Promise((done) => child.on('close', done));
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  while (isRunning() && (!existsSync(`${file}.part`) || statSync(`${file}.part`).size === 0))
    await new Promise((again) => setImmediate(again));
  child.kill('SIGINT');
  assert.is(await ended, 130);
  const { turbines } = parseRecording(readFileSync(file, 'utf8'), file);
  assert.equal(
    turbines.map(({ at }) => at.length),
    Array.from({ length: 4 }, () => turbines[0].at.length),
  );
  const { to, faults } = truthOf('long.truth.json');
  assert.is(Date.parse(to), turbines[3].at.at(-1));
  assert.equal(faults, []); // it was to begin at half of it
  assert.not.ok(existsSync(`${file}.part`));
});

record('says what cannot be written or asked for, and leaves nothing half-written', async () => {
  mkdirSync(path('taken.csv'));
  writeFileSync(path('two.csv'), 'x,y\n0,0\n900,0\n');
  const cases: [string[], number, RegExp][] = [
    [['--out', path('no/where.csv')], 4, /where.csv cannot be written: ENOENT/],
    [['--out', path('taken.csv')], 4, /taken.csv cannot be written: it is a folder/],
    [['--out', path('a.txt')], 2, /ends neither in .csv nor in .parquet/],
    [['--out', path('a.csv'), '--faults', 'bearing-ware'], 3, /Did you mean bearing-wear/],
    [['--out', path('a.csv'), '--for', '1m', '--at', '2m', '--faults', 'icing'], 2, /--at 2m is after the end/],
    [['--out', path('a.csv'), '--severity', '2'], 2, /--severity 2 is not within 0..1/],
    [['--out', path('a.csv'), '--onset', 'sudden'], 2, /--onset sudden is none of ramp/],
    [['--out', path('a.csv'), '--turbines', '0'], 2, /--turbines 0 is no whole number/],
    [['--out', path('a.csv'), '--turbines', '3', '--layout', path('two.csv')], 2, /places for 2 turbines/],
  ];
  for (const [flags, code, message] of cases) {
    const refused = await runCli(['data', 'record', ...flags]);
    assert.is(refused.code, code, `${flags.join(' ')}: ${refused.err}`);
    assert.match(refused.err, message);
  }
  assert.equal(
    readdirSync(folder).filter((name) => /^a\.|\.part$|\.tmp$/.test(name)),
    [],
  );

  const small = await new Promise<{ code: number | null; err: string }>((done) => {
    const child = spawn('sh', [
      '-c',
      `ulimit -f 500; exec "${process.execPath}" "${CLI}" data record --for 20m --out "${path('full.csv')}"`,
    ]);
    let err = '';
    child.stderr.on('data', (chunk) => (err += chunk));
    child.on('close', (code) => done({ code, err }));
  });
  assert.is(small.code, 4, small.err);
  assert.match(small.err, /full.csv cannot be written/);
  assert.not.ok(readdirSync(folder).some((name) => name.startsWith('full')));
});

record.after(() => removeFolder(folder));

record.run();
