/**
 * The `stream` pipeline: raw samples → a model's normalised features, causal and with a few numbers of memory a row, so that
 * training and serving see the same. Heading never enters, so its drift and its ±π wraps cannot matter.
 */
import type { Channel } from '../contracts/channels.ts';
import type { SignalSpec } from '../contracts/model.ts';
import { operations } from './operations.ts';
import { refuseSignal, resolveFeatures } from './resolve.ts';
import { createStages, type Samples } from './stages.ts';

export interface SignalPipeline {
  readonly features: number;
  /**
   * Takes one sample of one row. @param values the row's channels from `offset` on. @param out [features] from `outOffset` on, (x − mean)/std
   * @returns false when a channel that is needed has no reading; then `reset` the row.
   */
  push(row: number, values: Float64Array, offset: number, out: Float32Array, outOffset: number): boolean;
  /** As `push`, of some rows at once. @param out [count × features]. @param whole [count], 0 where `push` says false */
  pushAll(samples: Samples, out: Float32Array, whole: Uint8Array): void;
  /** Whether the rotor's readings are all so low in this sample that no gated feature tells anything: it belongs to no window. */
  isQuiet(values: Float64Array, offset: number): boolean;
  reset(row: number): void;
}

/** @throws ModelRejected naming the operation, channel or constant that is not there. */
export function streamPipeline(spec: SignalSpec, channels: readonly Channel[], rows: number): SignalPipeline {
  if (spec.pipeline !== 'stream') refuseSignal(`pipeline ${spec.pipeline} gives no features a sample`);
  const stages = createStages(rows);
  const features = resolveFeatures(spec, channels, operations).map((feature) => {
    const { op, operation, parameters, sources } = feature;
    const column = stages.of(`${op} ${sources} ${JSON.stringify(parameters)}`, () =>
      operation.open(parameters, sources, spec.rateHz, stages),
    );
    return { ...feature, column };
  });
  const gates = features.flatMap(({ parameters: { gate }, sources }) =>
    gate === undefined ? [] : [{ gate, column: sources[sources.length - 1] }],
  );
  const single: Samples = { values: new Float64Array(), count: 1, rows: new Int32Array(1), offsets: new Int32Array(1) };
  const one = { out: new Float32Array(features.length), whole: new Uint8Array(1) };

  const pushAll: SignalPipeline['pushAll'] = (samples, out, whole) => {
    const { count } = samples;
    whole.fill(1, 0, count);
    stages.run(samples);
    for (let f = 0; f < features.length; f++) {
      const { column, mean, std } = features[f];
      for (let i = 0, to = f; i < count; i++, to += features.length) {
        if (!Number.isFinite(column[i])) whole[i] = 0;
        out[to] = (column[i] - mean) / std;
      }
    }
  };

  return {
    features: features.length,
    pushAll,
    push(row, values, offset, out, outOffset) {
      single.values = values;
      single.rows[0] = row;
      single.offsets[0] = offset;
      pushAll(single, one.out, one.whole);
      out.set(one.out, outOffset);
      return one.whole[0] === 1;
    },
    isQuiet(values, offset) {
      for (const { gate, column } of gates) if (!(values[offset + column] <= gate)) return false;
      return gates.length > 0;
    },
    reset: stages.reset,
  };
}
