/** What the gate asks of telemetry: the last verdicts of every turbine, as they were heard. */
import type { Clock } from '../actors/contracts/clock.ts';
import type { FleetEvidence, TurbineEvidence, TurbineNow } from '../actors/contracts/evidence.ts';
import type { FleetView, TurbineView } from '../actors/contracts/fleet-view.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { Millis } from '../actors/contracts/units.ts';

const KEPT = 240; // verdicts of a turbine: 20 minutes of the usual windows
const LEAST_SCORE = 1e-9; // of a perfect reconstruction, which has no logarithm
const MINUTE = 60_000;

interface Heard {
  readonly at: Float64Array;
  readonly score: Float32Array;
  /** Mean over the features of the logarithm of their scores. */
  readonly errors: Float32Array;
  readonly tookMs: Float32Array;
  count: number;
}

/** Wind as a machine's channels tell it, m/s; null when they do not. */
export type WindOf = (machine: string, channels: TurbineView['channels']) => number | null;

export function openFleetEvidence(view: FleetView, clock: Clock, windOf: WindOf): FleetEvidence {
  const heard = new Map<ThingName, Heard>();
  const lastOf = new Map<ThingName, TurbineView['verdict']>();
  view.onChange((event) => {
    if (event.kind !== 'turbine') return;
    const { thing, verdict } = event.turbine;
    if (verdict === null || lastOf.get(thing) === verdict) return;
    lastOf.set(thing, verdict);
    const log = heard.get(thing) ?? newLog();
    heard.set(thing, log);
    const i = log.count++ % KEPT;
    log.at[i] = clock.epoch + clock.now();
    log.score[i] = verdict.score;
    log.errors[i] = meanLogOf(verdict.scores);
    log.tookMs[i] = verdict.tookMs ?? Number.NaN;
  });
  const nowOf = ({ thing, machine, model, state, channels }: TurbineView): TurbineNow => ({
    thing,
    machine,
    model,
    state,
    powerKw: channels['powerKw'] ?? null,
    windMps: windOf(machine, channels),
  });

  return {
    between(thing, from, to) {
      const log = heard.get(thing);
      return log ? summary(log, from, to) : NOTHING;
    },
    now(thing) {
      const turbine = view.turbine(thing);
      return turbine && nowOf(turbine);
    },
    all: () => view.turbines().map(nowOf),
  };
}

const NOTHING: TurbineEvidence = {
  windows: 0,
  anomalous: 0,
  logScore: Number.NaN,
  logErrors: Number.NaN,
  drift: Number.NaN,
  tookMs: Number.NaN,
  perMinute: 0,
};

const newLog = (): Heard => ({
  at: new Float64Array(KEPT),
  score: new Float32Array(KEPT),
  errors: new Float32Array(KEPT),
  tookMs: new Float32Array(KEPT),
  count: 0,
});

function summary(log: Heard, from: Millis, to: Millis): TurbineEvidence {
  const minutes: number[] = [];
  const logs: number[] = [];
  const errors: number[] = [];
  const took: number[] = [];
  let anomalous = 0;
  for (let n = Math.max(0, log.count - KEPT); n < log.count; n++) {
    const i = n % KEPT;
    if (log.at[i] < from || log.at[i] >= to) continue;
    minutes.push((log.at[i] - from) / MINUTE);
    logs.push(logOf(log.score[i]));
    if (Number.isFinite(log.errors[i])) errors.push(log.errors[i]);
    if (log.score[i] > 1) anomalous++;
    if (Number.isFinite(log.tookMs[i])) took.push(log.tookMs[i]);
  }
  const windows = logs.length;
  if (windows === 0) return NOTHING;
  took.sort((a, b) => a - b);
  return {
    windows,
    anomalous: anomalous / windows,
    logScore: meanOf(logs),
    logErrors: meanOf(errors),
    drift: windows < 3 ? Number.NaN : slopeOf(minutes, logs),
    tookMs: took.length > 0 ? took[took.length >> 1] : Number.NaN,
    perMinute: to > from ? windows / ((to - from) / MINUTE) : 0,
  };
}

const logOf = (score: number): number => Math.log(Math.max(LEAST_SCORE, score));

/** NaN of nothing. */
function meanLogOf(scores: Readonly<Record<string, number>>): number {
  let sum = 0;
  let count = 0;
  for (const name in scores) {
    sum += logOf(scores[name]);
    count++;
  }
  return sum / count;
}

/** NaN of nothing. */
const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Least squares. */
function slopeOf(x: readonly number[], y: readonly number[]): number {
  const [mx, my] = [meanOf(x), meanOf(y)];
  let [xy, xx] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    xy += (x[i] - mx) * (y[i] - my);
    xx += (x[i] - mx) ** 2;
  }
  return xx > 0 ? xy / xx : Number.NaN;
}
