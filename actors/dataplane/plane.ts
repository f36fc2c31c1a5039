/**
 * The data plane of one body as the fleet holds it, wherever its rows run: orders go to the row's shard with the instant from which they
 * are in force, and what the shards tell of a tick is heard in the order of the rows.
 *
 *   order at t ──▶ in force after t + reaction            shards run ahead of the fleet by as long at most
 *
 * An order is in the fleet's books at once: what a row still tells of before it is put right on its way.
 */
import type { TurbineCommand } from '../contracts/backing.ts';
import type { Clock } from '../contracts/clock.ts';
import { ModelRejected } from '../contracts/errors.ts';
import type { CanaryResult, LoadedModel, RollUp, RowChange, RowOrder, RowReport, ShardLink } from '../contracts/shard.ts';
import type { Millis } from '../contracts/units.ts';
import type { Verdict } from '../contracts/verdict.ts';
import { isDisagreement } from './challenger.ts';
import { worstFeature } from './judge.ts';

export interface PlaneListener {
  changed(row: number, change: RowChange): void;
  /** A window was judged. `announced` is the standing verdict, `turned` whether this window turned it over. */
  judged(row: number, verdict: Verdict, announced: boolean, turned: boolean): void;
  /** The row's model does not answer. */
  failed(row: number, cause: string): void;
  rollUp(row: number, rollUp: RollUp): void;
  /** One sample of an observed row, [channels]. */
  sample(row: number, values: Float64Array): void;
}

export interface DataPlane {
  /** Lets the shards run on, and then hears what they have told up to `now`. */
  tick(now: Millis): Promise<void> | void;
  /** To the row's body. */
  command(row: number, command: TurbineCommand): void;
  /** The model that judges a row from its next sample on; null for none. Its verdict starts anew. */
  use(row: number, model: LoadedModel | null): void;
  /**
   * Another model takes over, and no window is lost between them: the champion there is judges until the other has its first window.
   * @param swapped heard when it judges, with the one that judged before
   */
  replace(row: number, model: LoadedModel, swapped: (old: LoadedModel | null) => void): void;
  champion(row: number): LoadedModel | null;
  /** Forgets the standing verdict of a row: an operator has cleared it. */
  forget(row: number): void;
  /** Whether a row's samples are told, each of them. */
  observe(row: number, on: boolean): void;
  /** Whether a row's device is on: off, nothing is heard of it; and it starts anew. */
  power(row: number, on: boolean): void;
  /** Any other order. */
  order(order: RowOrder): void;
  /**
   * The device canary: resolves when the challenger may replace the champion. On a turbine that stands still the windows of its last
   * minutes of turning decide; with too few of them it waits for wind until `goldenAt`, and then the golden samples that loading asked stand.
   * @throws ModelRejected with the disagreement.
   */
  tryOut(row: number, challenger: LoadedModel, options: { readonly goldenAt: Millis; readonly signal: AbortSignal }): Promise<CanaryResult>;
  /** A challenger that has passed is not wanted: it leaves the windows that it is kept in. */
  dismiss(row: number): void;
  /** What the listener has been told of a row so far, for an actor that starts anew. `verdict` is the standing one. */
  facts(row: number): RowFacts;
  /** Windows judged by champions so far; of one shard. */
  windows(shard: ShardLink): number;
  close(): Promise<void>;
}

export interface RowFacts {
  readonly turning: boolean;
  readonly lost: boolean;
  readonly filled: boolean;
  readonly verdict: Verdict | null;
}

export interface DataPlaneOptions {
  readonly clock: Clock;
  readonly listener: PlaneListener;
  /** Rows over all shards. */
  readonly rows: number;
  /** From an order to its being in force; 0 where the shards run in this thread and no other run has to be like this one. */
  readonly reactionMs: Millis;
}

interface Row {
  readonly shard: ShardLink;
  turning: boolean;
  lost: boolean;
  filled: boolean;
  verdict: Verdict | null;
  champion: LoadedModel | null;
  /** Until then the row does not yet know that its verdict is void, or its model another. */
  forgetsUntil: Millis;
  /** Until then nothing is heard of it. */
  deafUntil: Millis;
  /** The trial that has passed last. */
  passed: number | null;
  /** Heard when the model that was to take over has. */
  swapped: ((old: LoadedModel | null) => void) | null;
  readonly trials: Map<number, (report: Extract<RowReport, { tell: 'tried' }>) => void>;
}

export function openDataPlane(shards: readonly ShardLink[], options: DataPlaneOptions): DataPlane {
  const { clock, listener, reactionMs } = options;
  const rows: Row[] = new Array(options.rows);
  for (const shard of shards)
    for (const row of shard.rows)
      rows[row] = {
        shard,
        turning: false,
        lost: false,
        filled: false,
        verdict: null,
        champion: null,
        forgetsUntil: Number.NEGATIVE_INFINITY,
        deafUntil: Number.NEGATIVE_INFINITY,
        passed: null,
        swapped: null,
        trials: new Map(),
      };
  let reports: RowReport[] = [];
  const windows = new Map<ShardLink, number>();
  let trials = 0;
  let hasStarted = false;

  /** Before the first tick an order has no way to go. */
  const inForce = (): Millis => (hasStarted ? clock.now() + reactionMs : Number.NEGATIVE_INFINITY);
  const order = (what: RowOrder) => rows[what.row].shard.order(inForce(), what);
  const forget = (row: number) => {
    rows[row].verdict = null;
    rows[row].forgetsUntil = inForce();
  };

  const hearJudged = (report: Extract<RowReport, { tell: 'judged' }>) => {
    const { row, model, at, scores } = report;
    const of = rows[row];
    if (of.champion?.digest !== model.digest) return; // of a model that has been replaced meanwhile
    const isVoid = clock.now() <= of.forgetsUntil;
    const announced = report.announced && !isVoid;
    const verdict = verdictOf(model, at, scores);
    windows.set(of.shard, (windows.get(of.shard) ?? 0) + 1);
    const turned = report.turned && !isVoid;
    if (turned) of.verdict = { ...verdict, anomalous: announced };
    listener.judged(row, verdict, announced, turned);
  };

  const hear = (report: RowReport) => {
    const { row } = report;
    if (clock.now() <= rows[row].deafUntil) return;
    switch (report.tell) {
      case 'judged':
        return hearJudged(report);
      case 'rollUp':
        return listener.rollUp(row, report.rollUp);
      case 'sample':
        return listener.sample(row, report.values);
      case 'failed':
        if (rows[row].champion?.digest === report.model.digest) listener.failed(row, report.cause);
        return;
      case 'tried': {
        const ended = rows[row].trials.get(report.trial);
        rows[row].trials.delete(report.trial);
        if (ended && report.result) rows[row].passed = report.trial;
        return ended?.(report);
      }
      case 'swapped': {
        const of = rows[row];
        const { champion: old, swapped } = of;
        if (!swapped) return; // another model was put there meanwhile
        of.champion = report.model;
        of.verdict = of.swapped = of.passed = null;
        return swapped(old);
      }
      default:
        note(rows[row], report.tell);
        listener.changed(row, report.tell);
    }
  };

  const hearAll = () => {
    const told = reports;
    reports = [];
    if (told.length > 1) told.sort((a, b) => a.row - b.row); // stable: a row's own order stays
    for (const report of told) hear(report);
  };

  return {
    windows: (shard) => windows.get(shard) ?? 0,
    champion: (row) => rows[row].champion,
    facts: (row) => rows[row],
    order,
    command: (row, command) => order({ ask: 'command', row, command }),
    observe: (row, on) => order({ ask: 'observe', row, on }),

    power(row, on) {
      const of = rows[row];
      of.deafUntil = on ? inForce() : Infinity;
      of.champion = of.verdict = of.swapped = of.passed = null;
      of.turning = of.lost = of.filled = false;
      of.trials.clear();
      order({ ask: 'power', row, on });
    },

    tick(now) {
      hasStarted = true;
      for (const shard of shards) shard.allow(now + reactionMs);
      const waiting: Promise<void>[] = [];
      for (const shard of shards) {
        const taken = shard.take(now, reports);
        if (taken) waiting.push(taken);
      }
      if (waiting.length > 0) return Promise.all(waiting).then(hearAll);
      hearAll();
    },

    use(row, model) {
      rows[row].swapped = rows[row].passed = null;
      rows[row].champion = model;
      order({ ask: 'use', row, model });
      forget(row);
    },

    replace(row, model, swapped) {
      rows[row].swapped = swapped;
      order({ ask: 'replace', row, model });
    },

    dismiss(row) {
      const { passed } = rows[row];
      rows[row].passed = null;
      if (passed !== null) order({ ask: 'endTrial', row, trial: passed });
    },

    forget(row) {
      order({ ask: 'forget', row });
      forget(row);
    },

    tryOut(row, challenger, { goldenAt, signal }) {
      const trial = ++trials;
      return new Promise((resolve, reject) => {
        const abandon = () => {
          rows[row].trials.delete(trial);
          order({ ask: 'endTrial', row, trial });
          reject(signal.reason);
        };
        if (signal.aborted) return reject(signal.reason);
        rows[row].trials.set(trial, ({ result, reason }) => {
          signal.removeEventListener('abort', abandon);
          if (result) resolve(result);
          else reject(new ModelRejected(challenger.id, reason, undefined, isDisagreement(reason) ? 'canary.disagrees' : 'canary.failed'));
        });
        signal.addEventListener('abort', abandon, { once: true });
        order({ ask: 'try', row, trial, model: challenger, goldenAt });
      });
    },

    async close() {
      for (const shard of shards) await shard.close();
    },
  };
}

function note(row: Row, change: RowChange): void {
  if (change === 'turning') row.turning = true;
  else if (change === 'still') row.turning = false;
  else if (change === 'filled') row.filled = true;
  else if (change === 'broken') row.filled = false;
  else if (change === 'lost') row.lost = true;
  else row.lost = false;
}

function verdictOf(model: LoadedModel, at: Millis, values: Float32Array): Verdict {
  const { features } = model.manifest.signal;
  const worst = worstFeature(values, 0, features.length);
  const scores: Record<string, number> = {};
  for (let f = 0; f < features.length; f++) scores[features[f].name] = values[f];
  return { at, model: model.id, anomalous: values[worst] > 1, score: values[worst], worst: features[worst].name, scores };
}
