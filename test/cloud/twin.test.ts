import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CLI, removeFolder, runCli, scratchFolder } from '../kit/farm-process.ts';

const twin = suite('windfleet twin');

const folder = scratchFolder();
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const three = file('three.csv', 'x,y\n1260,0\n0,0\n630,0\n');
const farm = ['twin', 'wake', '--machine', 'nrel-5mw', '--layout', three, '--wind', '8', '--direction', '270'];

twin('steady prints an array of points, of a machine of the library or of a file', async () => {
  const { code, out, err } = await runCli(['twin', 'steady', '--machine', 'nrel-5mw', '--wind', '7.5,14', '--json']);
  assert.is(code, 0, err);
  const points = JSON.parse(out) as Record<string, number>[];
  assert.equal(Object.keys(points[0]), ['windMps', 'rotorRpm', 'pitchDeg', 'powerKw', 'thrustKn']);
  assert.ok(Math.abs(points[0]['powerKw'] / 1460.7011898730707 - 1) < 0.005); // NREL/floris nrel_5MW.yaml
  assert.ok(Math.abs(points[1]['pitchDeg'] - 8.7) < 0.05);

  const mine = file('mine.yaml', 'name: mine\nlike: nrel-5mw\nparameters: { cutInMps: 4 }\n');
  const [weak] = JSON.parse((await runCli(['twin', 'steady', '--machine', mine, '--wind', '3.4', '--json'])).out) as Record<
    string,
    number
  >[];
  assert.ok(weak['powerKw'] < 1);
  assert.match((await runCli(['twin', 'steady', '--machine', 'desk-turbine', '--wind', '1.6'])).out, /wind m\/s +rotor 1\/min/);
});

twin('respond writes rows at the rate that was asked for', async () => {
  const wind = file('wind.csv', 't,windMps\n0,9\n30,11\n');
  const target = join(folder, 'answer.csv');
  const { code, out, err } = await runCli([
    'twin',
    'respond',
    '--machine',
    'nrel-5mw',
    '--wind-file',
    wind,
    '--at',
    '2Hz',
    '--out',
    target,
  ]);
  assert.is(code, 0, err);
  assert.match(out, /61 rows/);
  const rows = readFileSync(target, 'utf8').trim().split('\n');
  assert.match(rows[0], /^t,windMps,rotorRpm,generatorRpm,pitchDeg,powerKw,thrustKn,towerTopM,/);
  assert.is(rows.length, 62);
  assert.match(rows[61], /^30,11,/);
  const all = await runCli(['twin', 'respond', '--machine', 'desk-turbine', '--wind-file', file('fan.csv', 't,windMps\n0,1.5\n2,1.5\n')]);
  assert.is(all.out.trim().split('\n').length, 42);
});

twin('respond ends when its reader does, though a year of wind is left', async () => {
  const hours = Array.from({ length: 8_760 }, (_, hour) => `${3_600 * hour},8`);
  const wind = file('year.csv', `t,windMps\n${hours.join('\n')}\n`);
  const child = spawn(process.execPath, [CLI, 'twin', 'respond', '--machine', 'nrel-5mw', '--wind-file', wind], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const [first] = (await once(child.stdout, 'data')) as [Buffer];
  child.stdout.destroy();
  const [code] = await once(child, 'exit');
  assert.match(String(first), /^t,windMps,/);
  assert.is(code, 0);
});

twin('wake prints a farm in the layout’s order', async () => {
  const { code, out, err } = await runCli([...farm, '--wake', 'gauss', '--json']);
  assert.is(code, 0, err);
  const turbines = JSON.parse(out) as Record<string, number>[];
  // NREL/floris, gauss_regression_test.py, 8 m/s
  const expected = [
    [1260, 6.009015, 0.8604395, 741.6420177873],
    [0, 7.9736858, 0.7871515, 1753.9544591792],
    [630, 5.9186455, 0.8654743, 710.4419192938],
  ];
  for (const [i, [x, windMps, ct, powerKw]] of expected.entries()) {
    assert.equal(Object.keys(turbines[i]), ['x', 'y', 'windMps', 'ct', 'powerKw']);
    assert.is(turbines[i]['x'], x);
    assert.ok(Math.abs(turbines[i]['windMps'] / windMps - 1) < 1e-5);
    assert.ok(Math.abs(turbines[i]['ct'] / ct - 1) < 1e-5);
    assert.ok(Math.abs(turbines[i]['powerKw'] / powerKw - 1) < 1e-5);
  }
});

twin('aep gives the energy of the year and of every wind', async () => {
  const rose = file('rose.csv', 'directionDeg,probability\n0,0.5\n270,0.5\n');
  const { code, out, err } = await runCli(['twin', 'aep', '--wake', 'iea37', '--layout', three, '--rose', rose, '--json']);
  assert.is(code, 0, err);
  const { mwh, bins } = JSON.parse(out) as { mwh: number; bins: number[] };
  assert.ok(Math.abs(bins[0] - 0.5 * 3 * 3.35 * 8760) < 1e-6); // three abreast at rated power
  assert.ok(bins[1] < bins[0]);
  assert.is(mwh, bins[0] + bins[1]);
});

twin('validate draws its checks into one file and fails when one fails', async () => {
  const report = join(folder, 'report.html');
  const good = await runCli(['twin', 'validate', '--machine', 'nrel-5mw', '--report', report, '--json']);
  assert.is(good.code, 0, good.out);
  const checks = JSON.parse(good.out) as { check: string; passed: boolean }[];
  assert.ok(checks.length >= 8 && checks.every(({ passed }) => passed));
  const html = readFileSync(report, 'utf8');
  assert.match(html, /<svg/);
  assert.not.match(html, /(src|href)=|<script|@import/); // nothing from elsewhere

  const soft = file('soft.yaml', 'name: soft\nlike: nrel-5mw\nparameters: { pitch: { integral: 0.25 } }\n'); // a controller that hunts
  const bad = await runCli(['twin', 'validate', '--machine', soft, '--report', report]);
  assert.is(bad.code, 1, bad.out);
  assert.match(bad.out, /FAILED +soft/);
});

twin('says what is wrong, with its place and its mend, before anything runs', async () => {
  const machine = file('bad.yaml', 'name: bad\nlike: nrel-5mw\nparameters:\n  drivetrain: { rotorInertiaKgM2: -1 }\n');
  const gap = file('gap.csv', 't,windMps\n0,8\n1,8\n2,8\n90,8\n');
  const calm = file('calm.csv', 't,windMps\n0,8\n1,8\n');
  const twice = file('twice.csv', 'x,y\n0,0\n500,0\n0,0\n');
  const out = join(folder, 'never.csv');
  for (const [code, args, said] of [
    [3, [...farm, '--wake', 'gaus'], /no wake model gaus\. Did you mean gauss\?/],
    [3, [...farm.with(3, 'nrel-5m'), '--wake', 'gauss'], /no machine nrel-5m .*Did you mean nrel-5mw\?/],
    [2, [...farm.with(7, 'strong'), '--wake', 'gauss'], /--wind strong is no number/],
    [2, [...farm, '--wake', 'gauss', '--yaw', '5,0'], /2 yaw angles for 3 turbines/],
    [3, [...farm.with(5, twice), '--wake', 'gauss'], /twice\.csv:4:1 turbine 3 stands where turbine 1 stands/],
    [3, [...farm.with(3, 'desk-turbine'), '--wake', 'gauss'], /has no table of power and thrust/],
    [3, ['twin', 'steady', '--machine', machine, '--wind', '8'], /bad\.yaml:4:17 .*rotorInertiaKgM2: -1 is negative/],
    [3, ['twin', 'steady', '--machine', 'missing.yaml', '--wind', '8'], /missing\.yaml cannot be read/],
    [2, ['twin', 'steady', '--machine', 'nrel-5mw', '--wind', '8,'], /--wind/],
    [3, ['twin', 'respond', '--machine', 'nrel-5mw', '--wind-file', gap, '--out', out], /gap\.csv:5:1 a gap of 88 s/],
    [2, ['twin', 'respond', '--machine', 'nrel-5mw', '--wind-file', gap, '--at', '3Hz'], /--at 3Hz is no rate that divides 20Hz/],
    [3, ['twin', 'respond', '--machine', 'nrel-5mw', '--wind-file', join(folder, 'no.csv')], /no\.csv cannot be read/],
    [3, ['twin', 'respond', '--machine', 'nrel-5mw', '--wind-file', calm, '--out', folder], /cannot be written: it is a folder/],
    [3, ['twin', 'validate', '--report', join(folder, 'no', 'report.html')], /report\.html cannot be written/],
    [3, ['data', 'record', '--faults', 'bearing-ware', '--out', out], /no fault bearing-ware.*Did you mean bearing-wear/],
  ] as const) {
    const result = await runCli([...args]);
    assert.is(result.code, code, `${args.join(' ')}\n${result.err}`);
    assert.match(result.err, said);
    assert.is(result.out, '');
  }
  assert.not(existsSync(out));
});

twin.after(() => removeFolder(folder));
twin.run();
