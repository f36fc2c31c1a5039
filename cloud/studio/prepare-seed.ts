/**
 * The original's preparation of its training file: each series is denoised over its whole length at once, normalised, and cut into
 * windows of 100 samples, every 10th sample one; a network takes each as 6 × 10 × 10.
 *
 * A series is what one turbine recorded without a gap or a fault, of one part; a rotor that stands still stays in, as in the original.
 * The statistics are those of the series of the training part, one behind the other, or the original's own.
 */
import { type Channel, deskTurbine } from '../../actors/contracts/channels.ts';
import { ConfigInvalid, FileInvalid } from '../../actors/contracts/errors.ts';
import type { SignalSpec } from '../../actors/contracts/model.ts';
import { fitSeed, seedTrainingWindows } from '../../actors/signal/seed-series.ts';
import { seedFeatures } from './features.ts';
import { refuseConstant } from './fit.ts';
import { type Passes, type PreparationSpec, refuseTooFew } from './prepare.ts';
import { createSurvey, splitSamples } from './split.ts';

export type SeedStatistics = 'data' | 'original';

/** Of the network's input, without the batch. */
export const SEED_INPUT = [6, 10, 10] as const;

const STEP = 10;
/** Samples between two windows of a device: the original judges once a second. */
export const SEED_HOP = 20;
const MOST_SAMPLES = 2_000_000; // all are in memory at once: 28 hours of one turbine; the original's file has a third of them

/** @throws FileInvalid also for more samples than fit into memory. @throws ConfigInvalid for another machine */
export function* seedPasses(spec: PreparationSpec, statistics: SeedStatistics): Passes {
  const { file, machine, windows } = spec;
  const names = new Set(seedFeatures.flatMap(({ channels }) => channels));
  const channels = spec.channels.filter(({ name }) => names.has(name));
  if (channels.length < names.size)
    throw new ConfigInvalid(
      `the pipeline seed-db6 is for a ${deskTurbine.name}: a ${machine} has no ${[...names].filter((name) => !channels.some((channel) => channel.name === name)).join(', ')}`,
      {
        hint: '--pipeline stream',
      },
    );
  const split = { ...spec, turningOnly: false };
  const counting = createSurvey(split);
  yield counting.hear;
  const survey = counting.finish();
  const samples = survey.turbines.reduce((sum, { usable }) => sum + usable, 0);
  if (samples > MOST_SAMPLES)
    throw new FileInvalid(`${file} holds ${samples} samples; seed-db6 denoises whole series in memory, at most ${MOST_SAMPLES} samples`, {
      hint: 'cut the file, or take --pipeline stream, which has no limit',
    });

  const from = channels.map(({ name }) => spec.channels.findIndex((channel) => channel.name === name));
  const series = createSeries(from);
  yield splitSamples(split, survey, series.hear);

  let signal: SignalSpec = {
    pipeline: 'seed-db6',
    rateHz: 20,
    window: { samples: SEED_INPUT[1] * SEED_INPUT[2], hop: SEED_HOP, settle: 0 },
    features: seedFeatures,
  };
  if (statistics === 'data') {
    const training = series.all('training');
    if (training.length < 2 * channels.length) refuseTooFew(file, windows, STEP);
    signal = { ...signal, features: fitSeed(signal, channels, training) };
    refuseConstant(file, signal.features);
  }
  const size = signal.features.length * signal.window.samples;
  for (const part of ['training', 'heldOut'] as const) {
    for (const values of series.of(part)) {
      const cut = seedTrainingWindows(signal, channels as readonly Channel[], values, STEP);
      for (let at = 0; at < cut.length; at += size) windows[part].offer(cut.subarray(at, at + size));
    }
  }
  refuseTooFew(file, windows, STEP);
  return { signal, survey };
}

const SHORTEST = 128; // samples: a window, and enough for five levels of the wavelet

/** Keeps some channels of what it hears, a series apart for each turbine, part and break. @param from indices of the channels */
function createSeries(from: readonly number[]) {
  const parts = { training: [] as Growing[], heldOut: [] as Growing[] };
  const current = new Map<string, Growing>();
  const whole = (part: 'training' | 'heldOut') =>
    parts[part].map(({ values, length }) => values.subarray(0, length)).filter(({ length }) => length >= SHORTEST * from.length);
  return {
    hear(row: number, part: 'training' | 'heldOut', anew: boolean, values: Float64Array, offset: number) {
      const key = `${part} ${row}`;
      let series = current.get(key);
      if (!series || anew) {
        series = { values: new Float64Array(1_024 * from.length), length: 0 };
        current.set(key, series);
        parts[part].push(series);
      }
      if (series.length + from.length > series.values.length) {
        const larger = new Float64Array(2 * series.values.length);
        larger.set(series.values);
        series.values = larger;
      }
      for (const index of from) series.values[series.length++] = values[offset + index];
    },
    of: whole,
    /** One behind the other. */
    all(part: 'training' | 'heldOut'): Float64Array {
      const pieces = whole(part);
      const all = new Float64Array(pieces.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const piece of pieces) {
        all.set(piece, at);
        at += piece.length;
      }
      return all;
    },
  };
}

interface Growing {
  values: Float64Array;
  length: number;
}
