/**
 * The features of the `seed-db6` pipeline: attitude angles or a channel as it is, a sample at a time and without memory, and how the
 * buffer of them is cut. Each feature carries σ of its raw training data, from which its denoising threshold follows.
 */
import type { Channel } from '../contracts/channels.ts';
import type { SignalSpec } from '../contracts/model.ts';
import { pitch, roll, yaw } from './euler.ts';
import { type OperationShape, refuseSignal, resolveFeatures } from './resolve.ts';

/** Samples that are denoised together. */
export const BUFFER = 501;
/** Of the 502 values that come back, the newest that no window holds; one of them is the denoiser's padding, not a sample. */
export const UNUSED = 10;
/** The value before which a window ends. */
export const WINDOW_END = BUFFER + 1 - UNUSED;

interface SeedOperation extends OperationShape {
  of(x: readonly number[]): number;
}

const parameters = ['sigma'];

const operations: Readonly<Record<string, SeedOperation>> = {
  /** Of the quaternion qx qy qz qw, rad; yaw wraps at ±π. */
  roll: { channels: [4, 4], parameters, of: ([x, y, z, w]) => roll(x, y, z, w) },
  pitch: { channels: [4, 4], parameters, of: ([x, y, z, w]) => pitch(x, y, z, w) },
  yaw: { channels: [4, 4], parameters, of: ([x, y, z, w]) => yaw(x, y, z, w) },
  value: { channels: [1, 1], parameters, of: ([x]) => x },
};

export interface SeedFeatures {
  readonly count: number;
  /** [features] */
  readonly sigma: readonly number[];
  readonly mean: readonly number[];
  readonly std: readonly number[];
  /** @param values channels from `offset` on. @param out feature f goes to `outOffset` + f · `stride`. @returns whether all are finite. */
  read(values: Float64Array, offset: number, out: Float64Array, outOffset: number, stride: number): boolean;
}

/** @throws ModelRejected naming what the original's way of cutting windows does not allow, or the operation, channel or constant that is not there. */
export function seedFeatures(spec: SignalSpec, channels: readonly Channel[]): SeedFeatures {
  const { samples, settle } = spec.window;
  if (samples > WINDOW_END)
    refuseSignal(`windows of ${samples} samples do not fit into the ${BUFFER} that seed-db6 denoises: ${WINDOW_END} at most`);
  if (settle !== 0) refuseSignal(`settle ${settle}: the buffer of seed-db6 is all its memory, so it must be 0`);
  const features = resolveFeatures(spec, channels, operations);
  for (const { name, parameters } of features)
    if (parameters['sigma'] < 0) refuseSignal(`feature ${name}: sigma ${parameters['sigma']} is below 0`);

  return {
    count: features.length,
    sigma: features.map((feature) => feature.parameters['sigma']),
    mean: features.map((feature) => feature.mean),
    std: features.map((feature) => feature.std),
    read(values, offset, out, outOffset, stride) {
      let isWhole = true;
      for (let f = 0; f < features.length; f++) {
        const { operation, sources, read } = features[f];
        for (let c = 0; c < sources.length; c++) read[c] = values[offset + sources[c]];
        const x = operation.of(read);
        out[outOffset + f * stride] = x;
        isWhole &&= Number.isFinite(x);
      }
      return isWhole;
    },
  };
}
