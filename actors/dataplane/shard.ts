/**
 * The data plane of a body's rows in one thread: every 50 ms advance → sample → features → windows → scores → verdicts.
 *
 * It runs in columns and knows no actor; what it says goes into the tick's reports, one for each *change*, one for each judged window
 * and one for each second of samples. Orders are dated: a tick takes those that are in force before it.
 */
import { type Backing, createSampleBlock, Quality } from '../contracts/backing.ts';
import { reasonOf } from '../contracts/errors.ts';
import type { FaultOrder } from '../contracts/faults.ts';
import type { CanaryResult, LoadedModel, RowOrder, RowReport } from '../contracts/shard.ts';
import type { Millis } from '../contracts/units.ts';
import type { Samples } from '../signal/stages.ts';
import { CANARY_WINDOWS, disagreement } from './challenger.ts';
import { createHistory } from './history.ts';
import { createJudge, forgetVerdict, judgeWindow, worstFeature } from './judge.ts';
import { createRollUps } from './roll-up.ts';
import { type Asked, createLane, type Lane, type RowListener } from './score.ts';
import { storedScores } from './stored.ts';
import { type LiveTrial, openTrial, type Pair, type Trial, waitingTrial } from './trial.ts';

export interface Shard {
  /** Calls come in the order of `at`. */
  order(at: Millis, order: RowOrder): void;
  /** Takes one sample of every row. Waits for scores that are due, when it is to; then `into` is whole once the promise has resolved. */
  tick(now: Millis, into: RowReport[]): void | Promise<void>;
  /** Windows judged by champions so far. */
  readonly windows: number;
}

export interface ShardOptions {
  /** Whether a tick waits for scores that are due, so that a run does not depend on how long they take; else they are applied when they come. */
  readonly waits: boolean;
  /** Breaks and mends the body; absent for one that cannot be broken from here. */
  readonly faults?: BodyFaults;
  /** Between a sample and its verdict, simulated. */
  readonly latencyMs?: Millis;
  /** Without a turn of the rotor for so long it stands still. Longer than a burst of lost pulses. */
  readonly stillAfterMs?: Millis;
  /** Raw samples kept a row for canaries at standstill; 0 for fleets too large. */
  readonly historySamples?: number;
}

export interface BodyFaults {
  inject(row: number, order: FaultOrder, now: Millis): void;
  clear(row: number, fault?: string): number;
}

const ROLL_UP_MS = 1_000;
const TAKE_OVER_MS = 60_000; // at the longest: a model that fills no window in a minute takes over without one
const PHASES = 20; // turbines' seconds do not begin all at once

/** What was asked and is to be applied at an instant. */
interface Due extends Pick<Asked, 'answered' | 'apply'> {
  readonly due: Millis;
  isAnswered: boolean;
}

export function openShard(backing: Backing, options: ShardOptions): Shard {
  const { waits, faults, latencyMs = 100, stillAfterMs = 10_000, historySamples = 1_200 } = options;
  const rows = backing.things.length;
  const width = backing.channels.length;
  const block = createSampleBlock(backing.channels, rows);
  const rotor = backing.channels.findIndex((channel) => channel.role === 'rotor-speed');
  const history = createHistory(rows, width, historySamples);
  const rollUps = createRollUps(rows, width);
  const phaseMs = Float64Array.from(backing.things, (thing) => (ROLL_UP_MS / PHASES) * phaseOf(thing));

  const closesAt = new Float64Array(rows); // of the row's roll-up; 0 before its first sample
  const turning = new Uint8Array(rows);
  const lost = new Uint8Array(rows);
  const filled = new Uint8Array(rows);
  const observed = new Uint8Array(rows);
  const off = new Uint8Array(rows);
  const lastTurn = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY);
  const champions: (LoadedModel | null)[] = new Array(rows).fill(null);
  const championLanes: (Lane | null)[] = new Array(rows).fill(null);
  const trials = new Map<number, Trial | LiveTrial>();
  const leading = new Map<number, { readonly model: LoadedModel; readonly until: Millis }>(); // that are to take over
  const judgedAt = new Float64Array(rows).fill(Number.NEGATIVE_INFINITY); // the row's last window that was told
  const lanes = new Map<string, Lane>();
  const judge = createJudge(rows);
  const samples: Samples = { values: block.values, count: 0, rows: new Int32Array(rows), offsets: new Int32Array(rows) };
  const outcome = new Int8Array(rows);
  const orders: { readonly at: Millis; readonly order: RowOrder }[] = [];
  let pending: Due[] = [];
  let reports: RowReport[] = [];
  let windows = 0;

  const laneOf = (model: LoadedModel): Lane => {
    const lane = lanes.get(model.digest) ?? createLane(model.manifest, { channels: backing.channels, rows });
    lanes.set(model.digest, lane);
    return lane;
  };
  const leave = (row: number, model: LoadedModel) => {
    const lane = laneOf(model);
    lane.leave(row);
    if (lane.rows === 0) lanes.delete(model.digest);
  };

  /** Keeps what is due in the order of its instants and, within one, in that in which it was asked. */
  const later = (usual: Millis, { answered, apply, latencyMs: more }: Omit<Asked, 'at'>) => {
    const due = usual + more;
    const asked: Due = { due, answered, apply, isAnswered: false };
    void answered.then(() => {
      asked.isAnswered = true;
    });
    let place = pending.length;
    while (place > 0 && pending[place - 1].due > due) place--;
    pending.splice(place, 0, asked);
  };

  const askAll = () => {
    for (const lane of lanes.values()) for (const asked of lane.ask()) later(asked.at + latencyMs, asked);
  };
  /** In simulated time windows are asked when the first of them is due: more go together then. */
  const askDue = (now: Millis) => {
    for (const lane of lanes.values())
      if (lane.oldest + latencyMs <= now) for (const asked of lane.ask()) later(asked.at + latencyMs, asked);
  };

  const breakRow = (row: number) => {
    for (const lane of lanes.values()) if (lane.has(row)) lane.break(row);
    if (filled[row] === 0) return;
    filled[row] = 0;
    reports.push({ tell: 'broken', row });
  };

  const championListener: RowListener = {
    scored(row, at, scores, offset) {
      if (at <= judgedAt[row]) return; // by the model before, which had it first
      judgedAt[row] = at;
      const model = champions[row]!;
      const count = model.manifest.signal.features.length;
      const own = scores.slice(offset, offset + count);
      const score = own[worstFeature(own, 0, count)];
      windows++;
      trials.get(row)?.championScored(at, score);
      const turned = judgeWindow(judge, row, score, model.manifest.persistence);
      reports.push({ tell: 'judged', row, model, at, scores: own, announced: judge.announced[row] === 1, turned });
    },
    failed: (row, cause) => reports.push({ tell: 'failed', row, model: champions[row]!, cause }),
  };

  /** Whether the row has a body and turns; tells of what changed. */
  const observe = (row: number, now: Millis): boolean => {
    if (block.quality[row] & Quality.lost) {
      if (lost[row] === 0) {
        lost[row] = 1;
        breakRow(row);
        takeOverSoon(row, now);
        reports.push({ tell: 'lost', row });
      }
      return false;
    }
    if (lost[row] === 1) {
      lost[row] = 0;
      reports.push({ tell: 'back', row });
    }
    if (block.values[row * width + rotor] > 0) lastTurn[row] = now;
    const turns = now - lastTurn[row] < stillAfterMs ? 1 : 0;
    if (turns !== turning[row]) {
      turning[row] = turns;
      if (turns) reports.push({ tell: 'turning', row });
      else {
        breakRow(row);
        takeOverSoon(row, now);
        reports.push({ tell: 'still', row });
      }
    }
    return turns === 1;
  };

  const rollUp = (row: number, now: Millis) => {
    if (!(closesAt[row] > 0)) {
      rollUps.begin(row, now);
      closesAt[row] = now + ROLL_UP_MS - ((now + phaseMs[row]) % ROLL_UP_MS); // the first one is shorter
    }
    rollUps.add(row, block.values, row * width);
    if (now < closesAt[row] - 1) return; // timers of a wall are not exact
    reports.push({ tell: 'rollUp', row, rollUp: rollUps.close(row, now) });
    closesAt[row] = Math.max(closesAt[row], now) + ROLL_UP_MS;
  };

  /** The model that was to take over does. */
  const takeOverNow = (row: number) => {
    const next = leading.get(row);
    if (!next) return;
    leading.delete(row);
    trials.delete(row); // its lane goes on, with another who hears of it
    const old = champions[row];
    if (old) leave(row, old);
    champions[row] = next.model;
    championLanes[row] = laneOf(next.model);
    championLanes[row].hand(row, championListener);
    forgetVerdict(judge, row);
    reports.push({ tell: 'swapped', row, model: next.model });
  };

  /** The row fills no more windows: once the last ones have their scores nothing is lost. */
  const takeOverSoon = (row: number, now: Millis) => {
    const next = leading.get(row);
    if (next) leading.set(row, { ...next, until: now + latencyMs + (champions[row]?.inference.latencyMs ?? 0) });
  };

  const replace = (now: Millis, row: number, model: LoadedModel) => {
    const old = champions[row];
    if (!old || old.digest === model.digest) {
      use(row, model);
      reports.push({ tell: 'swapped', row, model });
      return;
    }
    const running = trials.get(row);
    if (running && running.challenger?.digest !== model.digest) endTrial(row, running.id);
    const trial =
      (trials.get(row) as LiveTrial | undefined) ??
      joinTrial(
        row,
        0,
        model,
        Number.POSITIVE_INFINITY,
        () => {},
        () => {},
      );
    leading.set(row, { model, until: now + TAKE_OVER_MS });
    if (turning[row] === 0) return takeOverNow(row);
    trial.lead((scored, failure) => {
      takeOverNow(row);
      if (scored) championListener.scored(row, scored.at, scored.scores, scored.offset);
      else championListener.failed(row, failure);
    });
  };

  const use = (row: number, model: LoadedModel | null) => {
    const trial = trials.get(row);
    if (trial) endTrial(row, trial.id);
    const old = champions[row];
    if (old) leave(row, old);
    champions[row] = model;
    championLanes[row] = model && laneOf(model);
    championLanes[row]?.join(row, model!.inference, championListener);
    forgetVerdict(judge, row);
    if (!model && filled[row] === 1) {
      filled[row] = 0;
      reports.push({ tell: 'broken', row });
    }
  };

  /**
   * The device canary. On a turbine that stands still the windows of its last minutes of turning decide; with too few of them it waits for
   * wind until `goldenAt`, and then the golden samples that loading asked stand.
   */
  const tryOut = (now: Millis, row: number, id: number, challenger: LoadedModel, goldenAt: Millis) => {
    const champion = champions[row];
    const before = trials.get(row);
    if (before) endTrial(row, before.id);
    /** One that has passed keeps its windows: they may be the next that count. */
    const end = (result: CanaryResult | null, reason: string) => {
      if (trials.get(row)?.id !== id) return;
      if (!result || !trials.get(row)?.challenger) endTrial(row, id);
      reports.push({ tell: 'tried', row, trial: id, result, reason });
    };
    const decide = (pairs: readonly Pair[], by: CanaryResult['decidedBy']) => {
      const reason = disagreement(pairs);
      end(reason === null ? { decidedBy: by, windows: pairs.length } : null, reason ?? '');
    };
    const live = () => void joinTrial(row, id, challenger, goldenAt, decide, (reason) => end(null, reason));
    if (turning[row] === 1) return live();
    const waiting = waitingTrial(id);
    trials.set(row, waiting);
    let stored: readonly Pair[] = [];
    let failure = '';
    later(now + latencyMs, {
      latencyMs: challenger.inference.latencyMs ?? 0,
      answered: storedScores(history, row, backing.channels, champion, challenger).then(
        (pairs) => {
          stored = pairs;
        },
        (error: unknown) => {
          failure = reasonOf(error);
        },
      ),
      apply() {
        if (trials.get(row) !== waiting) return;
        if (failure !== '') end(null, `canary: ${failure}`);
        else if (stored.length >= CANARY_WINDOWS) decide(stored, 'stored');
        else live();
      },
    });
  };

  const joinTrial = (
    row: number,
    id: number,
    challenger: LoadedModel,
    goldenAt: Millis,
    decide: (pairs: readonly Pair[], by: CanaryResult['decidedBy']) => void,
    refuse: (reason: string) => void,
  ): LiveTrial => {
    const lane = laneOf(challenger);
    const championLane = champions[row] === null ? null : () => championLanes[row];
    const trial = openTrial({ id, row, challenger, goldenAt, lane, championLane, decide, refuse });
    trials.set(row, trial);
    lane.join(row, challenger.inference, trial.listener);
    return trial;
  };

  /** @returns whether it was that one. */
  const endTrial = (row: number, id: number): boolean => {
    const trial = trials.get(row);
    if (trial?.id !== id) return false;
    trials.delete(row);
    leading.delete(row);
    if (trial.challenger) leave(row, trial.challenger);
    return true;
  };

  const power = (row: number, isOn: boolean) => {
    off[row] = isOn ? 0 : 1;
    const trial = trials.get(row);
    if (trial) endTrial(row, trial.id);
    const champion = champions[row];
    if (champion) leave(row, champion);
    champions[row] = championLanes[row] = null;
    turning[row] = lost[row] = filled[row] = 0;
    lastTurn[row] = Number.NEGATIVE_INFINITY;
    closesAt[row] = 0;
    judgedAt[row] = Number.NEGATIVE_INFINITY;
    history.forget(row);
    forgetVerdict(judge, row);
  };

  const carryOut = (order: RowOrder, at: Millis, now: Millis) => {
    const { row } = order;
    switch (order.ask) {
      case 'command':
        return backing.command(row, order.command);
      case 'use':
        return use(row, order.model);
      case 'replace':
        return replace(now, row, order.model);
      case 'forget':
        return forgetVerdict(judge, row);
      case 'observe':
        observed[row] = order.on ? 1 : 0;
        return;
      case 'try':
        return tryOut(now, row, order.trial, order.model, order.goldenAt);
      case 'endTrial':
        endTrial(row, order.trial);
        return;
      case 'power':
        return power(row, order.on);
      case 'fault':
        return faults?.inject(row, order.order, at);
      case 'clearFault':
        faults?.clear(row, order.fault);
    }
  };

  /** Hands the samples that have been gathered to the lane of their rows. */
  const fill = (lane: Lane | null) => {
    if (!lane || samples.count === 0) return;
    lane.pushAll(samples, outcome);
    for (let i = 0; i < samples.count; i++) {
      const row = samples.rows[i];
      if (outcome[i] === -1) breakRow(row);
      else if (outcome[i] === 1 && filled[row] === 0) {
        filled[row] = 1;
        reports.push({ tell: 'filled', row });
      }
    }
    samples.count = 0;
  };

  const step = (now: Millis) => {
    let filling: Lane | null = null; // the lane of the rows that have been gathered
    while (orders.length > 0 && orders[0].at < now) {
      const { at, order } = orders.shift()!;
      carryOut(order, at, now);
    }
    for (const trial of trials.values()) if (trial.goldenAt <= now) trial.golden();
    for (const [row, { until }] of leading) if (until <= now) takeOverNow(row);
    backing.advance(now);
    backing.sample(block);
    for (let row = 0; row < rows; row++) {
      if (off[row] === 1) continue;
      const turns = observe(row, now);
      if (block.quality[row] & (Quality.lost | Quality.stale)) continue; // nothing new: no sample of a window
      const offset = row * width;
      if (observed[row] === 1) reports.push({ tell: 'sample', row, values: block.values.slice(offset, offset + width) });
      rollUp(row, now);
      if (!turns) continue;
      history.add(row, block.values, offset);
      if (trials.size > 0) trials.get(row)?.push(now, block.values, offset);
      const lane = championLanes[row];
      if (!lane) continue;
      if (lane !== filling && samples.count > 0) fill(filling);
      filling = lane;
      samples.rows[samples.count] = row;
      samples.offsets[samples.count++] = offset;
    }
    fill(filling);
    for (const lane of lanes.values()) lane.gather(now);
    if (!waits) askAll();
  };

  /** Applies what is due and answered, in the order in which it was asked. */
  const applyDue = (now: Millis) => {
    if (!pending.some((asked) => isReady(asked, now))) return;
    const ready = pending.filter((asked) => isReady(asked, now));
    pending = pending.filter((asked) => !isReady(asked, now));
    for (const { apply } of ready) apply();
  };

  const settleThenStep = async (now: Millis, into: RowReport[]) => {
    for (const { due, answered } of [...pending]) if (due <= now) await answered;
    reports = into;
    applyDue(now);
    step(now);
  };

  return {
    get windows() {
      return windows;
    },
    order: (at, order) => {
      orders.push({ at, order });
    },
    tick(now, into) {
      if (waits) askDue(now);
      if (waits && pending.length > 0 && pending.some(({ due, isAnswered }) => due <= now && !isAnswered)) return settleThenStep(now, into);
      reports = into;
      applyDue(now);
      step(now);
    },
  };
}

const isReady = ({ due, isAnswered }: Due, now: Millis): boolean => due <= now && isAnswered;

/** 0 up to `PHASES`: of a name, so that no neighbour moves it (FNV-1a). */
function phaseOf(thing: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < thing.length; i++) hash = Math.imul(hash ^ thing.charCodeAt(i), 0x01000193) >>> 0;
  return hash % PHASES;
}
