import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { denoise } from '../../actors/signal/wavelet.ts';
import { machineNamed } from '../../twins/library/machines.ts';
import { createRng } from '../../twins/rng.ts';
import { deskFeatures, moments } from '../../twins/validity/desk-checks.ts';

const statistics = suite('statistics of the desk turbine');

// The statistics arrays of the original's data set (float64[6]): standard deviations raw, means and standard deviations denoised.
const rawStd = { roll: 0.016420936, pitch: 0.016334996, yaw: 1.80994832, wind: 0.390586994, rps: 0.61984575, voltage: 26.38171866 };
const denoised = {
  wind: { mean: 2.15398197, std: 0.35431932 },
  rps: { mean: 1.61063302, std: 0.46953962 },
  voltage: { mean: 47.79383124, std: 15.94323948 },
};

statistics('300 000 samples in the reference wind have those of the original’s data set', () => {
  const features = deskFeatures(machineNamed('desk-turbine'), createRng(4));

  for (const [name, wanted] of Object.entries(rawStd) as [keyof typeof rawStd, number][]) {
    const { std, mean } = moments(features[name]);
    const tolerance = name === 'yaw' ? 0.03 : 0.1;
    assert.is(features[name].length, 300_000);
    assert.ok(Math.abs(std / wanted - 1) <= tolerance, `raw ${name}: ${std}, not ${wanted}`);
    if (name === 'roll' || name === 'pitch') assert.ok(Math.abs(mean) <= 0.01, `mean ${name}: ${mean}`);
  }
  for (const [name, wanted] of Object.entries(denoised) as [keyof typeof denoised, { mean: number; std: number }][]) {
    const { mean, std } = moments(denoise(features[name], rawStd[name]));
    assert.ok(Math.abs(mean / wanted.mean - 1) <= 0.02, `denoised mean of ${name}: ${mean}, not ${wanted.mean}`);
    assert.ok(Math.abs(std / wanted.std - 1) <= 0.1, `denoised spread of ${name}: ${std}, not ${wanted.std}`);
  }
});

statistics.run();
