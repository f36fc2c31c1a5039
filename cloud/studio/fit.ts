/** What a `stream` pipeline's features need to know of the training part: the lines of its relations, and means and spreads. */
import type { Channel } from '../../actors/contracts/channels.ts';
import { FileInvalid } from '../../actors/contracts/errors.ts';
import type { FeatureSpec, SignalSpec } from '../../actors/contracts/model.ts';
import { streamPipeline } from '../../actors/signal/stream.ts';
import type { UsableHearer } from './split.ts';

export interface Fit {
  readonly hear: UsableHearer;
  finish(): SignalSpec;
}

/**
 * Least squares for every relation y ≈ slope·x + offset, over the low-passed channels as the operation sees them, where y is well above 0.
 * Null when there is none.
 */
export function fitRelations(signal: SignalSpec, channels: readonly Channel[], rows: number): Fit | null {
  const relations = signal.features.filter(({ op }) => op === 'relation');
  if (relations.length === 0) return null;
  // A line of 0 leaves y; x passes the same low-pass alone.
  const sides = relations.flatMap((feature): FeatureSpec[] => [
    { ...feature, parameters: { ...feature.parameters, slope: 0, offset: 0 } },
    { ...feature, op: 'value', channels: [feature.channels[1]], parameters: { seconds: feature.parameters['seconds'] } },
  ]);
  const pairs = relations.map(() => createPairs());
  const hear = hearFeatures({ ...signal, features: sides }, channels, rows, (features) => {
    for (let r = 0; r < pairs.length; r++) pairs[r].add(features[2 * r + 1], features[2 * r]);
  });
  return {
    hear,
    finish: () => ({
      ...signal,
      features: signal.features.map((feature) => {
        const r = relations.indexOf(feature);
        return r < 0 ? feature : { ...feature, parameters: { ...feature.parameters, ...pairs[r].line() } };
      }),
    }),
  };
}

/** Means and standard deviations. `finish` throws FileInvalid naming the features that are constant. */
export function fitStatistics(file: string, signal: SignalSpec, channels: readonly Channel[], rows: number): Fit {
  const mean = new Float64Array(signal.features.length);
  const squares = new Float64Array(signal.features.length);
  let count = 0;
  const hear = hearFeatures(signal, channels, rows, (features) => {
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
        mean: mean[f],
        std: Math.sqrt(squares[f] / Math.max(1, count)),
      }));
      if (count > 0) refuseConstant(file, features);
      return { ...signal, features: features.map((feature) => ({ ...feature, std: Math.max(feature.std, Number.MIN_VALUE) })) };
    },
  };
}

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
    { hint: 'is a sensor stuck or missing? record more varied wind, or mend the sensor' },
  );
}

/** Runs the pipeline over the training part and lets its settled features be heard. */
function hearFeatures(signal: SignalSpec, channels: readonly Channel[], rows: number, use: (features: Float32Array) => void): UsableHearer {
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
    } else if (++settled[row] > signal.window.settle) use(features);
  };
}

const MOST_PAIRS = 1 << 19;

/** Pairs of numbers: all of them, or when they are too many every second, every fourth … */
function createPairs(): { add(x: number, y: number): void; line(): { readonly slope: number; readonly offset: number } } {
  const x = new Float64Array(MOST_PAIRS);
  const y = new Float64Array(MOST_PAIRS);
  let count = 0;
  let stride = 1;
  let seen = 0;
  return {
    add(xNew, yNew) {
      if (seen++ % stride !== 0) return;
      if (count === MOST_PAIRS) {
        for (let i = 0; i < count / 2; i++) {
          x[i] = x[2 * i];
          y[i] = y[2 * i];
        }
        count /= 2;
        stride *= 2;
        if ((seen - 1) % stride !== 0) return;
      }
      x[count] = xNew;
      y[count++] = yNew;
    },
    line() {
      const floor = meanOf(y, count) / 2;
      let [n, meanX, meanY, covariance, variance] = [0, 0, 0, 0, 1e-12];
      for (let i = 0; i < count; i++) {
        if (!(y[i] > floor)) continue;
        n++;
        const [offX, offY] = [x[i] - meanX, y[i] - meanY];
        meanX += offX / n;
        meanY += offY / n;
        covariance += offX * (y[i] - meanY);
        variance += offX * (x[i] - meanX);
      }
      const slope = covariance / variance;
      return { slope, offset: meanY - slope * meanX };
    },
  };
}

function meanOf(values: Float64Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i];
  return sum / Math.max(1, count);
}
