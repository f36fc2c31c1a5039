/**
 * Recordings → statistics and windows: the same pipeline that devices run, over the samples in which the rotor turned.
 *
 * The first part of every turbine's time trains and the rest is held out, so that no window of one part overlaps one of the other.
 */
import type { Channel } from '../../actors/contracts/channels.ts';
import { FileInvalid } from '../../actors/contracts/errors.ts';
import type { SignalSpec } from '../../actors/contracts/model.ts';
import type { Recording } from '../../actors/contracts/recording.ts';
import { streamPipeline } from '../../actors/signal/stream.ts';
import { featureLists } from './features.ts';

export interface Prepared {
  readonly machine: string;
  readonly signal: SignalSpec;
  /** [windows × features × samples], normalised; every `hop` samples one. */
  readonly training: Float32Array;
  readonly heldOut: Float32Array;
  /** Hex SHA-256 of what it was made from. */
  readonly source: string;
}

const WINDOW = { samples: 100, hop: 100, settle: 200 } as const;
const RATE_HZ = 20;
const HELD_OUT = 0.25;
const STILL_SAMPLES = 200;

/** @throws FileInvalid when there are too few samples of a turning rotor. */
export function prepare(recording: Recording, machine: string, source: string): Prepared {
  const fitted = fitStatistics(
    recording,
    fitRelations(recording, { pipeline: 'stream', rateHz: RATE_HZ, window: WINDOW, features: featureLists[machine] }),
  );
  const training = cutWindows(recording, fitted, 0, 1 - HELD_OUT);
  const heldOut = cutWindows(recording, fitted, 1 - HELD_OUT, 1);
  const size = fitted.features.length * WINDOW.samples;
  if (training.length < 20 * size || heldOut.length < 5 * size)
    throw new FileInvalid(
      `the recording holds ${(training.length + heldOut.length) / size} windows of a turning rotor; training wants 25 at least`,
      {
        hint: 'record for longer, in more wind',
      },
    );
  return { machine, signal: fitted, training, heldOut, source };
}

/** Least squares for every relation y ≈ slope·x + offset, over the low-passed channels as the operation sees them, where y is well above 0. */
function fitRelations(recording: Recording, signal: SignalSpec): SignalSpec {
  const features = signal.features.map((feature) => {
    if (feature.op !== 'relation') return feature;
    const side = (slope: number, offset: number) =>
      collect(recording, { ...signal, features: [{ ...feature, parameters: { ...feature.parameters, slope, offset } }] })[0];
    const y = side(0, 0);
    const x = side(1, 0).map((value, i) => y[i] - value); // y − (y − x)
    const floor = mean(y) / 2;
    const above = y.flatMap((value, i) => (value > floor ? [i] : []));
    const meanX = mean(above.map((i) => x[i]));
    const meanY = mean(above.map((i) => y[i]));
    const covariance = above.reduce((sum, i) => sum + (x[i] - meanX) * (y[i] - meanY), 0);
    const slope = covariance / above.reduce((sum, i) => sum + (x[i] - meanX) ** 2, 1e-12);
    return { ...feature, parameters: { ...feature.parameters, slope, offset: meanY - slope * meanX } };
  });
  return { ...signal, features };
}

/** Means and standard deviations of the training part. */
function fitStatistics(recording: Recording, signal: SignalSpec): SignalSpec {
  const columns = collect(recording, signal);
  return {
    ...signal,
    features: signal.features.map((feature, f) => {
      const m = mean(columns[f]);
      const std = Math.sqrt(columns[f].reduce((sum, x) => sum + (x - m) ** 2, 0) / Math.max(1, columns[f].length));
      return { ...feature, mean: m, std: Math.max(std, 1e-9) };
    }),
  };
}

/** [features][samples] of the training part. */
function collect(recording: Recording, signal: SignalSpec): number[][] {
  const columns: number[][] = signal.features.map(() => []);
  visit(recording, signal, 0, 1 - HELD_OUT, (features) => {
    for (let f = 0; f < columns.length; f++) columns[f].push(features[f]);
  });
  return columns;
}

function cutWindows(recording: Recording, signal: SignalSpec, from: number, to: number): Float32Array {
  const { samples, hop } = signal.window;
  const count = signal.features.length;
  const windows: Float32Array[] = [];
  let recent: Float32Array[] = [];
  visit(
    recording,
    signal,
    from,
    to,
    (features) => {
      recent.push(features.slice());
      if (recent.length < samples) return;
      const window = new Float32Array(count * samples);
      for (let t = 0; t < samples; t++) for (let f = 0; f < count; f++) window[f * samples + t] = recent[t][f];
      windows.push(window);
      recent = recent.slice(hop);
    },
    () => {
      recent = [];
    },
  );
  const all = new Float32Array(windows.length * count * samples);
  for (const [i, window] of windows.entries()) all.set(window, i * count * samples);
  return all;
}

/** Runs the pipeline over a part of each turbine's time; `broke` is called where a row starts anew. */
function visit(
  recording: Recording,
  signal: SignalSpec,
  from: number,
  to: number,
  hear: (features: Float32Array) => void,
  broke: () => void = () => {},
): void {
  const { channels, turbines } = recording;
  const rotor = rotorChannel(channels);
  const out = new Float32Array(signal.features.length);
  for (const { values } of turbines) {
    const pipeline = streamPipeline(signal, channels, 1);
    const samples = values.length / channels.length;
    let still = STILL_SAMPLES;
    let settled = 0;
    broke();
    for (let i = Math.floor(from * samples); i < Math.floor(to * samples); i++) {
      still = values[i * channels.length + rotor] > 0 ? 0 : still + 1;
      if (still >= STILL_SAMPLES || !pipeline.push(0, values, i * channels.length, out, 0)) {
        pipeline.reset(0);
        settled = 0;
        broke();
      } else if (++settled > signal.window.settle) hear(out);
    }
  }
}

function rotorChannel(channels: readonly Channel[]): number {
  return channels.findIndex((channel) => channel.role === 'rotor-speed');
}

const mean = (values: readonly number[]) => values.reduce((sum, x) => sum + x, 0) / Math.max(1, values.length);
