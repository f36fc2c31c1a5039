/** A challenger beside a champion on one row: it judges the windows that the champion judges, until enough of them have been seen. */
import type { CanaryResult, LoadedModel } from '../contracts/shard.ts';
import type { Millis } from '../contracts/units.ts';
import { CANARY_WINDOWS, pairWindows, type Score } from './challenger.ts';
import type { Lane, RowListener } from './score.ts';

/** Worst scores of the same window; null without a champion. */
export type Pair = { readonly champion: number | null; readonly challenger: number };

/** A challenger on one row. */
export interface Trial {
  readonly id: number;
  /** Null while it waits for the scores of stored windows: it has joined no lane then. */
  readonly challenger: LoadedModel | null;
  readonly goldenAt: Millis;
  push(now: Millis, values: Float64Array, offset: number): void;
  championScored(at: Millis, score: number): void;
  /** Its time is over. */
  golden(): void;
}

/** What is done with a challenger that is to take over. */
export type TakeOver = (
  scored: { readonly at: Millis; readonly scores: Float32Array; readonly offset: number } | null,
  failure: string,
) => void;

/** Until the scores of stored windows are there. */
export const waitingTrial = (id: number): Trial => ({
  id,
  challenger: null,
  goldenAt: Number.POSITIVE_INFINITY,
  push() {},
  championScored() {},
  golden() {},
});

/** Samples of a trial whose instants are remembered: more than are between a window's last and its scores. */
const REMEMBERED = 1_000;

export interface LiveTrial extends Trial {
  readonly listener: RowListener;
  /** From now on nothing is compared: the next window that has its scores is the first one that counts. */
  lead(takeOver: TakeOver): void;
}

export interface TrialOptions {
  readonly id: number;
  readonly row: number;
  readonly challenger: LoadedModel;
  readonly goldenAt: Millis;
  readonly lane: Lane;
  /** Null when there is no champion. */
  readonly championLane: (() => Lane | null) | null;
  readonly decide: (pairs: readonly Pair[], by: CanaryResult['decidedBy']) => void;
  readonly refuse: (reason: string) => void;
}

/** One challenger beside a champion on a row that turns, or will. */
export function openTrial({ id, row, challenger: model, goldenAt, lane, championLane, decide, refuse }: TrialOptions): LiveTrial {
  const champion: Score[] = [];
  const challenger: Score[] = [];
  const instants: Millis[] = []; // of the row's last samples
  let isAligned = championLane === null;
  let isDecided = false;
  let takeOver: TakeOver | null = null;

  /** When the last sample of a window was taken whose scores are of `at`; pipelines differ in how long they wait after it. */
  const endOf = (at: Millis, lag: number): Millis => instants[instants.lastIndexOf(at) - lag] ?? Number.NEGATIVE_INFINITY;
  const pairs = (): readonly Pair[] =>
    championLane === null ? challenger.map(({ score }) => ({ champion: null, challenger: score })) : pairWindows(champion, challenger);
  const end = (judged: readonly Pair[], by: CanaryResult['decidedBy']) => {
    isDecided = true;
    decide(judged, by);
  };
  const check = () => {
    const judged = pairs();
    if (judged.length >= CANARY_WINDOWS) end(judged, 'live');
  };

  return {
    id,
    challenger: model,
    goldenAt,
    listener: {
      scored(_, at, scores, offset) {
        if (takeOver) return takeOver({ at, scores, offset }, '');
        if (isDecided) return;
        challenger.push({
          at: endOf(at, lane.lag),
          score: Math.max(...scores.subarray(offset, offset + lane.manifest.signal.features.length)),
        });
        check();
      },
      failed(_, cause) {
        if (takeOver) takeOver(null, cause);
        else if (!isDecided) refuse(`canary: ${cause}`);
      },
    },
    push(now, values, offset) {
      if (instants.push(now) > 2 * REMEMBERED) instants.splice(0, REMEMBERED);
      isAligned ||= lane.begins(row) && (championLane?.()?.begins(row) ?? true); // both windows begin at the same sample
      lane.push(row, values, offset);
      if (!isAligned) lane.align(row);
    },
    championScored(at, score) {
      if (isDecided || takeOver) return;
      champion.push({ at: endOf(at, championLane?.()?.lag ?? 0), score });
      check();
    },
    golden() {
      if (!isDecided && !takeOver) end(pairs(), 'golden');
    },
    lead(then) {
      takeOver = then;
    },
  };
}
