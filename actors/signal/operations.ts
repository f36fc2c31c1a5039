/**
 * The operations of the `stream` pipeline, by name: each turns some channels of one sample into one feature, with a few numbers
 * of memory and nothing of the future.
 *
 * Low-passes are one pole, y ← y + (x − y) max(1/n, 1 − e^(−1/(rate·seconds))): at first the running mean of the n samples so far, so
 * that the very first one weighs no more than the others. Memory, value and n, is NaN before the first sample.
 */
import { pitch, roll } from './euler.ts';

export interface Operation {
  /** Channels that it reads; Infinity is any number from one on. */
  readonly channels: number;
  /** Names of its constants, all of them needed. */
  readonly parameters: readonly string[];
  /** Numbers of memory, for so many channels. */
  memory(channels: number): number;
  /** @param at index of this row's memory. @returns the feature; NaN when a channel has no reading. */
  step(x: readonly number[], memory: Float64Array, at: number, parameters: Readonly<Record<string, number>>, rateHz: number): number;
}

/** Numbers of memory that one low-pass takes. */
const LOW_PASS = 2;

const lowPass = (memory: Float64Array, at: number, x: number, seconds: number, rateHz: number): number => {
  const before = memory[at];
  const samples = Number.isNaN(before) ? 1 : memory[at + 1] + 1;
  memory[at + 1] = samples;
  memory[at] = samples === 1 || seconds <= 0 ? x : before + (x - before) * Math.max(1 / samples, 1 - Math.exp(-1 / (rateHz * seconds)));
  return memory[at];
};

export const operations: Readonly<Record<string, Operation>> = {
  /** The channel as it is, low-passed by `seconds` (0 for none). */
  value: {
    channels: 1,
    parameters: ['seconds'],
    memory: () => LOW_PASS,
    step: ([x], memory, at, { seconds }, rateHz) => lowPass(memory, at, x, seconds, rateHz),
  },
  /** Roll of the quaternion qx qy qz qw, rad, low-passed. */
  roll: {
    channels: 4,
    parameters: ['seconds'],
    memory: () => LOW_PASS,
    step: ([x, y, z, w], memory, at, { seconds }, rateHz) => lowPass(memory, at, roll(x, y, z, w), seconds, rateHz),
  },
  /** Pitch of the quaternion qx qy qz qw, rad, low-passed. */
  pitch: {
    channels: 4,
    parameters: ['seconds'],
    memory: () => LOW_PASS,
    step: ([x, y, z, w], memory, at, { seconds }, rateHz) => lowPass(memory, at, pitch(x, y, z, w), seconds, rateHz),
  },
  /** Vibration: the root mean square, over `rmsSeconds`, of what is left of the channels above a high-pass of `seconds`. */
  vibration: {
    channels: Infinity,
    parameters: ['seconds', 'rmsSeconds'],
    memory: (channels) => LOW_PASS * (channels + 1),
    step(x, memory, at, { seconds, rmsSeconds }, rateHz) {
      let power = 0;
      for (let c = 0; c < x.length; c++) power += (x[c] - lowPass(memory, at + LOW_PASS * c, x[c], seconds, rateHz)) ** 2;
      return Math.sqrt(lowPass(memory, at + LOW_PASS * x.length, power, rmsSeconds, rateHz));
    },
  },
  /** How far the first channel is from a line through the second that ends at 0: y − max(0, slope·x + offset), both low-passed; y lags by `lagSeconds` more. */
  relation: {
    channels: 2,
    parameters: ['slope', 'offset', 'seconds', 'lagSeconds'],
    memory: () => 3 * LOW_PASS,
    step([y, x], memory, at, { slope, offset, seconds, lagSeconds }, rateHz) {
      const lagged = lowPass(memory, at + 2 * LOW_PASS, y, lagSeconds, rateHz);
      return (
        lowPass(memory, at, lagged, seconds, rateHz) - Math.max(0, slope * lowPass(memory, at + LOW_PASS, x, seconds, rateHz) + offset)
      );
    },
  },
};
