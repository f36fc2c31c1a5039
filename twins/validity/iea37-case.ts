/** The layout case study of IEA Wind Task 37 with 16 turbines: its wind rose, its layout, and its energy of a year by direction. */
import { energyOfYear } from '../wake.ts';
import type { Check } from './check.ts';

/** iea37-ex16.yaml and iea37-windrose.yaml, as in DTUWindEnergy/PyWake `py_wake/examples/data/iea37`. */
const X_M = [
  0, 650, 200.861, -525.861, -525.861, 200.861, 1300, 1051.7221, 401.7221, -401.7221, -1051.7221, -1300, -1051.7221, -401.7221, 401.7221,
  1051.7221,
];
const Y_M = [
  0, 0, 618.1867, 382.0604, -382.0604, -618.1867, 0, 764.1208, 1236.3735, 1236.3735, 764.1208, 0, -764.1208, -1236.3735, -1236.3735,
  -764.1208,
];
const ROSE = [0.025, 0.024, 0.029, 0.036, 0.063, 0.065, 0.1, 0.122, 0.063, 0.038, 0.039, 0.083, 0.213, 0.046, 0.032, 0.022];
const MWH = [
  9444.60012, 8497.90004, 11383.32869, 14173.40367, 20979.36776, 25590.86774, 39252.85757, 43197.65856, 23800.39229, 13539.36766, 15022.898,
  32644.44314, 71157.32322, 18092.10102, 12326.48041, 7838.58128,
];

/** All sixteen directions, and their sum. */
export function energyOfYearCheck(): Check {
  const rose = ROSE.map((probability, i) => ({ directionDeg: (360 * i) / ROSE.length, probability, windMps: null }));
  const { mwh, bins } = energyOfYear('iea37', null, { xM: Float64Array.from(X_M), yM: Float64Array.from(Y_M) }, rose);
  const x = rose.map(({ directionDeg }) => directionDeg);
  const total = MWH.reduce((sum, each) => sum + each, 0);
  return {
    name: 'energy of a year of 16 turbines',
    source: 'IEA Wind Task 37, case study 1',
    deviation: Math.max(Math.abs(mwh / total - 1), ...bins.map((each, i) => Math.abs(each / MWH[i] - 1))),
    allowed: 1e-6,
    unit: 'of the energy',
    plots: [
      {
        title: 'energy by direction',
        xLabel: 'from, °',
        yLabel: 'energy, MWh',
        curves: [
          { label: 'twin', x, y: bins },
          { label: 'IEA Task 37', x, y: MWH, isReference: true },
        ],
      },
    ],
  };
}
