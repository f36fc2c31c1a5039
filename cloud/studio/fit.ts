/** What a `stream` pipeline's features need to know of the training part beside their curves: means, spreads, and what is usual. */
import type { Channel } from '../../actors/contracts/channels.ts';
import { FileInvalid } from '../../actors/contracts/errors.ts';
import type { FeatureSpec, SignalSpec } from '../../actors/contracts/model.ts';
import { streamPipeline } from '../../actors/signal/stream.ts';
import type { UsableHearer } from './split.ts';

export interface Fit {
  readonly hear: UsableHearer;
  finish(): SignalSpec;
}

/** Means and standard deviations. `finish` throws FileInvalid naming the features that are constant. */
export function fitStatistics(file: string, signal: SignalSpec, channels: readonly Channel[], rows: number): Fit {
  const mean = new Float64Array(signal.features.length);
  const squares = new Float64Array(signal.features.length);
  let count = 0;
  const unscaled = { ...signal, features: signal.features.map((feature) => ({ ...feature, mean: 0, std: 1 })) };
  const first = unscaled.features.map((feature) => channels.findIndex(({ name }) => name === feature.channels[0]));
  const stood = new Float64Array(first.length).fill(Number.NaN); // the first channel's reading while it is the only one
  const moved = new Uint8Array(first.length);
  const hear = hearFeatures(unscaled, channels, rows, (features, values, offset) => {
    for (let f = 0; f < first.length; f++) {
      const reading = values[offset + first[f]];
      if (Number.isNaN(stood[f])) stood[f] = reading;
      else if (reading !== stood[f]) moved[f] = 1;
    }
    count++;
    for (let f = 0; f < mean.length; f++) {
      const off = features[f] - mean[f]; // Welford
      mean[f] += off / count;
      squares[f] += off * (features[f] - mean[f]);
    }
  });
  return {
    hear,
    finish() {
      const features = signal.features.map((feature, f) => ({
        ...feature,
        parameters: 'usual' in feature.parameters ? { ...feature.parameters, usual: mean[f] } : feature.parameters,
        mean: mean[f],
        std: Math.sqrt(squares[f] / Math.max(1, count)),
      }));
      if (count > 0) {
        refuseStuck(file, features, stood, moved);
        refuseConstant(file, features);
      }
      return {
        ...signal,
        features: features.map((feature, f) => ({ ...feature, std: Math.max(feature.std * signal.features[f].std, Number.MIN_VALUE) })),
      };
    },
  };
}

/** @throws FileInvalid naming the channels that features are about and that never move: their relation to others is all chance */
function refuseStuck(file: string, features: readonly FeatureSpec[], stood: Float64Array, moved: Uint8Array): void {
  const stuck = new Map(features.flatMap(({ channels }, f) => (moved[f] ? [] : [[channels[0], stood[f]] as const])));
  for (const { op, channels } of features) if (op === 'roll' || op === 'pitch') stuck.delete(channels[0]); // one of four: the angle may move without it
  if (stuck.size === 0) return;
  const lines = [...stuck].map(([channel, value]) => `${file}: channel ${channel} is constant: ${Number(value.toPrecision(6))} throughout`);
  throw new FileInvalid(lines.join('\n'), { hint: CONSTANT_HINT });
}

const CONSTANT_HINT = 'is a sensor stuck or missing? record more varied wind, or mend the sensor';
const LEAST_SPREAD = 1e-6; // of the mean: less is the rounding of a float

/** @throws FileInvalid naming them with their value: a network learns nothing from them, and any change would be an anomaly */
export function refuseConstant(file: string, features: readonly FeatureSpec[]): void {
  const constant = features.filter(({ mean, std }) => !(std > LEAST_SPREAD * Math.max(1e-3, Math.abs(mean))));
  if (constant.length === 0) return;
  throw new FileInvalid(
    constant
      .map(
        ({ name, channels, mean }) =>
          `${file}: feature ${name} (of ${channels.join(', ')}) is constant: ${Number(mean.toPrecision(6))} throughout`,
      )
      .join('\n'),
    { hint: CONSTANT_HINT },
  );
}

/** Runs the pipeline over the training part and lets its settled features be heard. */
function hearFeatures(
  signal: SignalSpec,
  channels: readonly Channel[],
  rows: number,
  use: (features: Float32Array, values: Float64Array, offset: number) => void,
): UsableHearer {
  const pipeline = streamPipeline(signal, channels, rows);
  const settled = new Uint32Array(rows);
  const features = new Float32Array(signal.features.length);
  return (row, part, anew, values, offset) => {
    if (part !== 'training') return;
    if (anew) {
      pipeline.reset(row);
      settled[row] = 0;
    }
    if (!pipeline.push(row, values, offset, features, 0)) {
      pipeline.reset(row);
      settled[row] = 0;
    } else if (++settled[row] > signal.window.settle && !pipeline.isQuiet(values, offset)) use(features, values, offset);
  };
}
