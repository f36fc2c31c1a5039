/** What training takes, looked at first: every fault of the windows is named before an hour is spent on them. */
import { FileInvalid } from '../../actors/contracts/errors.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import type { Prepared } from './prepare.ts';

const FEWEST_TRAINING = 20;
const FEWEST_HELD_OUT = 5;
const FLAT = 1e-6; // of a standard deviation

/** Which windows train and which test, by their place in training ++ held out. */
export interface Split {
  readonly trains: Uint32Array;
  readonly checks: Uint32Array;
}

/** @throws FileInvalid for too few windows, for values that are no numbers, and for a feature that never changes */
export function checkWindows({ signal, training, heldOut }: Prepared): void {
  const { samples } = signal.window;
  const size = signal.features.length * samples;
  for (const [name, windows, fewest] of [
    ['training', training, FEWEST_TRAINING],
    ['held-out', heldOut, FEWEST_HELD_OUT],
  ] as const) {
    if (windows.length % size !== 0)
      throw new FileInvalid(
        `the ${name} part holds ${windows.length} values, no whole number of windows of ${signal.features.length} features × ${samples} samples`,
        { hint: 'prepare the recording again: `windfleet data prepare F.csv --out DIR`' },
      );
    if (windows.length < fewest * size)
      throw new FileInvalid(`there are ${windows.length / size} ${name} windows; training wants ${fewest} at least`, {
        hint: 'record for longer, or more turbines',
      });
    const bad = windows.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0)
      throw new FileInvalid(
        `${name} window ${Math.floor(bad / size)}: ${signal.features[Math.floor((bad % size) / samples)].name} is ${windows[bad]} at sample ${bad % samples}`,
        { hint: 'a reading that was no number came through; prepare the recording again without it' },
      );
  }
  const flat = signal.features.filter((_, f) => rangeOf(training, f * samples, samples, size) < FLAT).map(({ name }) => name);
  if (flat.length > 0)
    throw new FileInvalid(
      `${flat.join(', ')} never ${flat.length === 1 ? 'changes' : 'change'} in the training windows: nothing can be learned of ${flat.length === 1 ? 'it' : 'them'}`,
      {
        hint: 'is the sensor connected? record it moving, or prepare without that feature',
      },
    );
}

function rangeOf(windows: Float32Array, at: number, samples: number, size: number): number {
  let [low, high] = [Infinity, -Infinity];
  for (let w = at; w < windows.length; w += size) {
    for (let i = w; i < w + samples; i++) {
      if (windows[i] < low) low = windows[i];
      if (windows[i] > high) high = windows[i];
    }
  }
  return high - low;
}

/** The training part trains, the held-out part tests. */
export function plainSplit(training: number, heldOut: number): Split {
  return { trains: range(0, training), checks: range(training, training + heldOut) };
}

/** One of K folds of the training part tests, the others train: shuffled once, by seed. */
export function foldSplit(training: number, folds: number, fold: number, rng: Rng): Split {
  if (training < 2 * folds)
    throw new FileInvalid(`${training} training windows are too few for ${folds} folds`, { hint: 'record for longer, or fold less often' });
  const order = range(0, training);
  shuffle(order, rng);
  const [first, last] = [Math.floor((training * fold) / folds), Math.floor((training * (fold + 1)) / folds)];
  const checks = order.slice(first, last).sort();
  const trains = Uint32Array.from([...order.slice(0, first), ...order.slice(last)]).sort();
  return { trains, checks };
}

/** Fisher–Yates, from a stream of its own. */
export function shuffle(order: Uint32Array, rng: Rng): void {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(rng.uniform(i) * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
}

const range = (from: number, to: number) => Uint32Array.from({ length: to - from }, (_, i) => from + i);
