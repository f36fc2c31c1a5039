/**
 * The data plane of one backing: every 50 ms advance → sample → features → windows → scores → verdicts.
 *
 * It runs in columns and knows no actor; what it says goes to `PlaneListener`, a call for each *change* and one for each
 * judged window.
 */
import { type Backing, createSampleBlock, Quality, type SampleBlock } from '../contracts/backing.ts';
import type { Clock } from '../contracts/clock.ts';
import { ModelRejected } from '../contracts/errors.ts';
import type { Millis } from '../contracts/units.ts';
import type { Verdict } from '../contracts/verdict.ts';
import { CANARY_WINDOWS, type CanaryResult, disagreement, pairWindows, type Score } from './challenger.ts';
import { createHistory } from './history.ts';
import { createJudge, forgetVerdict, judgeWindow, worstFeature } from './judge.ts';
import { createLane, type Lane, type LoadedModel, type RowListener } from './score.ts';
import { storedScores } from './stored.ts';

export interface PlaneListener {
  turning(row: number): void;
  still(row: number): void;
  /** The first whole window since the last break. */
  filled(row: number): void;
  broken(row: number): void;
  lost(row: number): void;
  back(row: number): void;
  /** A window was judged. `announced` is the standing verdict, `turned` whether this window turned it over. */
  judged(row: number, verdict: Verdict, announced: boolean, turned: boolean): void;
  /** The row's model does not answer. */
  failed(row: number, cause: string): void;
}

export interface DataPlane {
  /** The latest sample of every row. */
  readonly block: SampleBlock;
  /** Takes one sample of every row. */
  tick(now: Millis): void;
  /** The model that judges a row from its next sample on; null for none. Its verdict starts anew. */
  use(row: number, model: LoadedModel | null): void;
  champion(row: number): LoadedModel | null;
  /** Forgets the standing verdict of a row: an operator has cleared it. */
  forget(row: number): void;
  /**
   * The device canary: resolves when the challenger may replace the champion. On a turbine that stands still the windows of its last
   * minutes of turning decide; with too few of them it waits for wind until `goldenAt`, and then the golden samples that loading asked stand.
   * @throws ModelRejected with the disagreement.
   */
  tryOut(row: number, challenger: LoadedModel, options: { readonly goldenAt: Millis; readonly signal: AbortSignal }): Promise<CanaryResult>;
  /** What the listener has been told of a row so far, for an actor that starts anew. `verdict` is the standing one. */
  facts(row: number): { readonly turning: boolean; readonly lost: boolean; readonly filled: boolean; readonly verdict: Verdict | null };
  /** Windows judged by champions so far. */
  readonly windows: number;
}

export interface DataPlaneOptions {
  readonly clock: Clock;
  readonly listener: PlaneListener;
  /** Between a sample and its verdict, simulated. */
  readonly latencyMs?: Millis;
  /** Without a turn of the rotor for so long it stands still. Longer than a burst of lost pulses. */
  readonly stillAfterMs?: Millis;
  /** Raw samples kept a row for canaries at standstill; 0 for fleets too large. */
  readonly historySamples?: number;
}

export function openDataPlane(backing: Backing, options: DataPlaneOptions): DataPlane {
  const { clock, listener, latencyMs = 100, stillAfterMs = 10_000, historySamples = 1_200 } = options;
  const rows = backing.things.length;
  const width = backing.channels.length;
  const block = createSampleBlock(backing.channels, rows);
  const rotor = backing.channels.findIndex((channel) => channel.role === 'rotor-speed');
  const history = createHistory(rows, width, historySamples);

  const turning = new Uint8Array(rows);
  const lost = new Uint8Array(rows);
  const filled = new Uint8Array(rows);
  const lastTurn = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY);
  const champions: (LoadedModel | null)[] = new Array(rows).fill(null);
  const championLanes: (Lane | null)[] = new Array(rows).fill(null);
  const standing: (Verdict | null)[] = new Array(rows).fill(null);
  const trials = new Map<number, Trial>();
  const lanes = new Map<string, Lane>();
  const judge = createJudge(rows);
  let windows = 0;

  const laneOf = (model: LoadedModel): Lane => {
    const lane = lanes.get(model.digest) ?? createLane(model.manifest, { channels: backing.channels, rows, clock, latency: latencyMs });
    lanes.set(model.digest, lane);
    return lane;
  };
  const leave = (row: number, model: LoadedModel) => {
    const lane = laneOf(model);
    lane.leave(row);
    if (lane.rows === 0) lanes.delete(model.digest);
  };

  const breakRow = (row: number) => {
    for (const lane of lanes.values()) if (lane.has(row)) lane.break(row);
    if (filled[row] === 0) return;
    filled[row] = 0;
    listener.broken(row);
  };

  const forget = (row: number) => {
    forgetVerdict(judge, row);
    standing[row] = null;
  };

  const championListener: RowListener = {
    scored(row, at, scores, offset) {
      const model = champions[row]!;
      const names = model.manifest.signal.features;
      const worst = worstFeature(scores.subarray(offset, offset + names.length), 0, names.length);
      const score = scores[offset + worst];
      windows++;
      trials.get(row)?.championScored(at, score);
      const turned = judgeWindow(judge, row, score, model.manifest.persistence);
      const verdict: Verdict = {
        at,
        model: model.id,
        anomalous: score > 1,
        score,
        worst: names[worst].name,
        scores: Object.fromEntries(names.map(({ name }, f) => [name, scores[offset + f]])),
      };
      if (turned) standing[row] = { ...verdict, anomalous: judge.announced[row] === 1 };
      listener.judged(row, verdict, judge.announced[row] === 1, turned);
    },
    failed: (row, cause) => listener.failed(row, cause),
  };

  /** Whether the row has a body and turns; tells of what changed. */
  const observe = (row: number, now: Millis): boolean => {
    if (block.quality[row] & Quality.lost) {
      if (lost[row] === 0) {
        lost[row] = 1;
        breakRow(row);
        listener.lost(row);
      }
      return false;
    }
    if (lost[row] === 1) {
      lost[row] = 0;
      listener.back(row);
    }
    if (block.values[row * width + rotor] > 0) lastTurn[row] = now;
    const turns = now - lastTurn[row] < stillAfterMs ? 1 : 0;
    if (turns !== turning[row]) {
      turning[row] = turns;
      if (turns) listener.turning(row);
      else {
        breakRow(row);
        listener.still(row);
      }
    }
    return turns === 1;
  };

  return {
    block,
    get windows() {
      return windows;
    },
    champion: (row) => champions[row],
    facts: (row) => ({ turning: turning[row] === 1, lost: lost[row] === 1, filled: filled[row] === 1, verdict: standing[row] }),
    forget,

    tick(now) {
      backing.advance(now);
      backing.sample(block);
      for (let row = 0; row < rows; row++) {
        if (!observe(row, now)) continue;
        if (block.quality[row] & Quality.stale) continue; // nothing new: no sample of a window
        const offset = row * width;
        history.add(row, block.values, offset);
        trials.get(row)?.push(now, block.values, offset);
        const lane = championLanes[row];
        if (!lane) continue;
        const whole = lane.push(row, block.values, offset);
        if (whole === null) breakRow(row);
        else if (whole && filled[row] === 0) {
          filled[row] = 1;
          listener.filled(row);
        }
      }
      for (const lane of lanes.values()) lane.flush(now);
    },

    use(row, model) {
      const old = champions[row];
      if (old) leave(row, old);
      champions[row] = model;
      championLanes[row] = model && laneOf(model);
      championLanes[row]?.join(row, model!.inference, championListener);
      forget(row);
      if (!model && filled[row] === 1) {
        filled[row] = 0;
        listener.broken(row);
      }
    },

    async tryOut(row, challenger, { goldenAt, signal }) {
      const champion = champions[row];
      if (turning[row] === 0) {
        const stored = await clock.until(clock.now() + latencyMs, storedScores(history, row, backing.channels, champion, challenger));
        if (stored.length >= CANARY_WINDOWS) return decide(challenger, stored, 'stored');
      }
      const lane = laneOf(challenger);
      const trial = openTrial(row, lane, champion === null ? null : () => championLanes[row]);
      trials.set(row, trial);
      lane.join(row, challenger.inference, trial.listener);
      const golden = clock.setTimeout(() => trial.end('golden'), Math.max(0, goldenAt - clock.now()));
      signal.addEventListener('abort', () => trial.end('golden'), { once: true });
      try {
        const { pairs, by, failure } = await trial.over;
        signal.throwIfAborted();
        if (failure !== null) throw new ModelRejected(challenger.id, failure);
        return decide(challenger, pairs, by);
      } finally {
        clock.clearTimeout(golden);
        trials.delete(row);
        leave(row, challenger);
      }
    },
  };
}

type Pair = { readonly champion: number | null; readonly challenger: number };

function decide(challenger: LoadedModel, pairs: readonly Pair[], by: CanaryResult['decidedBy']): CanaryResult {
  const reason = disagreement(pairs);
  if (reason !== null) throw new ModelRejected(challenger.id, reason);
  return { decidedBy: by, windows: pairs.length };
}

interface Trial {
  readonly listener: RowListener;
  readonly over: Promise<{ readonly pairs: readonly Pair[]; readonly by: CanaryResult['decidedBy']; readonly failure: string | null }>;
  push(now: Millis, values: Float64Array, offset: number): void;
  championScored(at: Millis, score: number): void;
  end(by: CanaryResult['decidedBy']): void;
}

/** Samples of a trial whose instants are remembered: more than are between a window's last and its scores. */
const REMEMBERED = 1_000;

/** One challenger beside a champion on one row. @param championLane null when there is no champion */
function openTrial(row: number, lane: Lane, championLane: (() => Lane | null) | null): Trial {
  const champion: Score[] = [];
  const challenger: Score[] = [];
  const instants: Millis[] = []; // of the row's last samples
  let isAligned = championLane === null;
  let settle: (result: { pairs: readonly Pair[]; by: CanaryResult['decidedBy']; failure: string | null }) => void = () => {};
  const over = new Promise<{ pairs: readonly Pair[]; by: CanaryResult['decidedBy']; failure: string | null }>((settled) => {
    settle = settled;
  });

  /** When the last sample of a window was taken whose scores are of `at`; pipelines differ in how long they wait after it. */
  const endOf = (at: Millis, lag: number): Millis => instants[instants.lastIndexOf(at) - lag] ?? Number.NEGATIVE_INFINITY;
  const pairs = (): readonly Pair[] =>
    championLane === null ? challenger.map(({ score }) => ({ champion: null, challenger: score })) : pairWindows(champion, challenger);
  const check = () => {
    const judged = pairs();
    if (judged.length >= CANARY_WINDOWS) settle({ pairs: judged, by: 'live', failure: null });
  };

  return {
    over,
    listener: {
      scored(_, at, scores, offset) {
        challenger.push({
          at: endOf(at, lane.lag),
          score: Math.max(...scores.subarray(offset, offset + lane.manifest.signal.features.length)),
        });
        check();
      },
      failed: (_, cause) => settle({ pairs: [], by: 'live', failure: `canary: ${cause}` }),
    },
    push(now, values, offset) {
      if (instants.push(now) > 2 * REMEMBERED) instants.splice(0, REMEMBERED);
      isAligned ||= lane.begins(row) && (championLane?.()?.begins(row) ?? true); // both windows begin at the same sample
      lane.push(row, values, offset);
      if (!isAligned) lane.align(row);
    },
    championScored(at, score) {
      champion.push({ at: endOf(at, championLane?.()?.lag ?? 0), score });
      check();
    },
    end: (by) => settle({ pairs: pairs(), by, failure: null }),
  };
}
