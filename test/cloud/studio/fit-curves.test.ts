import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { FeatureSpec, SignalSpec } from '../../../actors/contracts/model.ts';
import { fitCurves } from '../../../cloud/studio/fit-curves.ts';
import { createRng } from '../../../twins/rng.ts';

const fit = suite('fitted curves');

const channels = [
  { name: 'y', unit: '1' },
  { name: 'x', unit: '1' },
  { name: 'a', unit: 'g' },
];
const feature = (op: string, names: string[], parameters: Record<string, number>): FeatureSpec => ({
  name: 'f',
  op,
  channels: names,
  parameters: { gate: 0.5, gateSeconds: 0, ...parameters },
  mean: 0,
  std: 1,
});
const signal = (one: FeatureSpec): SignalSpec => ({
  pipeline: 'stream',
  rateHz: 20,
  window: { samples: 100, hop: 100, settle: 0 },
  features: [one],
});

/** Two rows of an hour: x wanders slowly between 1 and 5, and now and then the rotor stands. @returns the fitted points */
function fitted(one: FeatureSpec, reading: (x: number, i: number) => readonly [y: number, a: number]): [x: number, y: number][] {
  const fits = fitCurves(signal(one), channels, 2)!;
  const values = new Float64Array(3);
  for (const row of [0, 1])
    for (let i = 0; i < 72_000; i++) {
      const stands = i % 20_000 < 400;
      const x = stands ? 0 : 3 + 2 * Math.sin(i / 4_000 + row);
      const [y, a] = reading(x, i + row * 72_000);
      values.set([stands ? 99 : y, x, a]);
      fits.hear(row, 'training', i === 0, values, 0);
    }
  const { parameters } = fits.finish().features[0];
  return Array.from({ length: 8 }, (_, p) => [parameters[`x${p}`], parameters[`y${p}`]]);
}

fit('follow what is usual through noise, and what stands still does not count', () => {
  const rng = createRng(8);
  const usual = (x: number) => 2 * x * x - 1;
  const points = fitted(feature('curve', ['y', 'x', 'x'], { lagSeconds: 0, xLagSeconds: 0 }), (x, i) => [
    usual(x) * (1 + 0.2 * rng.normal(i)),
    0,
  ]);

  assert.ok(points[0][0] > 0.95 && points[0][0] < 1.1 && points[7][0] > 4.9 && points[7][0] < 5.05, JSON.stringify(points));
  for (const [p, [x, y]] of points.entries()) {
    if (p > 0) assert.ok(x > points[p - 1][0]);
    assert.ok(Math.abs(y - usual(x)) < 0.04 * usual(x) + 0.15, `at ${x}: ${y}, not ${usual(x)}`);
  }
});

fit('of a vibration are its root mean square at a speed', () => {
  const rng = createRng(9);
  const points = fitted(feature('vibration-curve', ['a', 'x'], { highPassSeconds: 1_000, lagSeconds: 0, speedSeconds: 0 }), (x, i) => [
    0,
    (1 + x) * rng.normal(i),
  ]);
  for (const [x, y] of points) assert.ok(Math.abs(y / (1 + x) - 1) < 0.05, `at ${x}: ${y}, not ${1 + x}`);
});

fit('there are none to fit where no feature has one', () => {
  assert.is(fitCurves(signal(feature('value', ['y'], { seconds: 1 })), channels, 1), null);
});

fit.run();
