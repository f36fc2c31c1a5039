/**
 * The `stream` pipeline: raw samples → a model's normalised features, causal and with a few numbers of memory a row, so that
 * training and serving see the same. Heading never enters, so its drift and its ±π wraps cannot matter.
 */
import type { Channel } from '../contracts/channels.ts';
import type { SignalSpec } from '../contracts/model.ts';
import { operations } from './operations.ts';
import { refuseSignal, resolveFeatures } from './resolve.ts';

export interface SignalPipeline {
  readonly features: number;
  /**
   * Takes one sample of one row. @param values the row's channels from `offset` on. @param out [features] from `outOffset` on, (x − mean)/std
   * @returns false when a channel that is needed has no reading; then `reset` the row.
   */
  push(row: number, values: Float64Array, offset: number, out: Float32Array, outOffset: number): boolean;
  /** Whether the rotor's readings are all so low in this sample that no gated feature tells anything: it belongs to no window. */
  isQuiet(values: Float64Array, offset: number): boolean;
  reset(row: number): void;
}

/** @throws ModelRejected naming the operation, channel or constant that is not there. */
export function streamPipeline(spec: SignalSpec, channels: readonly Channel[], rows: number): SignalPipeline {
  if (spec.pipeline !== 'stream') refuseSignal(`pipeline ${spec.pipeline} gives no features a sample`);
  let width = 0;
  const features = resolveFeatures(spec, channels, operations).map(({ operation, ...feature }) => {
    const { memory, step } = operation.open(feature.parameters, feature.sources.length, spec.rateHz);
    const at = width;
    width += memory;
    return { ...feature, step, at };
  });
  const memory = new Float64Array(rows * width).fill(Number.NaN);
  const gates = features.flatMap(({ parameters: { gate }, sources }) =>
    gate === undefined ? [] : [{ gate, column: sources[sources.length - 1] }],
  );

  return {
    features: features.length,
    push(row, values, offset, out, outOffset) {
      for (let f = 0; f < features.length; f++) {
        const feature = features[f];
        const { sources, read } = feature;
        for (let c = 0; c < sources.length; c++) read[c] = values[offset + sources[c]];
        const x = feature.step(read, memory, row * width + feature.at);
        if (!Number.isFinite(x)) return false;
        out[outOffset + f] = (x - feature.mean) / feature.std;
      }
      return true;
    },
    isQuiet(values, offset) {
      for (const { gate, column } of gates) if (!(values[offset + column] <= gate)) return false;
      return gates.length > 0;
    },
    reset: (row) => {
      memory.fill(Number.NaN, row * width, (row + 1) * width);
    },
  };
}
