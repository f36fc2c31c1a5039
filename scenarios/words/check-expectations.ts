/** What makes no sense in a story's expectations, each for itself: names, and times that it does not reach. */
import { parseDuration } from '../../actors/contracts/units.ts';
import type { Expectation, Holding, Step, Target } from '../dsl.ts';
import type { Check } from './check.ts';
import type { Path } from './source.ts';

type Timed = Partial<Holding> & { readonly that: string };

/** They hold at some instants and not at others: an expectation must say when. */
const LASTING = ['verdict', 'state', 'model', 'rollout', 'fault'];
/** Of these `for` is how long counts, not how long it must hold. */
const isWindow = ({ that, always, never }: Timed) => that === 'noAlarm' || always === true || never === true;

export function checkExpectations(check: Check): void {
  for (const [i, e] of check.story.expect.entries()) {
    const path = ['expect', i];
    const meant = checkWhom(check, e, path);
    checkHolding(check, e, path);
    checkNamed(check, e, path, meant);
    checkBounds(check, e, path);
  }
}

/** @returns those whom it is about; all of them when it does not say */
function checkWhom(check: Check, e: Expectation, path: Path): readonly string[] {
  for (const key of ['on', 'butOn'] as const) {
    const target = (e as { readonly [k in typeof key]?: Target })[key];
    if (typeof target === 'object' && (target.count !== undefined || target.percent !== undefined))
      check.fault([...path, key], 'an expectation draws nobody: name the step (its id) whose turbines are meant');
  }
  if ('butOn' in e && e.butOn !== undefined) check.candidates(e.butOn, [...path, 'butOn']);
  return 'on' in e && e.on !== undefined ? check.candidates(e.on, [...path, 'on']) : check.words.things.map(({ name }) => name);
}

function checkHolding(check: Check, e: Expectation, path: Path): void {
  const { fault, story, end, near, stepOf } = check;
  const timed = e as Timed;
  const { within, after, at, during } = timed;
  const said = (['within', 'always', 'never', 'at'] as const).filter((key) => timed[key] !== undefined);
  if (said.length > 1) fault([...path, said[1]], `contradicts ${said[0]}: it holds within a time, always, never, or at the end`);
  if (said.length === 0 && during === undefined && LASTING.includes(timed.that))
    fault(path, `says not when ${timed.that} holds: within, always, never, during, or at: end`);
  if (e.that === 'job' && said.length === 0) fault(path, 'says not when the job has ended: within, or at: end');
  if (at !== undefined && (during !== undefined || after !== undefined))
    fault([...path, during !== undefined ? 'during' : 'after'], 'contradicts at: the end is one instant');
  if (during !== undefined) check.during(during, [...path, 'during']);
  if (during !== undefined && after !== undefined) fault([...path, 'after'], 'contradicts during: time counts from one of them');

  const ids = story.timeline.flatMap(({ id }) => (id === undefined ? [] : [id]));
  const begun = after === undefined ? null : stepOf(after);
  if (after !== undefined && !begun) fault([...path, 'after'], `no step has the id ${after}.${near(after, ids, 'step with an id')}`);
  const from = begun ? check.beginningOf(begun) : e.that === 'job' ? (beginningOfDeploy(check, e.of) ?? 0) : 0;
  const until = (key: 'within' | 'for') => {
    const text = timed[key];
    const length = text === undefined ? null : parseDuration(text);
    if (length === null || during !== undefined || at !== undefined) return;
    if (length === 0 && key === 'for') fault([...path, key], 'is nothing: leave it out');
    const isNamed = after !== undefined || from > 0;
    if (from + length > end)
      fault(
        [...path, key],
        `${text} ${isNamed ? `from ${after ?? (e as { readonly of: string }).of} on ` : ''}is beyond the story’s end, ${story.duration}`,
      );
  };
  until('within');
  if (isWindow(timed) || within === undefined) until('for');
}

const beginningOfDeploy = ({ stepOf, beginningOf }: Check, of: string): number | null => {
  const step = stepOf(of);
  return step ? beginningOf(step) : null;
};

/** Features, states, models, and steps of the right kind. */
function checkNamed(check: Check, e: Expectation, path: Path, meant: readonly string[]): void {
  const { words, fault, near } = check;
  if ('feature' in e && e.feature !== undefined) {
    const whom = new Set(meant);
    const machines = new Set(words.things.filter(({ name }) => whom.has(name)).map(({ machine }) => machine));
    const known = [...new Set([...machines].flatMap((machine) => words.machines.get(machine)?.features ?? []))];
    if (!known.includes(e.feature) && machines.size > 0)
      fault([...path, 'feature'], `no model has a feature ${e.feature}.${near(e.feature, known, 'feature')}`);
  }
  if (e.that === 'state' && !words.states.includes(e.is)) fault([...path, 'is'], `no state ${e.is}.${near(e.is, words.states, 'state')}`);
  if (e.that === 'model' && !words.models.includes(e.is)) fault([...path, 'is'], `no model ${e.is}.${near(e.is, words.models, 'model')}`);
  if (e.that === 'exposure' && e.model !== undefined && !words.models.includes(e.model))
    fault([...path, 'model'], `no model ${e.model}.${near(e.model, words.models, 'model')}`);
  if (e.that === 'job' || e.that === 'rollout' || (e.that === 'exposure' && e.of !== undefined))
    checkStep(check, e.of as string, (step) => 'deploy' in step, 'deploy step', [...path, 'of']);
  if (e.that === 'fault' || e.that === 'detectionDelay') checkStep(check, e.of, (step) => 'fault' in step, 'fault', [...path, 'of']);
}

function checkStep({ story, fault, near, stepOf }: Check, id: string, isKind: (step: Step) => boolean, kind: string, path: Path): void {
  const step = stepOf(id);
  const ids = story.timeline.filter(isKind).flatMap((other) => (other.id === undefined ? [] : [other.id]));
  if (!step) fault(path, `no step has the id ${id}.${near(id, ids, `${kind} with an id`)}`);
  else if (!isKind(step)) fault(path, `the step ${id} is no ${kind}.${near(id, ids, `${kind} with an id`)}`);
}

function checkBounds({ fault }: Check, e: Expectation, path: Path): void {
  const { below, above, is } = e as { readonly below?: number | string; readonly above?: number | string; readonly is?: number | string };
  if (below === undefined && above === undefined) return;
  if (typeof is === 'number') fault([...path, 'is'], 'contradicts below and above: it is one number');
  const low = amountOf(above);
  const high = amountOf(below);
  if (low !== null && high !== null && low >= high)
    fault([...path, 'above'], `contradicts below: nothing is above ${above} and below ${below}`);
  if (high !== null && high <= 0) fault([...path, 'below'], `nothing is below ${below}`);
}

const amountOf = (bound: number | string | undefined): number | null => {
  if (bound === undefined || typeof bound === 'number') return bound ?? null;
  return parseDuration(bound) ?? joulesOf(bound);
};

const JOULES: Readonly<Record<string, number>> = { mWh: 3.6, Wh: 3_600, kWh: 3.6e6, MWh: 3.6e9, GWh: 3.6e12 };

/** Joules of `1.2Wh`; null for what is no energy. */
export function joulesOf(text: string): number | null {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(\w+)$/.exec(text) ?? [];
  return amount !== undefined && Object.hasOwn(JOULES, unit) ? Number(amount) * JOULES[unit] : null;
}
