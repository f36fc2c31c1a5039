/**
 * A failing story made small: as few steps, turbines and words as still fail. Greedy, from large cuts to small ones, until nothing can
 * be left out; the same story shrinks the same way every time.
 */
import { type Millis, parseDuration, printDuration } from '../../actors/contracts/units.ts';
import type { FleetEntry, Scenario, Step } from '../dsl.ts';

export interface ShrinkOptions {
  /** Whether a candidate still fails as the story did; false for one that cannot be played at all. */
  readonly fails: (candidate: Scenario) => Promise<boolean>;
  /** How many candidates may be tried. */
  readonly tries: number;
}

/** @param story one that fails. @returns the smallest that was found to fail */
export async function shrinkStory(story: Scenario, { fails, tries }: ShrinkOptions): Promise<Scenario> {
  const tried = new Set([JSON.stringify(story)]);
  let smallest = story;
  let left = tries;
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of candidates(smallest)) {
      const key = JSON.stringify(candidate);
      if (tried.has(key)) continue;
      if (left-- <= 0) return smallest;
      tried.add(key);
      if (!(await fails(candidate))) continue;
      smallest = candidate;
      isSmaller = true;
      break; // the next candidates are made from this one
    }
  }
  return smallest;
}

function* candidates(story: Scenario): Generator<Scenario> {
  yield* withoutSteps(story);
  yield* withFewerTurbines(story);
  yield* withSimplerSteps(story);
  yield* shorter(story);
  yield* withoutWind(story);
  yield* withoutModels(story);
}

/** Chunks of the timeline left out: half, a quarter, …, one step. */
function* withoutSteps(story: Scenario): Generator<Scenario> {
  const { timeline } = story;
  for (let size = Math.ceil(timeline.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2))
    for (let from = 0; from < timeline.length; from += size) {
      const gone = new Set(timeline.slice(from, from + size));
      const ids = new Set([...gone].flatMap(({ id }) => (id === undefined ? [] : [id])));
      // What speaks of a step that is gone goes too.
      yield { ...story, timeline: timeline.filter((step) => !gone.has(step) && !speaksOf(step, ids)) };
    }
}

const speaksOf = (step: Step, ids: ReadonlySet<string>): boolean =>
  Object.values(step).some((value) => typeof value === 'string' && ids.has(value));

function* withFewerTurbines(story: Scenario): Generator<Scenario> {
  for (const [i, entry] of story.fleet.entries()) {
    if (story.fleet.length > 1) yield { ...story, fleet: story.fleet.filter((_, j) => j !== i) };
    if (!('twins' in entry)) continue;
    for (const twins of new Set([1, Math.ceil(entry.twins / 2), entry.twins - 1]))
      if (twins >= 1 && twins < entry.twins) yield { ...story, fleet: story.fleet.with(i, { ...entry, twins } satisfies FleetEntry) };
  }
}

/** Words that can be left out, and round times. */
function* withSimplerSteps(story: Scenario): Generator<Scenario> {
  for (const [i, step] of story.timeline.entries()) {
    const put = (simpler: object): Scenario => ({ ...story, timeline: story.timeline.with(i, simpler as Step) });
    for (const word of ['over', 'onset', 'recovery', 'severity', 'attributes', 'to', 'window', 'soak', 'waves'] as const)
      if (word in step) yield put(Object.fromEntries(Object.entries(step).filter(([name]) => name !== word)));
    if ('attributes' in step && step.attributes)
      for (const name of Object.keys(step.attributes))
        yield put({ ...step, attributes: Object.fromEntries(Object.entries(step.attributes).filter(([other]) => other !== name)) });
    for (const word of ['at', 'for'] as const) {
      const text = (step as { readonly [word in 'at' | 'for']?: string })[word];
      if (text === undefined) continue;
      for (const rounded of rounder(parseDuration(text)!)) yield put({ ...step, [word]: printDuration(rounded) });
    }
  }
}

/** The nearest whole minute and ten seconds, none of them 0. */
const rounder = (ms: Millis): Millis[] =>
  [60_000, 10_000].map((unit) => Math.max(unit, Math.round(ms / unit) * unit)).filter((rounded) => rounded !== ms);

function* shorter(story: Scenario): Generator<Scenario> {
  const now = parseDuration(story.duration)!;
  const ends = story.timeline.map((step) => ('at' in step ? parseDuration(step.at)! : 0) + lengthOf(step));
  const last = ends.reduce((a, b) => Math.max(a, b), 0);
  for (const tail of [60_000, 120_000, 300_000]) {
    const duration = 60_000 * Math.ceil((last + tail) / 60_000);
    if (duration < now) yield { ...story, duration: printDuration(duration) };
  }
}

const lengthOf = (step: Step): Millis => ('for' in step && step.for !== undefined ? parseDuration(step.for)! : 0);

function* withoutWind(story: Scenario): Generator<Scenario> {
  if (story.wind === undefined) return;
  const { wind: _, ...rest } = story;
  yield rest;
}

/** Models of its own, each; what is not played without them is no story. */
function* withoutModels(story: Scenario): Generator<Scenario> {
  const { models, ...rest } = story;
  if (!models) return;
  yield rest;
  for (let i = 0; models.length > 1 && i < models.length; i++) yield { ...story, models: models.filter((_, j) => j !== i) };
}
