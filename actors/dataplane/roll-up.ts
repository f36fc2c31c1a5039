/** Mean, least, greatest and number of the readings of each channel, over a span of samples of each row. */
import type { RollUp } from '../contracts/shard.ts';
import type { Millis } from '../contracts/units.ts';

export interface RollUps {
  /** Takes one sample of a row in. @param values the row's channels from `offset` on */
  add(row: number, values: Float64Array, offset: number): void;
  /** The row's first span begins, or one anew. */
  begin(row: number, at: Millis): void;
  /** Closes the row's span; the next one begins now. */
  close(row: number, now: Millis): RollUp;
}

export const ROLL_UP_VALUES = 4; // a channel: mean, least, greatest, count
const ROOM = 32; // roll-ups

export function createRollUps(rows: number, channels: number): RollUps {
  const sums = new Float64Array(rows * channels);
  const least = new Float64Array(rows * channels).fill(Infinity);
  const greatest = new Float64Array(rows * channels).fill(-Infinity);
  const counts = new Float64Array(rows * channels);
  const began = new Float64Array(rows).fill(Number.NaN);

  let values = new Float64Array(0); // of several roll-ups: an array for each would cost more than its numbers
  let used = 0;

  const reset = (row: number, at: Millis) => {
    const [from, to] = [row * channels, (row + 1) * channels];
    sums.fill(0, from, to);
    least.fill(Infinity, from, to);
    greatest.fill(-Infinity, from, to);
    counts.fill(0, from, to);
    began[row] = at;
  };

  return {
    add(row, values, offset) {
      const at = row * channels;
      for (let c = 0; c < channels; c++) {
        const value = values[offset + c];
        if (Number.isNaN(value)) continue; // no reading
        sums[at + c] += value;
        counts[at + c]++;
        if (value < least[at + c]) least[at + c] = value;
        if (value > greatest[at + c]) greatest[at + c] = value;
      }
    },
    begin: reset,
    close(row, now) {
      const size = channels * ROLL_UP_VALUES;
      if (used + size > values.length) {
        values = new Float64Array(ROOM * size);
        used = 0;
      }
      const offset = used;
      used += size;
      for (let c = 0; c < channels; c++) {
        const at = row * channels + c;
        const to = offset + c * ROLL_UP_VALUES;
        values[to] = counts[at] > 0 ? sums[at] / counts[at] : Number.NaN;
        values[to + 1] = least[at];
        values[to + 2] = greatest[at];
        values[to + 3] = counts[at];
      }
      const spanMs = now - began[row];
      reset(row, now);
      return { spanMs, values, offset };
    },
  };
}
