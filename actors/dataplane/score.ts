/**
 * A lane: one model over the rows that use it. Samples become features, features windows, full windows one batch a tick, and
 * the batch is asked of the model outside the event loop; its scores are applied at `sampledAt + latency`, whatever it took.
 */
import type { Channel } from '../contracts/channels.ts';
import type { Clock } from '../contracts/clock.ts';
import { reasonOf } from '../contracts/errors.ts';
import type { ModelId } from '../contracts/ids.ts';
import type { Inference } from '../contracts/inference.ts';
import type { ModelManifest } from '../contracts/model.ts';
import type { Millis } from '../contracts/units.ts';
import { streamPipeline } from '../signal/stream.ts';
import { breakWindow, createWindows, pushSample, takeWindow } from './windows.ts';

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
  join(row: number, inference: Inference, listener: RowListener): void;
  leave(row: number): void;
  has(row: number): boolean;
  /** Whether the next sample is the first of a window. */
  begins(row: number): boolean;
  break(row: number): void;
  /** Lets the row's next window begin with its next sample; the pipeline's memory stays. */
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
  const pipeline = streamPipeline(manifest.signal, channels, rows);
  const windows = createWindows(rows, count, window.samples, window.hop);
  const settling = new Uint32Array(rows).fill(window.settle); // samples still to pass before a window may begin
  const sample = new Float32Array(count);
  const members = new Map<number, { readonly inference: Inference; readonly listener: RowListener }>();
  let full: number[] = [];

  const breakRow = (row: number) => {
    breakWindow(windows, row);
    pipeline.reset(row);
    settling[row] = window.settle;
  };

  return {
    manifest,
    get rows() {
      return members.size;
    },
    join(row, inference, listener) {
      breakRow(row);
      members.set(row, { inference, listener });
    },
    leave(row) {
      members.delete(row);
    },
    has: (row) => members.has(row),
    begins: (row) => windows.held[row] === 0 && settling[row] === 0,
    break: breakRow,
    align: (row) => breakWindow(windows, row),
    push(row, values, offset) {
      if (!pipeline.push(row, values, offset, sample, 0)) {
        breakRow(row);
        return null;
      }
      if (settling[row] > 0) {
        settling[row]--;
        return false;
      }
      if (!pushSample(windows, row, sample)) return false;
      full.push(row);
      return true;
    },
    flush(now) {
      if (full.length === 0) return;
      const filled = full;
      full = [];
      const batch = new Float32Array(filled.length * size);
      for (const [i, row] of filled.entries()) takeWindow(windows, row, batch, i * size);
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
