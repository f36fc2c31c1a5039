/**
 * What the original serves its network with: `seed-db6` over six features, their statistics and thresholds as it ships them (float64
 * arrays raw_std, mean, std and thresholds). For a network of its shape that comes with nothing else.
 */
import type { SignalSpec, ThresholdSpec } from '../../actors/contracts/model.ts';

const QUATERNION = ['qx', 'qy', 'qz', 'qw'];

/** Name, operation, channels; σ of the raw data; mean and standard deviation after denoising; threshold of the mean absolute error. */
const FEATURES = [
  ['roll', 'roll', QUATERNION, 0.016420936223837328, -0.007964888641109898, 0.00749032366908536, 1.0827953869777986],
  ['pitch', 'pitch', QUATERNION, 0.016334995704541194, 0.0011708225976491218, 0.0042807694729227255, 0.7643392252412812],
  ['yaw', 'yaw', QUATERNION, 1.8099483201980124, -0.10684876812419516, 0.48142986104607144, 0.9999310888948346],
  ['wind_speed_rps', 'value', ['wind_speed_rps'], 0.390586993510686, 2.1539819710169525, 0.354319324916855, 0.8415668710195762],
  ['rps', 'value', ['rps'], 0.6198457502848073, 1.6106330201974879, 0.46953962260612736, 0.8265145168668945],
  ['voltage', 'value', ['voltage'], 26.381718657769373, 47.79383123678855, 15.94323947766873, 0.9139359431676647],
] as const;

/** Of one window, without the batch. */
export const ORIGINAL_INPUT: readonly number[] = [6, 10, 10];

/** Windows of 100 samples; a device judges one every 10 samples, as far apart as the original's training windows begin. */
export const originalSignal: SignalSpec = {
  pipeline: 'seed-db6',
  rateHz: 20,
  window: { samples: 100, hop: 10, settle: 0 },
  features: FEATURES.map(([name, op, channels, sigma, mean, std]) => ({ name, op, channels, parameters: { sigma }, mean, std })),
};

/** Means of the errors of normal windows: by construction many normal windows exceed them. */
export const originalThresholds: readonly ThresholdSpec[] = FEATURES.map(([feature, , , , , , mae]) => ({ feature, mae }));
