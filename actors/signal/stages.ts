/**
 * The steps from raw samples to features, a column each: of some rows at once, in a loop that is compiled as one piece. What several
 * features need, a reading that is smoothed alike or a gate, is one step, made once a sample.
 */
import { LOW_PASS, lowPass, passing } from './low-pass.ts';

/** One sample of each of some rows: the i-th is of `rows[i]`, and its channels are in `values` from `offsets[i]` on. */
export interface Samples {
  values: Float64Array;
  count: number;
  readonly rows: Int32Array;
  readonly offsets: Int32Array;
}

export interface Stage {
  /** Numbers of memory a row; NaN before the first sample. */
  readonly memory: number;
  /** @param memory [rows × memory]. @param out [count]; NaN when a channel has no reading */
  run(samples: Samples, memory: Float64Array, out: Float64Array): void;
}

export interface Stages {
  /** The column of a step, [count]: it has run when one that is added later runs. @param key says all that it depends on but the pipeline's rate */
  of(key: string, open: () => Stage): Float64Array;
  run(samples: Samples): void;
  reset(row: number): void;
}

export function createStages(rows: number): Stages {
  const columns = new Map<string, Float64Array>();
  const stages: { readonly stage: Stage; readonly memory: Float64Array; readonly column: Float64Array }[] = [];
  return {
    of(key, open) {
      const known = columns.get(key);
      if (known) return known;
      const stage = open();
      const column = new Float64Array(Math.max(1, rows));
      stages.push({ stage, memory: new Float64Array(rows * stage.memory).fill(Number.NaN), column });
      columns.set(key, column);
      return column;
    },
    run(samples) {
      for (const { stage, memory, column } of stages) stage.run(samples, memory, column);
    },
    reset(row) {
      for (const { stage, memory } of stages) memory.fill(Number.NaN, row * stage.memory, (row + 1) * stage.memory);
    },
  };
}

/** A channel, low-passed. @param column of the channel */
export const smoothed = (stages: Stages, column: number, seconds: number, rateHz: number): Float64Array =>
  stages.of(`smoothed ${column} ${seconds}`, () => smoothing(column, seconds, rateHz));

export function smoothing(column: number, seconds: number, rateHz: number): Stage {
  const share = passing(seconds, rateHz);
  return {
    memory: LOW_PASS,
    run({ values, count, rows, offsets }, memory, out) {
      for (let i = 0; i < count; i++) out[i] = lowPass(memory, LOW_PASS * rows[i], values[offsets[i] + column], share);
    },
  };
}

/** 1 where a channel has been above `gate` for `gateSeconds`, else 0. */
export const opened = (
  stages: Stages,
  column: number,
  { gate, gateSeconds }: Readonly<Record<string, number>>,
  rateHz: number,
): Float64Array =>
  stages.of(`opened ${column} ${gate} ${gateSeconds}`, () => {
    const wanted = Math.max(1, Math.round(gateSeconds * rateHz));
    return {
      memory: 1, // for how many samples it has
      run({ values, count, rows, offsets }, memory, out) {
        for (let i = 0; i < count; i++) {
          const row = rows[i];
          const before = Number.isNaN(memory[row]) ? 0 : memory[row];
          memory[row] = values[offsets[i] + column] > gate ? Math.min(wanted, before + 1) : 0;
          out[i] = memory[row] === wanted ? 1 : 0;
        }
      },
    };
  });

/** Sum over channels of the squares of what is left above a high-pass. */
export const shaking = (stages: Stages, columns: readonly number[], seconds: number, rateHz: number): Float64Array =>
  stages.of(`shaking ${columns} ${seconds}`, () => {
    const share = passing(seconds, rateHz);
    const size = LOW_PASS * columns.length;
    return {
      memory: size,
      run({ values, count, rows, offsets }, memory, out) {
        out.fill(0, 0, count);
        for (let c = 0; c < columns.length; c++) {
          const column = columns[c];
          for (let i = 0; i < count; i++) {
            const reading = values[offsets[i] + column];
            out[i] += (reading - lowPass(memory, size * rows[i] + LOW_PASS * c, reading, share)) ** 2;
          }
        }
      },
    };
  });
