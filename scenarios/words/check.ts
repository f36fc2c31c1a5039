/** What makes no sense in a story whose words are well formed: every fault of it, before anything is started. */
import { didYouMean } from '../../actors/contracts/errors.ts';
import { type Millis, parseDuration } from '../../actors/contracts/units.ts';
import type { Scenario, Step, Target } from '../dsl.ts';
import { checkExpectations } from './check-expectations.ts';
import { checkSteps } from './check-steps.ts';
import { contradictions } from './contradictions.ts';
import { scheduleOf, spanOf } from './occurrences.ts';
import type { Path, StoryFault } from './source.ts';
import { drawnFrom, EVERYONE } from './targets.ts';
import type { Vocabulary } from './vocabulary.ts';

/** What a check knows, and what it says. */
export interface Check {
  readonly story: Scenario;
  readonly words: Vocabulary;
  readonly end: Millis;
  fault(path: Path, why: string): void;
  /** ` Did you mean x?`, or what there is. */
  near(wrong: string, known: readonly string[], what: string): string;
  /** The first step of that id; null when there is none. */
  stepOf(id: string): Step | null;
  /** When a step begins for the first time; 0 when it says nothing that can be read. */
  beginningOf(step: Step): Millis;
  /** All who can be meant, in the fleet's order. */
  candidates(target: Target, path: Path): readonly string[];
  /** Of a span, or of an id of a fault's step. */
  during(text: string, path: Path): void;
}

const LONGEST = 366 * 86_400_000;

/** @returns what is wrong, in no order; nothing when the story can be played. */
export function faultsOf(story: Scenario, words: Vocabulary): readonly StoryFault[] {
  const faults: StoryFault[] = [];
  const end = parseDuration(story.duration) ?? 0;
  const check = createCheck(story, words, end, faults);
  if (end === 0) check.fault(['duration'], 'is nothing: a story takes some time');
  if (end > LONGEST) check.fault(['duration'], `${story.duration} is more than a year`);
  if (words.things.length === 0 && !words.isPartial) check.fault(['fleet'], 'holds no turbine');
  checkNames(check);
  checkWind(check);
  checkModels(check);
  checkSteps(check);
  checkExpectations(check);
  return [...faults, ...contradictions(story, words)];
}

function createCheck(story: Scenario, words: Vocabulary, end: Millis, faults: StoryFault[]): Check {
  const names = words.things.map(({ name }) => name);
  const known = new Set(names);
  const tags = [...new Set(words.things.flatMap((thing) => thing.tags))];
  const ids = story.timeline.flatMap(({ id }) => (id === undefined ? [] : [id]));
  const fault = (path: Path, why: string) => {
    faults.push({ path, why });
  };
  const stepOf = (id: string) => story.timeline.find((step) => step.id === id) ?? null;
  const near = (wrong: string, choice: readonly string[], what: string) =>
    didYouMean(wrong, choice) || (choice.length === 0 ? ` There is no ${what}.` : ` Known: ${listed(choice)}`);

  const candidates = (target: Target, path: Path, isNested = false): readonly string[] => {
    if (target === EVERYONE) return names;
    if (typeof target === 'string') {
      const step = isNested ? null : stepOf(target);
      if (step && !known.has(target)) {
        if ('on' in step && step.on !== undefined) return candidates(step.on, path, true);
        if (!('deploy' in step)) fault(path, `the step ${target} is about no turbines`);
        return names;
      }
      if (!known.has(target) && !words.isPartial) fault(path, `no turbine ${target}.${near(target, [...names, ...ids], 'turbine')}`);
      return known.has(target) ? [target] : [];
    }
    if (target.tag === undefined && target.things === undefined && target.count === undefined && target.percent === undefined)
      fault(path, `names nobody: say tag, things, count or percent, or \`${EVERYONE}\``);
    if (target.count !== undefined && target.percent !== undefined) fault(path, 'is drawn by count or by percent, not by both');
    if (words.isPartial) return [];
    if (target.tag !== undefined && !tags.includes(target.tag))
      fault([...path, 'tag'], `no turbine has the tag ${target.tag}.${near(target.tag, tags, 'tag')}`);
    for (const [i, name] of (target.things ?? []).entries())
      if (!known.has(name)) fault([...path, 'things', i], `no turbine ${name}.${near(name, names, 'turbine')}`);
    const meant = words.things.filter(
      (thing) =>
        (target.tag === undefined || thing.tags.includes(target.tag)) &&
        (target.things === undefined || target.things.includes(thing.name)),
    );
    if (meant.length === 0) fault(path, 'means nobody: no turbine is left of it');
    else if (drawnFrom(target, meant.length) > meant.length)
      fault([...path, 'count'], `${target.count} are to be drawn from ${meant.length}: ${listed(meant.map(({ name }) => name))}`);
    return meant.map(({ name }) => name);
  };

  return {
    story,
    words,
    end,
    fault,
    near,
    stepOf,
    beginningOf: (step) => scheduleOf(step, story)?.from ?? 0,
    candidates,
    during(text, path) {
      const span = spanOf(text);
      if (span) {
        if (span.to <= span.from) fault(path, `${text} ends before it begins`);
        else if (span.to > end) fault(path, `${text} ends after the story’s end, ${story.duration}`);
        return;
      }
      if (text.includes('..')) {
        fault(path, `"${text}" is no span of time, as 4m..9m`);
        return;
      }
      const step = stepOf(text);
      const faultIds = story.timeline.flatMap((other) => ('fault' in other && other.id !== undefined ? [other.id] : []));
      if (!step) fault(path, `no step has the id ${text}.${near(text, faultIds, 'fault with an id')}`);
      else if (!('fault' in step)) fault(path, `the step ${text} is no fault: it has no length`);
    },
  };
}

/** Ids are those of one step each, and nobody else's name. */
function checkNames({ story, words, fault }: Check): void {
  const seen = new Map<string, number>();
  for (const [i, { id }] of story.timeline.entries()) {
    if (id === undefined) continue;
    const first = seen.get(id);
    if (first !== undefined) fault(['timeline', i, 'id'], `${id} is the id of timeline[${first}] already`);
    else seen.set(id, i);
    if (words.things.some(({ name }) => name === id)) fault(['timeline', i, 'id'], `${id} is a turbine’s name`);
    if (id === 'end') fault(['timeline', i, 'id'], 'end is the story’s end');
  }
  const names = new Set<string>();
  for (const { name } of words.things) {
    if (names.has(name)) fault(['fleet'], `there are two turbines ${name}`);
    names.add(name);
  }
}

function checkWind({ story, words, end, fault }: Check): void {
  const { wind, fleet } = story;
  if (!wind) return;
  const desk = fleet.find((entry) => 'twins' in entry && words.machines.get(entry.like)?.isUtility === false);
  if (typeof wind.turbulenceIntensity === 'string' && desk)
    fault(['wind', 'turbulenceIntensity'], `a class of IEC 61400-1 is about utility machines: for a desk turbine say a number, as 0.18`);
  for (const [i, event] of (wind.events ?? []).entries())
    if ((parseDuration(event.at) ?? 0) > end) fault(['wind', 'events', i, 'at'], `${event.at} is after the story’s end, ${story.duration}`);
}

/** Each is a model that nobody has published yet, made of one that there is before it. */
function checkModels({ story, words, fault, near }: Check): void {
  const published = [...words.starters];
  for (const [i, { model, like }] of (story.models ?? []).entries()) {
    if (!published.includes(like)) fault(['models', i, 'like'], `no model ${like} before it.${near(like, published, 'model')}`);
    if (published.includes(model)) fault(['models', i, 'model'], `${model} is published already: a version never changes`);
    else published.push(model);
  }
}

const LISTED = 12;

export const listed = (names: readonly string[]): string =>
  names.length <= LISTED ? names.join(', ') : `${names.slice(0, LISTED).join(', ')}, … (${names.length})`;
