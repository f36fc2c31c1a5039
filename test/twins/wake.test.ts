import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileInvalid } from '../../actors/contracts/errors.ts';
import { machineNamed } from '../../twins/library/machines.ts';
import { createRng } from '../../twins/rng.ts';
import { wakeModelNamed, wokenFarm } from '../../twins/wake.ts';
import { gridLayout, parseLayout, randomLayout, rowLayout } from '../../twins/wind/layout.ts';
import { parseRose } from '../../twins/wind/rose.ts';
import { iea37Energy } from '../../twins/wind/wake/iea37.ts';
import { jensenWake } from '../../twins/wind/wake/jensen.ts';

const wake = suite('wakes');
const nrel5mw = machineNamed('nrel-5mw');
const west = { windMps: 8, directionDeg: 270, turbulenceIntensity: 0.1, shear: 0.12 };
const tandem = rowLayout(3, 630);
const near = (got: number, wanted: number, relative: number) =>
  assert.ok(Math.abs(got / wanted - 1) <= relative, `${got}, not ${wanted} (${(got / wanted - 1).toExponential(2)})`);

// NREL/floris a6fc5d3 tests/reg_tests: three NREL 5-MW turbines at 0, 630 and 1260 m, 8 m/s, TI 0.1, shear 0.12: m/s, Ct, W.
const floris = {
  jensen: [
    [7.9736858, 0.7871515, 1753954.4591792],
    [6.0660565, 0.8578454, 767287.2198744],
    [5.5204712, 0.8881097, 577575.9208353],
  ],
  gauss: [
    [7.9736858, 0.7871515, 1753954.4591792],
    [5.9186455, 0.8654743, 710441.9192938],
    [6.009015, 0.8604395, 741642.0177873],
  ],
};
for (const [name, tolerance] of [
  ['jensen', 1e-4],
  ['gauss', 1e-5],
] as const) {
  wake(`three turbines in a row stand in FLORIS’ ${name} wakes`, () => {
    const farm = wokenFarm(wakeModelNamed(name), nrel5mw, tandem, west, null);
    for (const [i, [windMps, ct, watt]] of floris[name].entries()) {
      near(farm[i].windMps, windMps, tolerance);
      near(farm[i].ct, ct, tolerance);
      near(farm[i].powerKw * 1_000, watt, tolerance);
    }
  });
}

wake('Jensen’s own example at Nibe', () => {
  // PyWake tests/test_noj.py, after Jensen 1983: 8.1 m/s, D 40 m, Ct 8/9, k 0.1: 4.35 m/s at 40 m, 5.7 m/s at 100 m.
  const source = { diameterM: 40, thrustCoefficient: 8 / 9, axialInduction: 1 / 3, turbulenceIntensity: 0.1, cosYaw: 1, sinYaw: 0 };
  const into = new Float64Array(9);
  for (const [behindM, windMps] of [
    [40, 4.35],
    [100, 5.7],
  ]) {
    jensenWake(0.1).deficits(source, behindM, 0, 0, 0, into);
    near(8.1 * (1 - into[4]), windMps, 1e-12);
  }
});

// IEA Wind Task 37 case study 1, 16 turbines, with its announced result.
const ex16 = {
  xM: Float64Array.of(
    0,
    650,
    200.861,
    -525.861,
    -525.861,
    200.861,
    1300,
    1051.7221,
    401.7221,
    -401.7221,
    -1051.7221,
    -1300,
    -1051.7221,
    -401.7221,
    401.7221,
    1051.7221,
  ),
  yM: Float64Array.of(
    0,
    0,
    618.1867,
    382.0604,
    -382.0604,
    -618.1867,
    0,
    764.1208,
    1236.3735,
    1236.3735,
    764.1208,
    0,
    -764.1208,
    -1236.3735,
    -1236.3735,
    -764.1208,
  ),
};
const roseShares = [0.025, 0.024, 0.029, 0.036, 0.063, 0.065, 0.1, 0.122, 0.063, 0.038, 0.039, 0.083, 0.213, 0.046, 0.032, 0.022];
const binsMwh = [
  9444.60012, 8497.90004, 11383.32869, 14173.40367, 20979.36776, 25590.86774, 39252.85757, 43197.65856, 23800.39229, 13539.36766, 15022.898,
  32644.44314, 71157.32322, 18092.10102, 12326.48041, 7838.58128,
];

wake('the year of the IEA-37 farm of 16 turbines, and each of its directions', () => {
  const rose = roseShares.map((probability, i) => ({ directionDeg: i * 22.5, probability, windMps: null }));

  const { mwh, bins } = iea37Energy(ex16, rose);

  near(mwh, 366941.57116, 1e-6);
  for (const [i, bin] of bins.entries()) near(bin, binsMwh[i], 1e-6);
});

wake('a farm and its wind, both turned by a quarter, give the same power', () => {
  const power = (xM: Float64Array, yM: Float64Array, directionDeg: number) =>
    wokenFarm(wakeModelNamed('gauss'), nrel5mw, { xM, yM }, { ...west, directionDeg }, null).reduce((sum, { powerKw }) => sum + powerKw, 0);
  for (const directionDeg of [0, 33, 180, 251.7]) {
    const turned = power(
      ex16.yM,
      ex16.xM.map((x) => -x),
      directionDeg + 90,
    ); // (x, y) → (y, −x): clockwise, as directions go
    near(turned, power(ex16.xM, ex16.yM, directionDeg), 1e-9);
  }
});

wake('a yawed rotor pushes its wake aside, turbines abreast or upwind leave each other alone', () => {
  const farm = (yaw: number[], layout = tandem, directionDeg = 270) =>
    wokenFarm(wakeModelNamed('gauss'), nrel5mw, layout, { ...west, directionDeg }, Float64Array.from(yaw));
  const straight = farm([0, 0, 0]);
  const yawed = farm([20, 0, 0]);
  assert.ok(yawed[0].powerKw < straight[0].powerKw);
  assert.ok(yawed[1].windMps > straight[1].windMps);
  near(yawed[0].powerKw / straight[0].powerKw, Math.cos((20 * Math.PI) / 180) ** 1.88, 1e-12);
  near(farm([-20, 0, 0])[1].windMps, yawed[1].windMps, 1e-12);
  assert.ok(
    farm([20, 0, 0], { xM: tandem.xM, yM: Float64Array.of(0, -30, 0) })[1].windMps <
      farm([-20, 0, 0], { xM: tandem.xM, yM: Float64Array.of(0, -30, 0) })[1].windMps,
  );
  for (const { windMps } of farm([0, 0, 0], tandem, 0)) near(windMps, straight[0].windMps, 1e-12);
});

wake('layouts keep their distances', () => {
  const { xM, yM } = randomLayout(200, 500, createRng(3));
  for (let i = 0; i < 200; i++) for (let j = 0; j < i; j++) assert.ok(Math.hypot(xM[i] - xM[j], yM[i] - yM[j]) >= 500);
  assert.equal(gridLayout(5, 100), { xM: Float64Array.of(0, 100, 200, 0, 100), yM: Float64Array.of(0, 0, 0, 100, 100) });
});

wake('says what is wrong with a layout or a rose, by line and column', () => {
  const faults = (parse: () => unknown) => {
    try {
      parse();
      return 'accepted';
    } catch (error) {
      return error instanceof FileInvalid ? error.message : `defect: ${error}`;
    }
  };
  assert.match(
    faults(() => parseLayout('x,y\n0,0\n100,0\n0,0.5\n', 'l.csv')),
    'l.csv:4:1 turbine 3 stands where turbine 1 stands',
  );
  assert.match(
    faults(() => parseLayout('x,z\n0,0\n', 'l.csv')),
    /l.csv:1:1 has no column y\nl.csv:1:3 has a column z/,
  );
  assert.match(
    faults(() => parseLayout('x,y\n0,east\n1\n', 'l.csv')),
    /l.csv:2:3 y is "east", no number\nl.csv:3:1 has 1 values, not 2/,
  );
  assert.match(
    faults(() => parseLayout('x,y\n', 'l.csv')),
    'holds no row',
  );
  assert.match(
    faults(() => parseLayout('', 'l.csv')),
    'has no column x',
  );
  assert.match(
    faults(() => parseRose('directionDeg,probability\n0,0.5\n90,0.4\n', 'r.csv')),
    'the probabilities make 0.9',
  );
  assert.match(
    faults(() => parseRose('directionDeg,probability\n0,0.5\n400,0.5\n', 'r.csv')),
    'r.csv:3:1 directionDeg 400',
  );
  assert.match(
    faults(() => parseRose('directionDeg,probability\n0,0.5\n0,0.5\n', 'r.csv')),
    'is there already',
  );
});

wake.run();
