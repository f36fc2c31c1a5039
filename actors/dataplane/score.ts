/**
 * A lane: one model over the rows that use it. Samples become windows by the model's own pipeline, full windows one batch a tick,
 * and the batch is asked of the model outside the event loop; its scores are applied at `sampledAt + latency`, whatever it took.
 */
import type { Channel } from '../contracts/channels.ts';
import type { Clock } from '../contracts/clock.ts';
import { reasonOf } from '../contracts/errors.ts';
import type { ModelId } from '../contracts/ids.ts';
import type { Inference } from '../contracts/inference.ts';
import type { ModelManifest } from '../contracts/model.ts';
import type { Millis } from '../contracts/units.ts';
import { openWindowSource } from '../signal/source.ts';

/** A model that a device has loaded. */
export interface LoadedModel {
  readonly id: ModelId;
  /** Hex SHA-256 of its package: turbines with the same digest share a lane. */
  readonly digest: string;
  readonly manifest: ModelManifest;
  readonly inference: Inference;
}

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
  /** Asks for the scores of the windows filled since the last call. */
  flush(now: Millis): void;
}

export interface LaneOptions {
  readonly channels: readonly Channel[];
  readonly rows: number;
  readonly clock: Clock;
  readonly latency: Millis;
}

export function createLane(manifest: ModelManifest, { channels, rows, clock, latency }: LaneOptions): Lane {
  const { window, features } = manifest.signal;
  const count = features.length;
  const size = count * window.samples;
  const source = openWindowSource(manifest.signal, channels, rows);
  const members = new Map<number, { readonly inference: Inference; readonly listener: RowListener }>();
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
    flush(now) {
      if (full.length === 0) return;
      const filled = full.filter((row) => isFull[row] === 1);
      full = [];
      if (filled.length === 0) return;
      const batch = new Float32Array(filled.length * size);
      for (const [i, row] of filled.entries()) {
        source.take(row, batch, i * size);
        isFull[row] = 0;
      }
      const asked = filled.map((row) => members.get(row));
      const inference = asked.find((member) => member)?.inference;
      if (!inference) return;

      const scores = new Float32Array(filled.length * count);
      clock.until(now + latency, inference.predict(batch, filled.length, scores)).then(
        () => {
          for (const [i, row] of filled.entries()) {
            const member = asked[i];
            if (!member || members.get(row) !== member) continue; // left, or joined anew, meanwhile
            if (allFinite(scores, i * count, count)) member.listener.scored(row, now, scores, i * count);
            else member.listener.failed(row, 'a score is not a finite number');
          }
        },
        (error: unknown) => {
          for (const [i, row] of filled.entries())
            if (asked[i] && members.get(row) === asked[i]) asked[i].listener.failed(row, reasonOf(error));
        },
      );
    },
  };
}

function allFinite(values: Float32Array, from: number, count: number): boolean {
  for (let i = from; i < from + count; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}
