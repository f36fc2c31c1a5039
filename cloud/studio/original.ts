/**
 * What the original serves its network with: `seed-db6` over six features, their statistics and thresholds as it ships them (float64
 * arrays raw_std, mean, std and thresholds). For a network of its shape that comes with nothing else.
 */
import type { SignalSpec, ThresholdSpec } from '../../actors/contracts/model.ts';
import { seedFeatures } from './features.ts';

/** Of one window, without the batch. */
export const ORIGINAL_INPUT: readonly number[] = [6, 10, 10];

/** Windows of 100 samples; a device judges one every 10 samples, as far apart as the original's training windows begin. */
export const originalSignal: SignalSpec = {
  pipeline: 'seed-db6',
  rateHz: 20,
  window: { samples: 100, hop: 10, settle: 0 },
  features: seedFeatures,
};

/** Means of the errors of normal windows: by construction many normal windows exceed them. */
const MEAN_ERRORS = [
  1.0827953869777986, 0.7643392252412812, 0.9999310888948346, 0.8415668710195762, 0.8265145168668945, 0.9139359431676647,
];

export const originalThresholds: readonly ThresholdSpec[] = seedFeatures.map(({ name }, f) => ({ feature: name, mae: MEAN_ERRORS[f] }));
