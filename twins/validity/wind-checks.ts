/** Wakes against FLORIS and IEA Wind Task 37, turbulence against Kaimal, the gust against IEC 61400-1. */
import type { Rng } from '../../actors/contracts/rng.ts';
import type { TwinMachine } from '../library/machines.ts';
import { createPlant, PLANT_STEP_S } from '../plant.ts';
import { wokenFarm } from '../wake.ts';
import { STANDARD_DENSITY } from '../wind/air.ts';
import { gustAmplitudeMps, gustMps, integralLengthM, turbulenceSigmaMps } from '../wind/iec.ts';
import { rowLayout } from '../wind/layout.ts';
import { createTurbulence } from '../wind/turbulence.ts';
import type { Check } from './check.ts';
import { kaimalDensity, logBands, meanSpectrum } from './spectrum.ts';

type VariableSpeed = Extract<TwinMachine, { kind: 'variable-speed' }>;

/** NREL/floris a6fc5d3, tests/reg_tests: three NREL 5-MW turbines 630 m apart, 8 m/s, TI 0.1, shear 0.12; power in W. */
const FLORIS_W = {
  jensen: [1753954.4591792, 767287.2198744, 577575.9208353],
  gauss: [1753954.4591792, 710441.9192938, 741642.0177873],
};
const INERTIAL_HZ = 0.2;
const FLORIS_WIND = { windMps: 8, directionDeg: 270, turbulenceIntensity: 0.1, shear: 0.12 };

/** Only the 5-MW has FLORIS' figures. */
export function wakeChecks(machine: VariableSpeed): Check[] {
  return (['jensen', 'gauss'] as const).map((wake) => {
    const farm = wokenFarm(wake, machine, rowLayout(3, 630), FLORIS_WIND);
    const spacings = Array.from({ length: 60 }, (_, i) => 126 * (3 + i / 3));
    return {
      name: `three turbines in ${wake} wakes`,
      source: 'NREL/floris a6fc5d3, regression tests',
      deviation: Math.max(...farm.map(({ powerKw }, i) => Math.abs((powerKw * 1_000) / FLORIS_W[wake][i] - 1))),
      allowed: wake === 'jensen' ? 1e-4 : 1e-5,
      unit: 'of the power',
      plots: [
        {
          title: 'power of three in a row',
          xLabel: 'place in the row, m',
          yLabel: 'power, kW',
          curves: [
            { label: wake, x: farm.map(({ x }) => x), y: farm.map(({ powerKw }) => powerKw) },
            { label: 'FLORIS', x: farm.map(({ x }) => x), y: FLORIS_W[wake].map((watt) => watt / 1_000), isReference: true },
          ],
        },
        {
          title: `wind behind a turbine, ${wake}`,
          xLabel: 'distance, m',
          yLabel: 'rotor’s wind, m/s',
          curves: [0, 63, 126].map((asideM) => ({
            label: `${asideM} m aside`,
            x: spacings,
            y: spacings.map(
              (x) => wokenFarm(wake, machine, { xM: Float64Array.of(0, x), yM: Float64Array.of(0, asideM) }, FLORIS_WIND)[1].windMps,
            ),
          })),
        },
      ],
    };
  });
}

/** Turbulence of class B at 12 m/s, over an ensemble. @param chance for its members */
export function turbulenceChecks(hubHeightM: number, chance: Rng): Check[] {
  const [meanMps, members, samples] = [12, 16, 1 << 17];
  const sigmaMps = turbulenceSigmaMps(meanMps, 'B');
  const lengthM = integralLengthM(hubHeightM);
  const streams = Array.from({ length: members }, (_, i) => chance.fork(`member ${i}`));
  const turbulence = createTurbulence({ streams, meanMps, lengthM, dt: PLANT_STEP_S });
  const series = streams.map(() => new Float64Array(samples));
  const now = new Float64Array(members);
  for (let step = 0; step < samples; step++) {
    turbulence.advance(now, step, 0, members);
    for (let m = 0; m < members; m++) series[m][step] = sigmaMps * now[m];
  }
  const wanted = (f: number) => kaimalDensity(f, sigmaMps, lengthM, meanMps);
  const bands = logBands(0.005, 2, 40);
  const got = meanSpectrum(series, PLANT_STEP_S, bands, wanted);
  const decibels = bands.map(({ f }, i) => 10 * Math.log10(got[i] / wanted(f)));
  const x = bands.map(({ f }) => f);
  const source = 'normal turbulence model and Kaimal’s spectrum of IEC 61400-1';
  const variance = series.reduce((sum, values) => sum + values.reduce((s, v) => s + v * v, 0), 0) / members / samples;
  const inertial = bands.flatMap(({ f }, i) => (f >= INERTIAL_HZ ? [i] : []));
  const slope = (of: readonly number[]) =>
    logSlope(
      inertial.map((i) => x[i]),
      inertial.map((i) => of[i]),
    );
  const spectrum: Check = {
    name: 'spectrum of the turbulence of class B at 12 m/s',
    source,
    deviation: Math.sqrt(decibels.reduce((sum, db) => sum + db * db, 0) / decibels.length),
    allowed: 0.5,
    unit: 'dB rms',
    plots: [
      {
        title: 'spectrum',
        xLabel: 'frequency, Hz',
        yLabel: 'density, m²/s² a Hz',
        logarithmic: true,
        curves: [
          { label: 'twin', x, y: got },
          { label: 'Kaimal', x, y: x.map(wanted), isReference: true },
        ],
      },
    ],
  };
  const percent = (got: number, want: number) => Math.abs(100 * (got / want - 1));
  return [
    spectrum,
    { name: 'spread of the turbulence', source, deviation: percent(Math.sqrt(variance), sigmaMps), allowed: 3, unit: '%', plots: [] },
    {
      name: 'slope of the spectrum above 0.2 Hz',
      source,
      deviation: percent(slope(got), slope(x.map(wanted))),
      allowed: 3,
      unit: '%',
      plots: [],
    },
  ];
}

/** Of a line through the logarithms, least squares. */
function logSlope(x: readonly number[], y: readonly number[]): number {
  const [xs, ys] = [x.map(Math.log), y.map(Math.log)];
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [mx, my] = [mean(xs), mean(ys)];
  return xs.reduce((sum, at, i) => sum + (at - mx) * (ys[i] - my), 0) / xs.reduce((sum, at) => sum + (at - mx) ** 2, 0);
}

/** The extreme operating gust of class IB, and how the turbine takes it: never faster than its trip speed. */
export function gustCheck(machine: VariableSpeed): Check {
  const { hubHeightM, rotorRadiusM, pitch, drivetrain } = machine.parameters;
  const hubMps = 11.4;
  const sigmaMps = turbulenceSigmaMps(hubMps, 'B');
  const amplitude = gustAmplitudeMps({ hubMps, sigmaMps, diameterM: 2 * rotorRadiusM, hubHeightM });
  const plant = createPlant(machine, 1);
  plant.settle(0, hubMps);
  const ratedRpm = (pitch.referenceRadPerS * 30) / Math.PI / drivetrain.gearRatio;
  const [t, wind, rotor]: number[][] = [[], [], []];
  for (let step = 0; step < 60 / PLANT_STEP_S; step++) {
    const windMps = hubMps + gustMps(amplitude, step * PLANT_STEP_S - 10);
    plant.step([windMps], STANDARD_DENSITY);
    t.push(step * PLANT_STEP_S);
    wind.push(windMps);
    rotor.push(plant.read(0).rotorRpm);
  }
  return {
    name: 'an extreme operating gust at 11.4 m/s',
    source: 'IEC 61400-1 (EOG, class IB); overspeed below 1.25 of rated is an assumption',
    deviation: Math.max(...rotor) / ratedRpm,
    allowed: 1.25,
    unit: 'of rated speed',
    isLimit: true,
    plots: [
      { title: 'gust', xLabel: 'time, s', yLabel: 'wind, m/s', curves: [{ label: 'wind', x: t, y: wind }] },
      { title: 'rotor speed', xLabel: 'time, s', yLabel: 'rotor, 1/min', curves: [{ label: machine.name, x: t, y: rotor }] },
    ],
  };
}
