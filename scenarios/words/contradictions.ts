/** Pairs of expectations of which at most one can come true: a story that holds them would fail whatever happens. */
import { type Millis, parseDuration } from '../../actors/contracts/units.ts';
import type { Expectation, Scenario, Step, Target } from '../dsl.ts';
import { scheduleOf, type Stretch, stretchOf } from './occurrences.ts';
import type { StoryFault } from './source.ts';
import { EVERYONE } from './targets.ts';
import type { Vocabulary } from './vocabulary.ts';

type Alarm = Extract<Expectation, { readonly that: 'alarm' }>;
type NoAlarm = Extract<Expectation, { readonly that: 'noAlarm' }>;
type Lasting = Extract<Expectation, { readonly that: 'state' | 'verdict' | 'model' | 'rollout' | 'fault' }>;

export function contradictions(story: Scenario, words: Vocabulary): readonly StoryFault[] {
  const faults: StoryFault[] = [];
  const scene = { story, end: parseDuration(story.duration) ?? 0, whom: rememberedThings(story, words) };
  for (const [j, later] of story.expect.entries())
    for (const [i, earlier] of story.expect.slice(0, j).entries()) {
      const why = whyNotBoth(earlier, later, scene) ?? whyNotBoth(later, earlier, scene);
      if (why !== null) faults.push({ path: ['expect', j], why: `contradicts expect[${i}]: ${why}` });
    }
  return faults;
}

interface Scene {
  readonly story: Scenario;
  readonly end: Millis;
  /**
   * Those who are surely meant; of a draw that leaves some out, whoever is drawn, as one who is known by the step alone. @param wide all
   * who can be meant, beside
   */
  whom(target: Target, wide?: boolean): ReadonlySet<string>;
}

function whyNotBoth(a: Expectation, b: Expectation, scene: Scene): string | null {
  if (a.that === 'alarm' && b.that === 'noAlarm') return alarmAgainstNone(a, b, scene);
  if (a.that === 'alarm' && b.that === 'alarm') return alarmAgainstNever(a, b, scene);
  if (a.that === 'job' && b.that === 'job')
    return a.of === b.of && a.is !== b.is ? `the executions of ${a.of} end ${a.is} or ${b.is}, not both` : null;
  if (isLasting(a) && isLasting(b)) return lastingAgainst(a, b, scene);
  return boundsAgainst(a, b);
}

/** The alarm is wanted in a time and on a turbine in which none may be. */
function alarmAgainstNone(a: Alarm, none: NoAlarm, scene: Scene): string | null {
  if (a.never || (none.feature !== undefined && none.feature !== a.feature)) return null;
  const spared = none.butOn === undefined ? null : scene.whom(none.butOn, true);
  const both = anyOfBoth(scene.whom(a.on), scene.whom(none.on ?? EVERYONE), spared);
  if (both === null || a.at === 'end' || !isWithin(timeOf(a, scene), timeOf(none, scene))) return null;
  return `an alarm of ${both} is wanted there, and none may be raised here`;
}

function alarmAgainstNever(a: Alarm, never: Alarm, scene: Scene): string | null {
  if (a.never || !never.never || (never.feature !== undefined && never.feature !== a.feature) || a.at === 'end') return null;
  const both = anyOfBoth(scene.whom(a.on), scene.whom(never.on));
  return both !== null && isWithin(timeOf(a, scene), timeOf(never, scene)) ? `an alarm of ${both} is wanted, and never` : null;
}

const isLasting = (e: Expectation): e is Lasting =>
  e.that === 'state' || e.that === 'verdict' || e.that === 'model' || e.that === 'rollout' || e.that === 'fault';

/** Two facts about one subject: at one instant it is in one state; and what is never so is not so within a time, or at the end. */
function lastingAgainst(a: Lasting, b: Lasting, scene: Scene): string | null {
  if (a.that !== b.that) return null;
  const timeOfA = timeOf(a, scene);
  const timeOfB = timeOf(b, scene);
  const why = () => {
    if (b.never)
      return a.never !== true && isPartOf(a.is, b.is) && hasFeature(b, a) && isWithin(timeOfA, timeOfB)
        ? `is ${a.is} there, and never ${b.is} here`
        : null;
    if (a.never || isPartOf(a.is, b.is) || isPartOf(b.is, a.is) || !holdsThroughout(b)) return null;
    if (holdsThroughout(a)) return doOverlap(timeOfA, timeOfB) ? `cannot be ${a.is} and ${b.is} at once` : null;
    return a.within !== undefined && b.at !== 'end' && isWithin(timeOfA, timeOfB) ? `is ${b.is} all that time, and not ${a.is}` : null; // no instant is left for it
  };
  const wrong = why();
  const subject = wrong === null ? null : subjectOfBoth(a, b, scene);
  return subject === null ? null : `${subject} ${wrong}`;
}

const holdsThroughout = ({ always, at, during, within, never }: Lasting): boolean =>
  always === true || at === 'end' || (during !== undefined && within === undefined && never !== true);

const hasFeature = (never: Lasting, wanted: Lasting): boolean =>
  never.that !== 'verdict' || never.feature === undefined || (wanted.that === 'verdict' && wanted.feature === never.feature);

/** `inferring.healthy` is part of `inferring`. */
const isPartOf = (part: string, whole: string): boolean => part === whole || part.startsWith(`${whole}.`);

function subjectOfBoth(a: Lasting, b: Lasting, scene: Scene): string | null {
  if ('of' in a && 'of' in b) return a.of === b.of ? a.of : null;
  if (!('on' in a) || !('on' in b)) return null;
  return anyOfBoth(scene.whom(a.on), scene.whom(b.on));
}

/** Two bounds of one figure that leave nothing between them. */
function boundsAgainst(a: Expectation, b: Expectation): string | null {
  if (a.that !== b.that || !('above' in a) || !('below' in b) || typeof a.above !== 'number' || typeof b.below !== 'number') return null;
  const subject = ({ that, ...rest }: Expectation) => {
    const { below: _, above: __, is: ___, ...who } = rest as Record<string, unknown>;
    return JSON.stringify([that, Object.entries(who).sort()]);
  };
  return subject(a) === subject(b) && a.above >= b.below ? `nothing is above ${a.above} and below ${b.below}` : null;
}

/** The time that counts, as far as the story tells it beforehand. */
function timeOf(e: Alarm | NoAlarm | Lasting, { story, end }: Scene): Stretch {
  if ('at' in e && e.at === 'end') return { from: end, to: end };
  if (e.during !== undefined) return stretchOf(e.during, story) ?? { from: 0, to: end };
  const after = e.after === undefined ? null : story.timeline.find(({ id }: Step) => id === e.after);
  const from = after ? (scheduleOf(after, story)?.from ?? 0) : 0;
  const isWindow = e.that === 'noAlarm' || e.always === true || e.never === true;
  const length = isWindow ? e.for : 'within' in e ? e.within : undefined;
  return { from, to: length === undefined ? end : Math.min(end, from + (parseDuration(length) ?? 0)) };
}

const isWithin = (inner: Stretch, outer: Stretch): boolean => inner.from >= outer.from && inner.to <= outer.to;

/** What ends as another begins does not overlap it; an instant overlaps what reaches it. */
const doOverlap = (a: Stretch, b: Stretch): boolean => {
  const from = Math.max(a.from, b.from);
  const to = Math.min(a.to, b.to);
  return from < to || (from === to && (a.from === a.to || b.from === b.to));
};

function anyOfBoth(some: ReadonlySet<string>, others: ReadonlySet<string>, but: ReadonlySet<string> | null = null): string | null {
  for (const thing of some) if (others.has(thing) && !but?.has(thing)) return thing;
  return null;
}

/** Each target is looked up once, however many expectations have it. */
function rememberedThings(story: Scenario, { things }: Vocabulary): Scene['whom'] {
  const known = new Map<string, ReadonlySet<string>>();
  return (target, wide = false) => {
    const key = JSON.stringify([target, wide]);
    const found = known.get(key) ?? new Set(thingsOf(target, story, things, wide));
    known.set(key, found);
    return found;
  };
}

function thingsOf(target: Target, { timeline }: Scenario, things: Vocabulary['things'], wide: boolean): readonly string[] {
  const step =
    typeof target === 'string' && !things.some(({ name }) => name === target) ? timeline.find(({ id }) => id === target) : undefined;
  if (!step) return namesOf(target, things);
  const whom: Target = 'on' in step && step.on !== undefined ? step.on : EVERYONE;
  const isDrawn = typeof whom === 'object' && (whom.count !== undefined || whom.percent !== undefined);
  return [...(isDrawn ? [`whom ${String(target)} is about`] : []), ...(isDrawn && !wide ? [] : namesOf(whom, things))];
}

const namesOf = (target: Target, things: Vocabulary['things']): readonly string[] =>
  things
    .filter(({ name, tags }) =>
      typeof target === 'string'
        ? target === EVERYONE || name === target
        : (target.tag === undefined || tags.includes(target.tag)) && (target.things === undefined || target.things.includes(name)),
    )
    .map(({ name }) => name);
