/**
 * The operations of the `stream` pipeline, by name: each turns some channels of one sample into one feature, with a few numbers
 * of memory and nothing of the future.
 *
 * Low-passes are one pole, y ← y + (x − y)(1 − e^(−1/(rate·seconds))); memory is NaN before the first sample.
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

const lowPass = (memory: Float64Array, at: number, x: number, seconds: number, rateHz: number): number => {
  const before = memory[at];
  memory[at] = Number.isNaN(before) || seconds <= 0 ? x : before + (x - before) * (1 - Math.exp(-1 / (rateHz * seconds)));
  return memory[at];
};

export const operations: Readonly<Record<string, Operation>> = {
  /** The channel as it is, low-passed by `seconds` (0 for none). */
  value: {
    channels: 1,
    parameters: ['seconds'],
    memory: () => 1,
    step: ([x], memory, at, { seconds }, rateHz) => lowPass(memory, at, x, seconds, rateHz),
  },
  /** Roll of the quaternion qx qy qz qw, rad, low-passed. */
  roll: {
    channels: 4,
    parameters: ['seconds'],
    memory: () => 1,
    step: ([x, y, z, w], memory, at, { seconds }, rateHz) => lowPass(memory, at, roll(x, y, z, w), seconds, rateHz),
  },
  /** Pitch of the quaternion qx qy qz qw, rad, low-passed. */
  pitch: {
    channels: 4,
    parameters: ['seconds'],
    memory: () => 1,
    step: ([x, y, z, w], memory, at, { seconds }, rateHz) => lowPass(memory, at, pitch(x, y, z, w), seconds, rateHz),
  },
  /** Vibration: the root mean square, over `rmsSeconds`, of what is left of the channels above a high-pass of `seconds`. */
  vibration: {
    channels: Infinity,
    parameters: ['seconds', 'rmsSeconds'],
    memory: (channels) => channels + 1,
    step(x, memory, at, { seconds, rmsSeconds }, rateHz) {
      let power = 0;
      for (let c = 0; c < x.length; c++) power += (x[c] - lowPass(memory, at + c, x[c], seconds, rateHz)) ** 2;
      return Math.sqrt(lowPass(memory, at + x.length, power, rmsSeconds, rateHz));
    },
  },
  /** How far the first channel is from a line through the second that ends at 0: y − max(0, slope·x + offset), both low-passed; y lags by `lagSeconds` more. */
  relation: {
    channels: 2,
    parameters: ['slope', 'offset', 'seconds', 'lagSeconds'],
    memory: () => 3,
    step([y, x], memory, at, { slope, offset, seconds, lagSeconds }, rateHz) {
      const lagged = lowPass(memory, at + 2, y, lagSeconds, rateHz);
      return lowPass(memory, at, lagged, seconds, rateHz) - Math.max(0, slope * lowPass(memory, at + 1, x, seconds, rateHz) + offset);
    },
  },
};
