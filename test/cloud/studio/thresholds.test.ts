import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SignalSpec } from '../../../actors/contracts/model.ts';
import { thresholdsOf } from '../../../cloud/studio/thresholds.ts';
import { createRng } from '../../../twins/rng.ts';

const thresholds = suite('thresholds');

const signal = (features: number): SignalSpec => ({
  pipeline: 'stream',
  rateHz: 20,
  window: { samples: 100, hop: 100, settle: 0 },
  features: Array.from({ length: features }, (_, f) => ({ name: `f${f}`, op: 'value', channels: ['x'], parameters: {}, mean: 0, std: 1 })),
});
const WINDOWS_A_WEEK = 120_960;

/** Errors like a model's: features are shares of the same standard normal |z|, each with a memory of some windows. */
function errors(windows: number, features: number, seed: number, memory = 0.7): Float32Array {
  const out = new Float32Array(windows * features);
  for (let f = 0; f < features; f++) {
    const rng = createRng(seed).fork(`feature ${f}`);
    let z = 0;
    for (let w = 0; w < windows; w++) {
      z = memory * z + Math.sqrt(1 - memory ** 2) * rng.normal(w);
      out[w * features + f] = Math.abs(z) * (f + 1);
    }
  }
  return out;
}

/** Turns to anomalous, as devices announce them. */
function alarms(all: Float32Array, limits: readonly number[], persistence: number): number {
  const features = limits.length;
  let [announced, against, count] = [false, 0, 0];
  for (let w = 0; w < all.length / features; w++) {
    const anomalous = limits.some((limit, f) => all[w * features + f] > limit);
    against = anomalous === announced ? 0 : against + 1;
    if (against < persistence) continue;
    announced = anomalous;
    against = 0;
    if (announced) count++;
  }
  return count;
}

thresholds('hold the stated rate of false alarms on windows that they have not seen', () => {
  for (const persistence of [1, 2])
    for (const alarmsPerWeek of [4, 20]) {
      const limits = thresholdsOf(errors(60_000, 3, 1), signal(3), { persistence, alarmsPerWeek }).map(({ mae }) => mae);
      const weeks = 5;
      const heard = alarms(errors(weeks * WINDOWS_A_WEEK, 3, 2), limits, persistence) / weeks;
      assert.ok(
        heard > alarmsPerWeek / 4 && heard < 2 * alarmsPerWeek,
        `persistence ${persistence}: ${heard} a week, wanted ${alarmsPerWeek}`,
      );
    }
});

thresholds('fall with persistence, rise as alarms become rarer, and scale with the errors', () => {
  const limits = (persistence: number, alarmsPerWeek: number) =>
    thresholdsOf(errors(20_000, 2, 5), signal(2), { persistence, alarmsPerWeek }).map(({ mae }) => mae);
  const [usual, patient, strict] = [limits(1, 5), limits(3, 5), limits(1, 0.05)];
  for (const f of [0, 1]) assert.ok(patient[f] < usual[f] && usual[f] < strict[f]);
  assert.ok(Math.abs(usual[1] / usual[0] - 2) < 0.3);
});

thresholds('of too few windows for a tail lie well above all that was seen', () => {
  const few = errors(8, 1, 9);
  const [{ feature, mae }] = thresholdsOf(few, signal(1), { persistence: 1, alarmsPerWeek: 1 });
  assert.is(feature, 'f0');
  assert.ok(Math.abs(mae / Math.max(...few) - 1.5) < 1e-6);
});

thresholds.run();
