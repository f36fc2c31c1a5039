/**
 * Windows of the `stream` pipeline: after a break `settle` samples fill its memory, and then its features line up. A window waits while
 * nothing turns: what was found before a turbine was stopped stands until it turns again.
 */
import type { Channel } from '../contracts/channels.ts';
import type { SignalSpec } from '../contracts/model.ts';
import type { WindowSource } from './window-source.ts';
import { streamPipeline } from './stream.ts';
import { beginsWindow, breakWindow, createWindows, pushSample, takeWindow } from './windows.ts';

/** @throws ModelRejected naming the operation, channel or constant that is not there. */
export function streamSource(spec: SignalSpec, channels: readonly Channel[], rows: number): WindowSource {
  const { window, features } = spec;
  const pipeline = streamPipeline(spec, channels, rows);
  const windows = createWindows(rows, features.length, window.samples, window.hop);
  const settling = new Uint32Array(rows).fill(window.settle); // samples still to pass before a window may begin
  const count = features.length;
  const made = new Float32Array(Math.max(1, rows) * count);
  const isWhole = new Uint8Array(Math.max(1, rows));

  const breakRow = (row: number) => {
    breakWindow(windows, row);
    pipeline.reset(row);
    settling[row] = window.settle;
  };
  /** @param at of the sample's features in `made`. @returns as `push` */
  const add = (row: number, at: number, values: Float64Array, offset: number): boolean => {
    if (settling[row] > 0) {
      settling[row]--;
      return false;
    }
    return !pipeline.isQuiet(values, offset) && pushSample(windows, row, made, at);
  };

  return {
    lag: 0,
    push(row, values, offset) {
      if (pipeline.push(row, values, offset, made, 0)) return add(row, 0, values, offset);
      breakRow(row);
      return null;
    },
    pushAll(samples, outcome) {
      pipeline.pushAll(samples, made, isWhole);
      for (let i = 0; i < samples.count; i++) {
        if (isWhole[i] === 1) outcome[i] = add(samples.rows[i], i * count, samples.values, samples.offsets[i]) ? 1 : 0;
        else {
          breakRow(samples.rows[i]);
          outcome[i] = -1;
        }
      }
    },
    take: (row, into, offset) => takeWindow(windows, row, into, offset),
    break: breakRow,
    align: (row) => breakWindow(windows, row),
    begins: (row) => settling[row] === 0 && beginsWindow(windows, row),
    release: breakRow,
  };
}
