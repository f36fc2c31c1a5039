/**
 * The `stream` pipeline: raw samples → a model's normalised features, causal and with a few numbers of memory a row, so that
 * training and serving see the same. Heading never enters, so its drift and its ±π wraps cannot matter.
 */
import type { Channel } from '../contracts/channels.ts';
import { ModelRejected } from '../contracts/errors.ts';
import type { SignalSpec } from '../contracts/model.ts';
import { operations } from './operations.ts';

export interface SignalPipeline {
  readonly features: number;
  /**
   * Takes one sample of one row. @param values the row's channels from `offset` on. @param out [features] from `outOffset` on, (x − mean)/std
   * @returns false when a channel that is needed has no reading; then `reset` the row.
   */
  push(row: number, values: Float64Array, offset: number, out: Float32Array, outOffset: number): boolean;
  reset(row: number): void;
}

/** @throws ModelRejected naming the operation, channel or constant that is not there. */
export function streamPipeline(spec: SignalSpec, channels: readonly Channel[], rows: number): SignalPipeline {
  const refuse = (why: string): never => {
    throw new ModelRejected('signal pipeline', why);
  };
  if (spec.pipeline !== 'stream') refuse(`pipeline ${spec.pipeline} is not one that this device has`);

  let width = 0;
  const features = spec.features.map((feature) => {
    const operation = Object.hasOwn(operations, feature.op)
      ? operations[feature.op]
      : refuse(`feature ${feature.name}: no operation ${feature.op}`);
    const sources = feature.channels.map((name) => {
      const index = channels.findIndex((channel) => channel.name === name);
      return index >= 0 ? index : refuse(`feature ${feature.name}: this machine has no channel ${name}`);
    });
    if (sources.length === 0 || (operation.channels !== Infinity && sources.length !== operation.channels))
      refuse(`feature ${feature.name}: ${feature.op} takes ${operation.channels} channels, not ${sources.length}`);
    for (const name of operation.parameters)
      if (!Number.isFinite(feature.parameters[name])) refuse(`feature ${feature.name}: constant ${name} is missing`);
    if (!(feature.std > 0)) refuse(`feature ${feature.name}: std ${feature.std} is not above 0`);
    const at = width;
    width += operation.memory(sources.length);
    return { ...feature, operation, sources, at, read: new Array<number>(sources.length).fill(0) };
  });
  const memory = new Float64Array(rows * width).fill(Number.NaN);

  return {
    features: features.length,
    push(row, values, offset, out, outOffset) {
      for (let f = 0; f < features.length; f++) {
        const { operation, sources, read, parameters, at, mean, std } = features[f];
        for (let c = 0; c < sources.length; c++) read[c] = values[offset + sources[c]];
        const x = operation.step(read, memory, row * width + at, parameters, spec.rateHz);
        if (!Number.isFinite(x)) return false;
        out[outOffset + f] = (x - mean) / std;
      }
      return true;
    },
    reset: (row) => {
      memory.fill(Number.NaN, row * width, (row + 1) * width);
    },
  };
}
