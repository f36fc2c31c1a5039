/**
 * A lane: one model over the rows that use it. Samples become windows by the model's own pipeline, full windows one batch a tick,
 * and the batch is asked of the model outside the event loop; its scores are applied at `sampledAt + latency`, whatever it took.
 */
import type { Channel } from '../contracts/channels.ts';
import { reasonOf } from '../contracts/errors.ts';
import type { Inference } from '../contracts/inference.ts';
import type { ModelManifest } from '../contracts/model.ts';
import type { Millis } from '../contracts/units.ts';
import type { Samples } from '../signal/operations.ts';
import { openWindowSource } from '../signal/source.ts';

/** Who hears of a row's windows. */
export interface RowListener {
  /** @param scores [features] from `offset` on, error over threshold; finite. */
  scored(row: number, sampledAt: Millis, scores: Float32Array, offset: number): void;
  /** The model did not answer, or with what is no number. */
  failed(row: number, cause: string): void;
}

export interface Lane {
  readonly manifest: ModelManifest;
  readonly rows: number;
  /** Samples that a window's last one is older than the sample that its scores are dated by. */
  readonly lag: number;
  join(row: number, inference: Inference, listener: RowListener): void;
  leave(row: number): void;
  has(row: number): boolean;
  /** Whether the next sample is the first of a window. */
  begins(row: number): boolean;
  break(row: number): void;
  /** Lets the row's next window begin with its next sample, or as soon after as the pipeline's memory is full; the memory stays. */
  align(row: number): void;
  /** @param values the row's channels from `offset` on. @returns whether the sample filled a window, or null when it broke it. */
  push(row: number, values: Float64Array, offset: number): boolean | null;
  /** As `push`, of some rows at once. @param outcome [count]: 1 for a full window, −1 for a broken one, else 0 */
  pushAll(samples: Samples, outcome: Int8Array): void;
  /** Asks for the scores of the windows filled since the last call. @returns what to apply once it has been answered, a batch each */
  flush(now: Millis): readonly Asked[];
}

/** Something asked outside the event loop. */
export interface Asked {
  /** Settles when the answer is there; never rejects. */
  readonly answered: Promise<void>;
  /** Hands it to whom it is for. */
  apply(): void;
}

export interface LaneOptions {
  readonly channels: readonly Channel[];
  readonly rows: number;
}

const NOTHING: readonly Asked[] = [];

interface Member {
  readonly inference: Inference;
  readonly listener: RowListener;
}

export function createLane(manifest: ModelManifest, { channels, rows }: LaneOptions): Lane {
  const { window, features } = manifest.signal;
  const count = features.length;
  const size = count * window.samples;
  const source = openWindowSource(manifest.signal, channels, rows);
  const members = new Map<number, Member>();
  const isFull = new Uint8Array(rows); // a window to take; it is lost when the row breaks first
  let full: number[] = [];

  const breakRow = (row: number) => {
    source.break(row);
    isFull[row] = 0;
  };

  return {
    manifest,
    get rows() {
      return members.size;
    },
    lag: source.lag,
    join(row, inference, listener) {
      breakRow(row);
      members.set(row, { inference, listener });
    },
    leave(row) {
      source.release(row);
      isFull[row] = 0;
      members.delete(row);
    },
    has: (row) => members.has(row),
    begins: source.begins,
    break: breakRow,
    align(row) {
      source.align(row);
      isFull[row] = 0;
    },
    push(row, values, offset) {
      const whole = source.push(row, values, offset);
      if (whole) {
        full.push(row);
        isFull[row] = 1;
      }
      return whole;
    },
    pushAll(samples, outcome) {
      source.pushAll(samples, outcome);
      for (let i = 0; i < samples.count; i++)
        if (outcome[i] === 1) {
          full.push(samples.rows[i]);
          isFull[samples.rows[i]] = 1;
        }
    },
    flush(now) {
      if (full.length === 0) return NOTHING;
      const filled = full.filter((row) => isFull[row] === 1 && members.has(row));
      for (const row of full) isFull[row] = 0;
      full = [];
      return batchesOf(filled, members).map((batch) => {
        const windows = new Float32Array(batch.length * size);
        for (const [i, row] of batch.entries()) source.take(row, windows, i * size);
        return ask(now, batch, windows);
      });
    },
  };

  /** @param windows one of each row, in their order */
  function ask(now: Millis, batch: readonly number[], windows: Float32Array): Asked {
    const asked = batch.map((row) => members.get(row)!);
    const scores = new Float32Array(batch.length * count);
    let failure: string | null = null;
    return {
      answered: asked[0].inference.predict(windows, batch.length, scores).catch((error: unknown) => {
        failure = reasonOf(error);
      }),
      apply() {
        for (const [i, row] of batch.entries()) {
          const member = asked[i];
          if (members.get(row) !== member) continue; // left, or joined anew, meanwhile
          if (failure !== null) member.listener.failed(row, failure);
          else if (allFinite(scores, i * count, count)) member.listener.scored(row, now, scores, i * count);
          else member.listener.failed(row, 'a score is not a finite number');
        }
      },
    };
  }
}

/** Rows that may be asked together: of sessions that were loaded from one source. Whoever stands before a session is asked by itself. */
function batchesOf(rows: readonly number[], members: ReadonlyMap<number, Member>): readonly (readonly number[])[] {
  if (rows.length <= 1) return rows.length === 0 ? [] : [rows];
  const batches = new Map<object, number[]>();
  for (const row of rows) {
    const { inference } = members.get(row)!;
    const key = inference.source ?? inference;
    const batch = batches.get(key);
    if (batch) batch.push(row);
    else batches.set(key, [row]);
  }
  return [...batches.values()];
}

function allFinite(values: Float32Array, from: number, count: number): boolean {
  for (let i = from; i < from + count; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}
