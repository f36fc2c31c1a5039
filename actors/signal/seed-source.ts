/**
 * Windows of the `seed-db6` pipeline, as the original serves them: of each row the last 501 samples of the features; when a window is
 * due they are denoised together, normalised, and the window is cut from rows −110 … −11 of the 502 that come back.
 *
 *   sample  0 … 391            392 … 491   492 … 500
 *           memory of the      window      newest, unused
 *           transform
 *
 * The first window is due with sample 501 and then every `hop` samples. The original asks once a second and takes one sample off its serial
 * queue each time, a hop of 1 that falls ever further behind; a hop of 20 asks once a second of time, and 1 gives its very windows.
 */
import type { Channel } from '../contracts/channels.ts';
import type { SignalSpec } from '../contracts/model.ts';
import { BUFFER, seedFeatures, WINDOW_END } from './seed-features.ts';
import type { WindowSource } from './window-source.ts';
import { createWavelet } from './wavelet.ts';

/** One row's memory, made with its first sample: 24 kB for six features. */
interface SeedRow {
  /** [features × BUFFER], a ring. */
  readonly ring: Float64Array;
  /** Where the next sample goes; when the ring is full its oldest lies there. */
  next: number;
  held: number;
  /** Samples until the next window is full. */
  due: number;
}

/** @throws ModelRejected naming what cannot be served. */
export function seedSource(spec: SignalSpec, channels: readonly Channel[], rows: number): WindowSource {
  const { samples, hop } = spec.window;
  const { count, sigma, mean, std, read } = seedFeatures(spec, channels);
  const begin = WINDOW_END - samples;
  /** Samples from a window's first to the one that makes it full. */
  const span = BUFFER - begin;
  const wavelet = createWavelet(BUFFER, { from: begin, to: WINDOW_END });
  const series = new Float64Array(BUFFER);
  const memory: (SeedRow | undefined)[] = new Array(rows).fill(undefined);

  const createRow = (): SeedRow => ({ ring: new Float64Array(count * BUFFER), next: 0, held: 0, due: BUFFER });
  const breakRow = (row: number) => {
    const of = memory[row];
    if (of) Object.assign(of, { next: 0, held: 0, due: BUFFER });
  };

  const push = (row: number, values: Float64Array, offset: number): boolean | null => {
    memory[row] ??= createRow();
    const of = memory[row];
    if (!read(values, offset, of.ring, of.next, BUFFER)) {
      breakRow(row);
      return null;
    }
    of.next = (of.next + 1) % BUFFER;
    if (of.held < BUFFER) of.held++;
    of.due--;
    return of.due === 0;
  };

  return {
    lag: BUFFER - WINDOW_END,
    push,
    pushAll({ values, count, rows: of, offsets }, outcome) {
      for (let i = 0; i < count; i++) {
        const whole = push(of[i], values, offsets[i]);
        outcome[i] = whole === null ? -1 : whole ? 1 : 0;
      }
    },
    take(row, into, offset) {
      const of = memory[row];
      if (of?.due !== 0) throw new Error(`row ${row} has no full window`);
      for (let f = 0; f < count; f++) {
        const at = f * BUFFER;
        const older = BUFFER - of.next;
        for (let i = 0; i < older; i++) series[i] = of.ring[at + of.next + i];
        for (let i = 0; i < of.next; i++) series[older + i] = of.ring[at + i];
        const denoised = wavelet.denoise(series, 0, sigma[f]);
        for (let t = 0; t < samples; t++) into[offset + f * samples + t] = (denoised[begin + t] - mean[f]) / std[f];
      }
      of.due = hop;
    },
    break: breakRow,
    align(row) {
      const of = memory[row];
      if (of) of.due = Math.max(BUFFER - of.held, span);
    },
    begins(row) {
      const due = memory[row]?.due ?? BUFFER;
      return due <= span && (span - due) % hop === 0;
    },
    release(row) {
      memory[row] = undefined;
    },
  };
}
