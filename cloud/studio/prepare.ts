/**
 * Samples → statistics and windows, by the same pipeline that devices run.
 *
 * A preparation hears the samples several times from the start: to count and check them, to fit its curves, its statistics, and to
 * cut its windows. Nothing grows with their number, so a file of any size will do.
 */
import { FileInvalid } from '../../actors/contracts/errors.ts';
import type { FaultInterval } from '../../actors/contracts/ground-truth.ts';
import type { SignalSpec } from '../../actors/contracts/model.ts';
import type { Recording } from '../../actors/contracts/recording.ts';
import { openWindowSource } from '../../actors/signal/source.ts';
import { featuresOf } from './features.ts';
import { fitStatistics } from './fit.ts';
import { fitCurves } from './fit-curves.ts';
import { hearRecording, type SampleHearer } from './samples.ts';
import { createSurvey, type HoldOut, type SplitOptions, splitSamples, type Survey } from './split.ts';
import { memoryStore } from './windows.ts';

export interface Prepared {
  readonly machine: string;
  readonly signal: SignalSpec;
  /** [windows × features × samples], normalised; every `hop` samples one (of `seed-db6`, every 10th sample begins one). */
  readonly training: Float32Array;
  readonly heldOut: Float32Array;
  /** Hex SHA-256 of what it was made from. */
  readonly source: string;
  /** What else is known of it, for the lineage: its name, its seed, its span. */
  readonly origin?: Readonly<Record<string, string | number>>;
}

/** Where the windows of both parts go. */
export interface WindowTakers {
  readonly training: { offer(window: Float32Array): void; readonly offered: number };
  readonly heldOut: { offer(window: Float32Array): void; readonly offered: number };
}

export interface PreparationSpec extends Omit<SplitOptions, 'turningOnly'> {
  readonly machine: string;
  readonly windows: WindowTakers;
}

export interface Preparation {
  readonly signal: SignalSpec;
  readonly survey: Survey;
}

/** Yields what wants to hear all samples from the start, in turn; whoever runs it reads them as often. */
export type Passes = Generator<SampleHearer, Preparation, void>;

const WINDOW = { samples: 100, hop: 100, settle: 200 } as const;
const RATE_HZ = 20;
const LEAST = { training: 20, heldOut: 5 } as const;

/** Of the `stream` pipeline. @throws FileInvalid when there are too few samples of a turning rotor, or a feature is constant */
export function* streamPasses(spec: PreparationSpec): Passes {
  const { file, channels, machine, windows } = spec;
  const split = { ...spec, turningOnly: true };
  const counting = createSurvey(split);
  yield counting.hear;
  const survey = counting.finish();
  const rows = survey.turbines.length;

  let signal: SignalSpec = { pipeline: 'stream', rateHz: RATE_HZ, window: WINDOW, features: featuresOf(machine, channels) };
  const curves = fitCurves(signal, channels, rows);
  if (curves) {
    yield splitSamples(split, survey, curves.hear);
    signal = curves.finish();
  }
  const statistics = fitStatistics(file, signal, channels, rows);
  yield splitSamples(split, survey, statistics.hear);
  signal = statistics.finish();

  const source = openWindowSource(signal, channels, rows);
  const window = new Float32Array(signal.features.length * signal.window.samples);
  yield splitSamples(split, survey, (row, part, anew, values, offset) => {
    if (anew) source.break(row);
    if (source.push(row, values, offset) !== true) return;
    source.take(row, window, 0);
    windows[part].offer(window);
  });
  refuseTooFew(file, windows, signal.window.hop);
  return { signal, survey };
}

/** @param hop samples from one window to the next. @throws FileInvalid saying how much more recording it takes */
export function refuseTooFew(file: string, { training, heldOut }: WindowTakers, hop: number): void {
  if (training.offered >= LEAST.training && heldOut.offered >= LEAST.heldOut) return;
  const missing = Math.max((LEAST.training - training.offered) / 0.75, (LEAST.heldOut - heldOut.offered) / 0.25);
  throw new FileInvalid(
    `${file} holds ${training.offered} windows of a turning rotor to train on and ${heldOut.offered} to hold out; it takes ${LEAST.training} and ${LEAST.heldOut} at least`,
    { hint: `record about ${Math.ceil((missing * hop) / RATE_HZ / 10) * 10} s more, without a break, in enough wind` },
  );
}

export interface PrepareOptions {
  readonly faults?: readonly FaultInterval[];
  readonly holdOut?: HoldOut;
}

/** All in memory. @throws FileInvalid as `streamPasses` does */
export function prepare(
  recording: Recording,
  machine: string,
  source: string,
  { faults = [], holdOut = 'time' }: PrepareOptions = {},
): Prepared {
  const stores = { training: memoryStore(), heldOut: memoryStore() };
  const passes = streamPasses({
    file: 'the recording',
    machine,
    channels: recording.channels,
    things: recording.turbines.map(({ thing }) => thing),
    faults,
    holdOut,
    windows: { training: taking(stores.training), heldOut: taking(stores.heldOut) },
  });
  let pass = passes.next();
  while (!pass.done) {
    hearRecording(recording, pass.value);
    pass = passes.next();
  }
  return { machine, signal: pass.value.signal, training: stores.training.all(), heldOut: stores.heldOut.all(), source };
}

/** Every window, in the order in which they come. */
function taking(store: { put(slot: number, window: Float32Array): void }): WindowTakers['training'] {
  let offered = 0;
  return {
    get offered() {
      return offered;
    },
    offer: (window) => store.put(offered++, window),
  };
}
