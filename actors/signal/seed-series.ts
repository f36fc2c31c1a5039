/**
 * The original's preparation of a whole file: its features are denoised over all of its length at once, their statistics taken, and
 * overlapping windows cut.
 *
 * What it trains on is not what it serves: the threshold grows with the length, and a device denoises 501 samples at a time.
 * `seedServingWindows` cuts a file as a device does.
 */
import type { Channel } from '../contracts/channels.ts';
import { FileInvalid } from '../contracts/errors.ts';
import type { FeatureSpec, SignalSpec } from '../contracts/model.ts';
import { seedFeatures } from './seed-features.ts';
import { openWindowSource } from './source.ts';
import { denoise } from './wavelet.ts';

/** Samples from one training window to the next. */
const STEP = 10;

/**
 * The statistics of a file: σ of each raw feature, with which it is denoised, then mean and standard deviation of what is left; each
 * over n − 1 and over what is a number, as pandas takes them.
 *
 * @param values [samples × channels], oldest first; NaN is no reading and makes NaN of what the denoising reaches
 * @returns the features with `sigma`, `mean` and `std`; a constant one has a std of 0, with which no source opens
 * @throws FileInvalid with fewer than two samples
 */
export function fitSeed(spec: SignalSpec, channels: readonly Channel[], values: Float64Array): readonly FeatureSpec[] {
  const samples = Math.floor(values.length / channels.length);
  if (samples < 2) throw new FileInvalid(`${samples} samples have no standard deviation`, { hint: 'record for longer' });
  const unfitted = spec.features.map((feature) => ({ ...feature, parameters: { sigma: 0 }, mean: 0, std: 1 }));
  return rawSeries({ ...spec, features: unfitted }, channels, values).map((raw, f) => {
    const sigma = moments(raw, raw.length).std;
    return { ...unfitted[f], parameters: { sigma }, ...moments(denoise(raw, sigma), raw.length) };
  });
}

/**
 * The original's training windows of a file; every `step` samples one begins while `begin < samples − window`, so that the last that would just fit is left out.
 *
 * @param values [samples × channels], oldest first
 * @returns [windows × features × window], normalised, 0 for NaN; empty when the file is too short
 */
export function seedTrainingWindows(spec: SignalSpec, channels: readonly Channel[], values: Float64Array, step = STEP): Float32Array {
  const size = spec.window.samples;
  const { count, sigma, mean, std } = seedFeatures(spec, channels);
  const raw = rawSeries(spec, channels, values);
  const length = raw[0].length;
  const windows = Math.max(0, Math.ceil((length - size) / step));
  const out = new Float32Array(windows * count * size);
  if (windows === 0) return out;
  for (let f = 0; f < count; f++) {
    const denoised = denoise(raw[f], sigma[f]);
    for (let w = 0; w < windows; w++) {
      for (let t = 0; t < size; t++) {
        const x = (denoised[w * step + t] - mean[f]) / std[f];
        out[(w * count + f) * size + t] = Number.isNaN(x) ? 0 : x;
      }
    }
  }
  return out;
}

/**
 * The windows that a device would cut from a file, every `hop` samples: training on them knows no other data than serving.
 *
 * @param values [samples × channels], oldest first; a sample without a needed reading begins anew
 * @returns [windows × features × window], normalised
 */
export function seedServingWindows(spec: SignalSpec, channels: readonly Channel[], values: Float64Array): Float32Array {
  const source = openWindowSource(spec, channels, 1);
  const size = spec.features.length * spec.window.samples;
  const samples = values.length / channels.length;
  const out = new Float32Array(Math.ceil(samples / spec.window.hop) * size);
  let at = 0;
  for (let i = 0; i < samples; i++) {
    if (!source.push(0, values, i * channels.length)) continue;
    source.take(0, out, at);
    at += size;
  }
  return out.slice(0, at);
}

/** [features][samples] */
function rawSeries(spec: SignalSpec, channels: readonly Channel[], values: Float64Array): Float64Array[] {
  const { count, read } = seedFeatures(spec, channels);
  const length = Math.floor(values.length / channels.length);
  const all = new Float64Array(count * length);
  for (let i = 0; i < length; i++) read(values, i * channels.length, all, i, length);
  return Array.from({ length: count }, (_, f) => all.subarray(f * length, (f + 1) * length));
}

/** Of the first `length` values, without those that are no number: the padding of an odd length does not count. */
function moments(values: Float64Array, length: number): { readonly mean: number; readonly std: number } {
  let n = 0;
  let sum = 0;
  for (let i = 0; i < length; i++) {
    if (Number.isNaN(values[i])) continue;
    n++;
    sum += values[i];
  }
  const mean = sum / n;
  let squares = 0;
  for (let i = 0; i < length; i++) if (!Number.isNaN(values[i])) squares += (values[i] - mean) ** 2;
  return { mean, std: Math.sqrt(squares / (n - 1)) };
}
