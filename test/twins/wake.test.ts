import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { FileInvalid, UsageError } from '../../actors/contracts/errors.ts';
import { solvePlainly } from '../bench/wake.bench.ts';
import { machineNamed } from '../../twins/library/machines.ts';
import { nrel5mwPowerThrust } from '../../twins/library/nrel-5mw-table.ts';
import { createRng } from '../../twins/rng.ts';
import { gridLayout, parseLayout, randomLayout, shapedLayout } from '../../twins/wind/layout.ts';
import { parseRose } from '../../twins/wind/rose.ts';
import { createFarmWakes, type SteadyWind, solveWakes, type WakeName } from '../../twins/wind/wake/farm.ts';
import { jensenDeficit } from '../../twins/wind/wake/jensen.ts';
import { tabulatedTurbine } from '../../twins/wind/wake/turbine.ts';
import { energyOfYear, wakeTurbineOf } from '../../twins/wake.ts';

const wakes = suite('wakes');

const nrel5mw = wakeTurbineOf(machineNamed('nrel-5mw'));
const D = nrel5mw.rotorDiameterM;
const westWind: SteadyWind = { windMps: 8, directionDeg: 270, turbulenceIntensity: 0.1, shear: 0.12 };
const solve = (wake: WakeName, xM: readonly number[], yM: readonly number[], wind: Partial<SteadyWind> = {}) =>
  solveWakes({ wake, turbines: nrel5mw, xM, yM, ...westWind, ...wind });
const tandem = (wake: WakeName, wind: Partial<SteadyWind> = {}) => solve(wake, [0, 630, 1260], [0, 0, 0], wind);
const sum = (values: Float64Array) => values.reduce((total, value) => total + value, 0);

function closeTo(actual: number, expected: number, relative: number, what: string): void {
  assert.ok(Math.abs(actual - expected) <= relative * Math.abs(expected), `${what}: ${actual}, not ${expected}`);
}

/** NREL/floris, tests/reg_tests: three NREL 5-MW at 0, 630 and 1260 m; rotor-averaged speed m/s, Ct, power W. */
type Baseline = readonly (readonly [number, number, number])[];
const FLORIS: readonly { wake: WakeName; windMps: number; yawDeg?: number[]; relative: number; baseline: Baseline }[] = [
  {
    wake: 'jensen',
    windMps: 8,
    relative: 1e-4, // FLORIS adds a millimetre to the width of the wake
    baseline: [
      [7.9736858, 0.7871515, 1753954.4591792],
      [6.0660565, 0.8578454, 767287.2198744],
      [5.5204712, 0.8881097, 577575.9208353],
    ],
  },
  {
    wake: 'jensen',
    windMps: 11,
    relative: 1e-4,
    baseline: [
      [10.963818, 0.7565157, 4519404.3072862],
      [8.4970746, 0.7864874, 2142673.1558338],
      [7.9997342, 0.7871282, 1770992.0756703],
    ],
  },
  {
    wake: 'jensen',
    windMps: 8,
    yawDeg: [5, 0, 0],
    relative: 1e-4,
    baseline: [
      [7.9736858, 0.7841561, 1741508.6722008],
      [6.0816475, 0.8571363, 774296.7271893],
      [5.5272875, 0.8877222, 579850.4298177],
    ],
  },
  {
    wake: 'gauss',
    windMps: 8,
    relative: 1e-5,
    baseline: [
      [7.9736858, 0.7871515, 1753954.4591792],
      [5.9186455, 0.8654743, 710441.9192938],
      [6.009015, 0.8604395, 741642.0177873],
    ],
  },
  {
    wake: 'gauss',
    windMps: 10,
    relative: 1e-5,
    baseline: [
      [9.9671073, 0.7838789, 3417797.0050916],
      [7.4045198, 0.8008441, 1405853.7207176],
      [7.5868432, 0.7949439, 1511887.2179035],
    ],
  },
  {
    wake: 'gauss',
    windMps: 11,
    relative: 1e-5,
    baseline: [
      [10.963818, 0.7565157, 4519404.3072862],
      [8.2046271, 0.7868643, 1924101.6501936],
      [8.3491997, 0.786678, 2032153.3223547],
    ],
  },
];

for (const { wake, windMps, yawDeg, relative, baseline } of FLORIS) {
  wakes(`${wake} at ${windMps} m/s${yawDeg ? ', the first yawed by 5°,' : ''} is FLORIS’ within ${relative}`, () => {
    const state = tandem(wake, { windMps, ...(yawDeg ? { yawDeg } : {}) });

    for (const [i, [speed, ct, watts]] of baseline.entries()) {
      closeTo(state.windMps[i], speed, relative, `speed ${i}`);
      closeTo(state.ct[i], ct, relative, `Ct ${i}`);
      closeTo(state.powerKw[i] * 1000, watts, relative, `power ${i}`);
    }
  });
}

wakes('Jensen’s wake of the Nibe turbine is that of his note: 4.35 m/s at 40 m, 5.7 at 100 m', () => {
  const induction = (1 - Math.sqrt(1 - 8 / 9)) / 2;
  const speed = (xM: number) => 8.1 * (1 - jensenDeficit(induction, 20, xM, 0.1));

  closeTo(speed(40), 4.35, 1e-12, 'at 40 m');
  closeTo(speed(100), 5.7, 1e-12, 'at 100 m');
});

/** IEA Wind Task 37, case study 1: 16 turbines, 16 directions, MWh a year. */
const IEA37 = {
  x: [
    0, 650, 200.861, -525.861, -525.861, 200.861, 1300, 1051.7221, 401.7221, -401.7221, -1051.7221, -1300, -1051.7221, -401.7221, 401.7221,
    1051.7221,
  ],
  y: [
    0, 0, 618.1867, 382.0604, -382.0604, -618.1867, 0, 764.1208, 1236.3735, 1236.3735, 764.1208, 0, -764.1208, -1236.3735, -1236.3735,
    -764.1208,
  ],
  probability: [0.025, 0.024, 0.029, 0.036, 0.063, 0.065, 0.1, 0.122, 0.063, 0.038, 0.039, 0.083, 0.213, 0.046, 0.032, 0.022],
  mwh: 366941.57116,
  bins: [
    9444.60012, 8497.90004, 11383.32869, 14173.40367, 20979.36776, 25590.86774, 39252.85757, 43197.65856, 23800.39229, 13539.36766,
    15022.898, 32644.44314, 71157.32322, 18092.10102, 12326.48041, 7838.58128,
  ],
};

wakes('the IEA Task 37 farm of 16 yields its published energy, direction by direction', () => {
  const [x, y] = [Float64Array.from(IEA37.x), Float64Array.from(IEA37.y)];
  const rose = IEA37.probability.map((probability, i) => ({ directionDeg: i * 22.5, probability, windMps: null }));

  const { mwh, bins } = energyOfYear('iea37', null, { xM: x, yM: y }, rose);

  closeTo(mwh, IEA37.mwh, 1e-9, 'year');
  for (const [i, expected] of IEA37.bins.entries()) closeTo(bins[i], expected, 1e-6, `bin ${i}`);
});

for (const wake of ['jensen', 'gauss'] as const) {
  wakes(`${wake}: a farm turned with its wind yields the same`, () => {
    const { xM, yM } = randomLayout(40, 4 * D, createRng(1));
    const yawDeg = Float64Array.from(xM, (_, i) => (i % 5) * 6 - 12);
    const before = sum(solveWakes({ wake, turbines: nrel5mw, xM, yM, ...westWind, directionDeg: 247, yawDeg }).powerKw);

    const turned = { xM: yM, yM: xM.map((x) => -x) }; // clockwise by 90°, as is 247° to 337°
    const after = sum(solveWakes({ wake, turbines: nrel5mw, ...turned, ...westWind, directionDeg: 337, yawDeg }).powerKw);
    closeTo(after, before, 1e-9, 'power');
    const far = { xM: xM.map((x) => x + 5.1e5), yM: yM.map((y) => y + 6.2e6) };
    closeTo(
      sum(solveWakes({ wake, turbines: nrel5mw, ...far, ...westWind, directionDeg: 247, yawDeg }).powerKw),
      before,
      1e-9,
      'on a map grid',
    );
  });

  wakes(`${wake}: nothing is felt upwind, abreast, or far to the side`, () => {
    const alone = solve(wake, [0], [0]).windMps[0];
    closeTo(alone, 7.9736858, 1e-7, 'a single turbine');

    const abreast = solve(wake, [0, 0, 0], [0, 2 * D, 4 * D]);
    assert.equal([...abreast.windMps], [alone, alone, alone]);
    const [first, second] = solve(wake, [630, 0], [0, 0]).windMps; // the second in the layout is the one upwind
    assert.is(second, alone);
    assert.ok(first < 0.8 * alone);
    assert.is(solve(wake, [0, 630], [0, 12 * D]).windMps[1], alone);
    assert.equal(
      [...solve(wake, [0, 630], [0, 0], { directionDeg: 180 }).windMps.map((u) => Number(u.toFixed(9)))],
      [Number(alone.toFixed(9)), Number(alone.toFixed(9))],
    );
  });

  wakes(`${wake}: the more two rotors are out of line, the more wind the second has`, () => {
    const second = [0, 0.4, 0.8, 1.2, 1.6].map((off) => solve(wake, [0, 7 * D], [0, off * D]).windMps[1]);

    for (let i = 1; i < second.length; i++) assert.ok(second[i] > second[i - 1] - 1e-12, second.join(' '));
    assert.ok(second[4] > second[0] + 1);
  });

  wakes(`${wake}: a rotor turned counter-clockwise sends its wake to the right`, () => {
    const at = (yM: number) => solve(wake, [0, 7 * D], [0, yM], { yawDeg: [25, 0] }).windMps[1];

    assert.ok(at(-0.8 * D) < at(0.8 * D));
    closeTo(at(-0.8 * D), solve(wake, [0, 7 * D], [0, 0.8 * D], { yawDeg: [-25, 0] }).windMps[1], 1e-12, 'mirrored');
  });
}

wakes('a workspace answers the same whatever it was asked before, and in the layout’s order', () => {
  const { xM, yM } = gridLayout(30, 6 * D);
  const kept = createFarmWakes({ wake: 'gauss', turbines: nrel5mw, xM, yM });
  for (const directionDeg of [10, 200, 95]) kept.solve({ ...westWind, directionDeg });

  const again = kept.solve({ ...westWind, directionDeg: 276 });

  const fresh = solveWakes({ wake: 'gauss', turbines: nrel5mw, xM, yM, ...westWind, directionDeg: 276 });
  assert.equal(again, fresh);
  assert.ok(again.windMps[0] > again.windMps[4]); // west before east
});

wakes('what the solver leaves out as too far to matter changes no farm’s power', () => {
  const layout = randomLayout(100, 4 * D, createRng(2));
  const kept = createFarmWakes({ wake: 'gauss', turbines: nrel5mw, ...layout });
  for (const [directionDeg, turbulenceIntensity] of [
    [3, 0.05],
    [123, 0.1],
    [300, 0.2],
  ]) {
    const wind = { ...westWind, directionDeg, turbulenceIntensity };
    const plain = solvePlainly(layout, wind).reduce((total, { powerKw }) => total + powerKw, 0);
    closeTo(sum(kept.solve(wind).powerKw), plain, 1e-12, `from ${directionDeg}`);
  }
});

wakes('a farm of two kinds of turbine takes each by its own height and rotor', () => {
  const low = tabulatedTurbine({ rotorDiameterM: 60, hubHeightM: 40 }, nrel5mwPowerThrust);
  const mixed = (wake: WakeName) =>
    solveWakes({ wake, turbines: [nrel5mw, low], xM: [0, 630], yM: [0, 0], ...westWind, shear: 0.2 }).windMps;
  const same = (wake: WakeName) => solve(wake, [0, 630], [0, 0], { shear: 0.2 }).windMps;

  for (const wake of ['jensen', 'gauss'] as const) assert.is(mixed(wake)[0], same(wake)[0]);
  const free = solveWakes({ wake: 'gauss', turbines: low, referenceHeightM: 90, xM: [0], yM: [0], ...westWind, shear: 0.2 }).windMps[0];
  closeTo(free, 8 * (40 / 90) ** 0.2, 5e-3, 'free wind at 40 m');
  assert.ok(mixed('gauss')[1] < free);
});

wakes('no farm takes more than its turbines would alone, and none stands in a wind below zero', () => {
  const { xM, yM } = gridLayout(100, 2 * D); // far too dense on purpose
  for (const wake of ['jensen', 'gauss'] as const) {
    for (const windMps of [3, 8, 12, 25]) {
      const state = solveWakes({ wake, turbines: nrel5mw, xM, yM, ...westWind, windMps });
      const free = solve(wake, [0], [0], { windMps }).windMps[0];
      assert.ok(state.windMps.every((u) => u >= 0 && u <= free));
      assert.ok(state.powerKw.every((p) => p >= 0 && p <= 5000));
    }
  }
});

wakes('layouts keep their distances', () => {
  const { xM, yM } = randomLayout(200, 500, createRng(3));
  for (let i = 0; i < 200; i++) for (let j = 0; j < i; j++) assert.ok(Math.hypot(xM[i] - xM[j], yM[i] - yM[j]) >= 500);
  assert.equal(gridLayout(6, 100), { xM: Float64Array.of(0, 100, 0, 100, 200, 200), yM: Float64Array.of(0, 0, 100, 100, 0, 100) });
  for (const [name, few] of Object.entries(gridLayout(11, 100))) assert.equal(few, gridLayout(50, 100)[name as 'xM'].slice(0, 11));
  const square = gridLayout(49, 100);
  assert.is(new Set(Array.from(square.xM, (x, i) => `${x} ${square.yM[i]}`)).size, 49);
  assert.is(Math.max(...square.xM, ...square.yM), 600);
});

wakes('a layout has a shape and a spacing, or is a file', () => {
  const rng = createRng(1);
  assert.equal(shapedLayout('row:630', 3, rng), { xM: Float64Array.of(0, 630, 1_260), yM: new Float64Array(3) });
  assert.equal(shapedLayout('grid:880', 9, rng), gridLayout(9, 880));
  assert.equal(shapedLayout('random:700', 9, rng), randomLayout(9, 700, createRng(1)));
  assert.is(shapedLayout('rows.csv', 3, rng), null);
  for (const text of ['row:', 'grid:-5', 'random:far', 'row:1e9'])
    assert.throws(
      () => shapedLayout(text, 3, rng),
      (error: unknown) => error instanceof UsageError && /is no spacing/.test(error.message),
    );
});

wakes('says what is wrong with a layout or a rose, by line and column', () => {
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
    faults(() => parseLayout('x,y\n0,0\n1e300,0\n', 'l.csv')),
    'l.csv:3:1 x 1e+300 is more than 20000 km: is it in metres?',
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
    'l.csv:1:1 is empty',
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

wakes.run();
