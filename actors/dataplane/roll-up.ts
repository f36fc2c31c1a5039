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
  const size = channels * ROLL_UP_VALUES;
  const running = new Float64Array(rows * size); // of each channel: sum, least, greatest, count
  const began = new Float64Array(rows).fill(Number.NaN);
  let values = new Float64Array(0); // of several roll-ups: an array for each would cost more than its numbers
  let used = 0;

  const reset = (row: number, at: Millis) => {
    for (let i = row * size; i < (row + 1) * size; i += ROLL_UP_VALUES) {
      running[i] = 0;
      running[i + 1] = Number.POSITIVE_INFINITY;
      running[i + 2] = Number.NEGATIVE_INFINITY;
      running[i + 3] = 0;
    }
    began[row] = at;
  };

  return {
    add(row, readings, offset) {
      for (let c = 0, i = row * size; c < channels; c++, i += ROLL_UP_VALUES) {
        const value = readings[offset + c];
        if (Number.isNaN(value)) continue; // no reading
        running[i] += value;
        if (value < running[i + 1]) running[i + 1] = value;
        if (value > running[i + 2]) running[i + 2] = value;
        running[i + 3]++;
      }
    },
    begin: reset,
    close(row, now) {
      if (used + size > values.length) {
        values = new Float64Array(ROOM * size);
        used = 0;
      }
      const offset = used;
      used += size;
      for (let i = 0; i < size; i++) values[offset + i] = running[row * size + i];
      for (let i = offset; i < used; i += ROLL_UP_VALUES) values[i] /= values[i + 3]; // NaN without a reading
      const spanMs = now - began[row];
      reset(row, now);
      return { spanMs, values, offset };
    },
  };
}
