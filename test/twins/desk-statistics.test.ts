import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { column, deskTurbine } from '../../actors/contracts/channels.ts';
import { pitch, roll, yaw } from '../../actors/signal/euler.ts';
import { denoise } from '../../actors/signal/wavelet.ts';
import { twinBacking } from '../../twins/backing.ts';
import { referenceWind } from '../../twins/library/desk-turbine.ts';
import { recordTwins } from '../../twins/record.ts';
import { createRng } from '../../twins/rng.ts';

const statistics = suite('statistics of the desk turbine');

// The statistics arrays of the original's data set (float64[6]): standard deviations raw, means and standard deviations denoised.
const rawStd = { roll: 0.016420936, pitch: 0.016334996, yaw: 1.80994832, wind: 0.390586994, rps: 0.61984575, voltage: 26.38171866 };
const denoised = {
  wind: { mean: 2.15398197, std: 0.35431932 },
  rps: { mean: 1.61063302, std: 0.46953962 },
  voltage: { mean: 47.79383124, std: 15.94323948 },
};
type Feature = keyof typeof rawStd;

const SAMPLES = 300_000;
const SETTLING = 1_200;

const moments = (values: Float64Array) => {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return { mean, std: Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (values.length - 1)) };
};

statistics('300 000 samples in the reference wind have those of the original’s data set', () => {
  const backing = twinBacking({ things: ['T-001'], rng: createRng(4), wind: referenceWind });
  const { values } = recordTwins(backing, { forMs: (SAMPLES + SETTLING) * 50, epoch: 0 }).turbines[0];
  const at = (name: string) => column(deskTurbine.channels, name);
  const features: Record<Feature, Float64Array> = Object.fromEntries(
    Object.keys(rawStd).map((name) => [name, new Float64Array(SAMPLES)]),
  ) as never;
  for (let i = 0; i < SAMPLES; i++) {
    const row = (i + SETTLING) * deskTurbine.channels.length;
    const [w, x, y, z] = ['qw', 'qx', 'qy', 'qz'].map((name) => values[row + at(name)]);
    features.roll[i] = roll(x, y, z, w);
    features.pitch[i] = pitch(x, y, z, w);
    features.yaw[i] = yaw(x, y, z, w);
    features.wind[i] = values[row + at('wind_speed_rps')];
    features.rps[i] = values[row + at('rps')];
    features.voltage[i] = values[row + at('voltage')];
  }

  for (const name of Object.keys(rawStd) as Feature[]) {
    const { std, mean } = moments(features[name]);
    const tolerance = name === 'yaw' ? 0.03 : 0.1;
    assert.ok(Math.abs(std / rawStd[name] - 1) <= tolerance, `raw ${name}: ${std}, not ${rawStd[name]}`);
    if (name === 'roll' || name === 'pitch') assert.ok(Math.abs(mean) <= 0.01, `mean ${name}: ${mean}`);
  }
  for (const [name, wanted] of Object.entries(denoised) as [keyof typeof denoised, { mean: number; std: number }][]) {
    const { mean, std } = moments(denoise(features[name], rawStd[name]));
    assert.ok(Math.abs(mean / wanted.mean - 1) <= 0.02, `denoised mean of ${name}: ${mean}, not ${wanted.mean}`);
    assert.ok(Math.abs(std / wanted.std - 1) <= 0.1, `denoised spread of ${name}: ${std}, not ${wanted.std}`);
  }
});

statistics.run();
