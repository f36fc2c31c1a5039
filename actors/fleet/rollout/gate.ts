/**
 * The gate between waves: difference in differences, updated turbines against not yet updated ones in the same wind.
 *
 *   dᵢ = quantity of turbine i after − before          effect = median of d over updated − median of d over controls
 *   s = 1.4826 · median |d − median d| of the controls         standard error² = (1.2533 · s)² · (1/updated + 1/controls) + common²
 *
 * A turbine is the unit, whatever the number of its windows: they overlap in wind and weather. Medians, because one turbine that breaks
 * meanwhile is no bad model. The gate looks again and again: it halts only at 3 standard errors beyond what is tolerated, and lets the
 * next wave begin only when the whole interval of ±2 lies within the bound. Between the two it waits; what is missing never promotes.
 *
 * Error rates, with effects taken as normal: it looks every 10 s, about 70 times in a wave with the usual soak and longest wait. A model
 * whose effects lie a standard error inside what is tolerated is halted in one look for one quantity with Φ(−4) = 3.2·10⁻⁵, in a wave with
 * 70 · 6 · Φ(−4) = 1.3 % at most (the union; looks overlap, which makes it less). One whose effect lies at the bound of a promotion passes
 * a look with Φ(−2) = 2.3 % at most, and each later wave looks again with more turbines.
 */
import type { GateLook, GateMeasure } from '../../contracts/deployments.ts';
import type { TurbineEvidence } from '../../contracts/evidence.ts';
import type { Millis } from '../../contracts/units.ts';

/** One turbine as the gate sees it. `before` is null when too little was heard of it then. */
export interface Observed {
  readonly before: TurbineEvidence | null;
  readonly after: TurbineEvidence;
  /** The same from `LATER_MS` on. */
  readonly later: TurbineEvidence;
}

export interface GateInput {
  readonly at: Millis;
  readonly updated: readonly Observed[];
  readonly controls: readonly Observed[];
  /** That a turbine must have judged to count for a promotion. */
  readonly minWindows: number;
  /** How long the new model has been watched. */
  readonly watchedMs: Millis;
}

interface Quantity {
  readonly name: GateMeasure['name'];
  readonly of: (evidence: TurbineEvidence) => number;
  /** A slope has none: it is compared as it is, once the new model has settled. */
  readonly hasBefore: boolean;
  readonly tolerated: number;
  readonly promotes: number;
  /** The spread is never taken for less: a few controls may agree by chance. */
  readonly leastSpread: number;
  /** Two models answer the same gust differently, all turbines of a model alike: an error that no number of turbines makes smaller, only time. */
  readonly common: (minutes: number) => number;
  /** Only more of it is bad. */
  readonly isOneSided: boolean;
  readonly say: (effect: number) => string;
}

const percent = (share: number) => `${share >= 0 ? '+' : '−'}${Math.abs(Math.round(100 * share))} %`;

/**
 * Measured on seeds below 1 000 with 40 desk turbines: 1.1.0, a good model, scores 5 to 18 % more than 1.0.0; turbines in one wind differ
 * by 0.05 to 0.15 in log score after two minutes, by 0.05 a minute in drift over four. A model that has been
 * swapped in scores 11 % less in its first minute and 20 % more from the fifth on; from the second to the sixth it drifts by 0.043 ± 0.028 a
 * minute, and one whose errors grow by a fifth a minute by 0.155 ± 0.03.
 */
const QUANTITIES: readonly Quantity[] = [
  {
    name: 'score',
    of: ({ logScore }) => logScore,
    hasBefore: true,
    tolerated: Math.log(1.5),
    promotes: Math.log(1.8),
    leastSpread: 0.08,
    common: () => 0.05,
    isOneSided: false,
    say: (effect) => `scores ${percent(Math.exp(effect) - 1)}`,
  },
  {
    name: 'errors',
    of: ({ logErrors }) => logErrors,
    hasBefore: true,
    tolerated: 0.5, // 1.1.0 has 0.15 to 0.41 over 1.0.0; a model with the statistics of another machine 0.87 and more
    promotes: 0.8,
    leastSpread: 0.05,
    common: () => 0.05,
    isOneSided: false,
    say: (effect) => `errors over all features ${percent(Math.exp(effect) - 1)}`,
  },
  {
    name: 'drift',
    of: ({ drift }) => drift,
    hasBefore: false,
    tolerated: 0.06,
    promotes: 0.14,
    leastSpread: 0.03,
    common: () => 0.01,
    isOneSided: true,
    say: (effect) => `scores drift by ${percent(Math.exp(effect) - 1)} a minute`,
  },
  {
    name: 'anomalous',
    of: ({ anomalous }) => anomalous,
    hasBefore: true,
    tolerated: 0.1,
    promotes: 0.2,
    leastSpread: 0.03,
    common: () => 0,
    isOneSided: true,
    say: (effect) => `${percent(effect)} of windows anomalous`,
  },
  {
    name: 'time',
    of: ({ tookMs }) => Math.log(Math.max(1, tookMs)),
    hasBefore: true,
    tolerated: Math.log(1.5),
    promotes: Math.log(2),
    leastSpread: 0.05,
    common: () => 0,
    isOneSided: true,
    say: (effect) => `inference takes ${Math.exp(effect).toFixed(1)} times as long`,
  },
  {
    name: 'silence',
    of: ({ perMinute }) => -perMinute,
    hasBefore: true,
    tolerated: 0.25, // of what is usual
    promotes: 0.5,
    leastSpread: 0.05,
    common: () => 0,
    isOneSided: true,
    say: (effect) => `${percent(-effect)} of the usual windows judged`,
  },
];

const HALT_AT = 3; // standard errors
const PROMOTE_WITHIN = 2;
const BEFORE_WINDOWS = 6; // for a before that counts
const FEW_CONTROLS = 3;
const FEW_FACTOR = 2; // with fewer, their spread says little: the least spread, so many times
export const LATER_MS = 110_000; // after the settling: a model that has just been swapped in scores less at first, and then more
const DRIFT_MS = LATER_MS + 230_000; // in less, a slope is the wind's
const SILENCE_MS = 30_000;

/** What the gate makes of what it sees. */
export function lookAt(input: GateInput): GateLook {
  const { at, updated, controls, minWindows, watchedMs } = input;
  const enough = updated.filter(({ after }) => after.windows >= minWindows).length;
  const isEnough = updated.length > 0 && 2 * enough > updated.length && controls.length > 0;
  const shares = asShares(input);
  const measures = QUANTITIES.map((quantity) => measure(quantity, shares));
  const bad = measures.find(({ decision }) => decision === 'halt');
  const open = measures.filter(({ decision }) => decision === 'wait');
  const counted = { at, updated: updated.length, controls: controls.length, measures };
  if (bad) return { ...counted, decision: 'halt', words: `where the new model judges, ${bad.words}` };
  if (controls.length === 0) return { ...counted, decision: 'wait', words: 'no turbine is left to compare with' };
  if (!isEnough)
    return {
      ...counted,
      decision: 'wait',
      words: `${enough} of ${updated.length} turbines have judged ${minWindows} windows with the new model after ${Math.round(watchedMs / 1_000)} s`,
    };
  if (open.length > 0) return { ...counted, decision: 'wait', words: `not decided yet: ${open.map(({ words }) => words).join('; ')}` };
  return { ...counted, decision: 'promote', words: `no worse: ${measures.map(({ words }) => words).join('; ')}` };
}

/** Windows a minute as shares of what is usual among the controls: models differ in how often they judge. */
function asShares({ updated, controls, ...rest }: GateInput): GateInput {
  const usual = controls.length === 0 ? 0 : median(controls.map(({ after }) => after.perMinute));
  const share = (evidence: TurbineEvidence) => ({ ...evidence, perMinute: usual > 0 ? evidence.perMinute / usual : 1 });
  const all = (some: readonly Observed[]) =>
    some.map(({ before, after, later }) => ({ before: before && share(before), after: share(after), later }));
  return { ...rest, updated: all(updated), controls: all(controls) };
}

function measure(quantity: Quantity, { updated, controls, watchedMs }: GateInput): GateMeasure {
  const { name, tolerated, promotes, isOneSided, say } = quantity;
  const isEarly = (name === 'drift' && watchedMs < DRIFT_MS) || (name === 'silence' && watchedMs < SILENCE_MS);
  const treated = isEarly ? [] : changes(quantity, updated, [...updated, ...controls]);
  const others = isEarly ? [] : changes(quantity, controls, [...updated, ...controls]);
  if (treated.length === 0 || others.length === 0)
    return { name, effect: 0, standardError: null, tolerated, promotes, decision: 'wait', words: `${name} is not known` };
  const effect = median(treated) - median(others);
  const mad = 1.4826 * median(others.map((d) => Math.abs(d - median(others))));
  const least = quantity.leastSpread * (others.length < FEW_CONTROLS ? FEW_FACTOR : 1);
  const ofTurbines = 1.2533 * Math.max(mad, least) * Math.sqrt(1 / treated.length + 1 / others.length);
  const standardError = Math.hypot(ofTurbines, quantity.common(watchedMs / 60_000));
  const size = isOneSided ? effect : Math.abs(effect);
  // A model that has just been swapped in scores too little for a while. Too little can wait: a deaf one has been found on twins.
  const isSettling = effect < 0 && watchedMs < DRIFT_MS;
  const isBad = !isSettling && size - HALT_AT * standardError > tolerated;
  const decision = isBad ? 'halt' : size + PROMOTE_WITHIN * standardError < promotes ? 'promote' : 'wait';
  const words = `${say(effect)} (± ${(PROMOTE_WITHIN * standardError).toPrecision(2)}, ${treated.length} against ${others.length})`;
  return { name, effect, standardError, tolerated, promotes, decision, words };
}

/** The differences of some turbines; a before that is not known is what it usually is. */
function changes({ of, hasBefore }: Quantity, some: readonly Observed[], all: readonly Observed[]): number[] {
  const befores = all.flatMap(({ before }) => (before && before.windows >= BEFORE_WINDOWS ? of(before) : [])).filter(Number.isFinite);
  const usual = befores.length > 0 ? median(befores) : 0;
  return some
    .map(({ before, after, later }) => {
      const known = before && before.windows >= BEFORE_WINDOWS ? of(before) : Number.NaN;
      return hasBefore ? of(after) - (Number.isFinite(known) ? known : usual) : of(later);
    })
    .filter(Number.isFinite);
}

/** @param values at least one */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
