/** The desk turbine against the statistics of the original's data set: raw standard deviations, and means and deviations after its denoising. */
import { column, deskTurbine } from '../../actors/contracts/channels.ts';
import { createSampleBlock } from '../../actors/contracts/backing.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import { pitch, roll, yaw } from '../../actors/signal/euler.ts';
import { denoise } from '../../actors/signal/wavelet.ts';
import { twinBacking } from '../backing.ts';
import { referenceWind } from '../library/desk-turbine.ts';
import type { TwinMachine } from '../library/machines.ts';
import { torqueCoefficient } from '../turbine/fixed-pitch/rotor.ts';
import type { Check } from './check.ts';

/** The original's statistics arrays: float64[6] each. */
export const dataSet = {
  rawStd: { roll: 0.016420936, pitch: 0.016334996, yaw: 1.80994832, wind: 0.390586994, rps: 0.61984575, voltage: 26.38171866 },
  mean: { wind: 2.15398197, rps: 1.61063302, voltage: 47.79383124 },
  std: { wind: 0.35431932, rps: 0.46953962, voltage: 15.94323948 },
};

const SAMPLES = 300_000;
const SETTLING = 1_200;

/** The six features of the original over 300 000 samples in the reference wind, after a minute. */
export function deskFeatures(machine: TwinMachine, rng: Rng): Record<keyof typeof dataSet.rawStd, Float64Array> {
  const backing = twinBacking({ things: ['T-001'], rng, machine, wind: referenceWind });
  const block = createSampleBlock(backing.channels, 1);
  const at = (name: string) => column(deskTurbine.channels, name);
  const [qw, qx, qy, qz, wind, rps, voltage] = ['qw', 'qx', 'qy', 'qz', 'wind_speed_rps', 'rps', 'voltage'].map(at);
  const series = () => new Float64Array(SAMPLES);
  const features = { roll: series(), pitch: series(), yaw: series(), wind: series(), rps: series(), voltage: series() };
  for (let i = -SETTLING; i < SAMPLES; i++) {
    backing.advance((i + SETTLING + 1) * 50);
    if (i < 0) continue;
    backing.sample(block);
    const v = block.values;
    features.roll[i] = roll(v[qx], v[qy], v[qz], v[qw]);
    features.pitch[i] = pitch(v[qx], v[qy], v[qz], v[qw]);
    features.yaw[i] = yaw(v[qx], v[qy], v[qz], v[qw]);
    features.wind[i] = v[wind];
    features.rps[i] = v[rps];
    features.voltage[i] = v[voltage];
  }
  return features;
}

export function moments(values: Float64Array): { readonly mean: number; readonly std: number } {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return { mean, std: Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1)) };
}

export function deskChecks(machine: Extract<TwinMachine, { kind: 'fixed-pitch' }>, rng: Rng): Check[] {
  const features = deskFeatures(machine, rng);
  const source = 'statistics arrays of the original’s data set';
  const off = (got: number, wanted: number) => Math.abs(100 * (got / wanted - 1));
  const raw = Object.entries(dataSet.rawStd).map(([name, wanted]) => ({
    name,
    off: off(moments(features[name as keyof typeof features]).std, wanted),
  }));
  const smooth = (['wind', 'rps', 'voltage'] as const).map((name) => ({ name, ...moments(denoise(features[name], dataSet.rawStd[name])) }));
  const minutes = Array.from({ length: 2_400 }, (_, i) => i / 20);
  const lambdas = Array.from({ length: 51 }, (_, i) => i / 10);
  return [
    {
      name: 'raw spread of six features',
      source,
      deviation: Math.max(...raw.filter(({ name }) => name !== 'yaw').map(({ off }) => off)),
      allowed: 10,
      unit: '%',
      plots: (['wind', 'rps', 'voltage'] as const).map((name) => ({
        title: `${name}, two minutes`,
        xLabel: 'time, s',
        yLabel: name,
        curves: [{ label: name, x: minutes, y: [...features[name].subarray(0, minutes.length)] }],
      })),
    },
    {
      name: 'spread of the yaw, which is drift',
      source,
      deviation: raw.find(({ name }) => name === 'yaw')?.off ?? 0,
      allowed: 3,
      unit: '%',
      plots: [],
    },
    {
      name: 'means after denoising',
      source,
      deviation: Math.max(...smooth.map(({ name, mean }) => off(mean, dataSet.mean[name]))),
      allowed: 2,
      unit: '%',
      plots: [],
    },
    {
      name: 'spread after denoising',
      source,
      deviation: Math.max(...smooth.map(({ name, std }) => off(std, dataSet.std[name]))),
      allowed: 10,
      unit: '%',
      plots: [],
    },
    {
      name: 'mean of roll and pitch',
      source,
      deviation: Math.max(Math.abs(moments(features.roll).mean), Math.abs(moments(features.pitch).mean)),
      allowed: 0.01,
      unit: 'rad',
      plots: [],
    },
    {
      name: 'Betz’s limit',
      source: 'A. Betz, 1920: Cp ≤ 16/27',
      deviation: Math.max(...lambdas.map((lambda) => lambda * torqueCoefficient(machine.parameters, lambda))),
      allowed: 16 / 27,
      unit: 'Cp',
      isLimit: true,
      plots: [
        {
          title: 'power coefficient',
          xLabel: 'tip-speed ratio',
          yLabel: 'Cp',
          curves: [{ label: machine.name, x: lambdas, y: lambdas.map((lambda) => lambda * torqueCoefficient(machine.parameters, lambda)) }],
        },
      ],
    },
  ];
}
