/** Pairs of expectations of which at most one can come true: a story that holds them would fail whatever happens. */
import { type Millis, parseDuration } from '../../actors/contracts/units.ts';
import type { Expectation, Scenario, Step, Target } from '../dsl.ts';
import { type Stretch, stretchesOf, stretchOf } from './occurrences.ts';
import type { StoryFault } from './source.ts';
import { EVERYONE } from './targets.ts';
import type { Vocabulary } from './vocabulary.ts';

type Alarm = Extract<Expectation, { readonly that: 'alarm' }>;
type NoAlarm = Extract<Expectation, { readonly that: 'noAlarm' }>;
type Lasting = Extract<Expectation, { readonly that: 'state' | 'verdict' | 'model' | 'rollout' | 'fault' }>;

export function contradictions(story: Scenario, words: Vocabulary): readonly StoryFault[] {
  const faults: StoryFault[] = [];
  const scene = { story, words, end: parseDuration(story.duration) ?? 0 };
  for (const [j, later] of story.expect.entries())
    for (const [i, earlier] of story.expect.slice(0, j).entries()) {
      const why = whyNotBoth(earlier, later, scene) ?? whyNotBoth(later, earlier, scene);
      if (why !== null) faults.push({ path: ['expect', j], why: `contradicts expect[${i}]: ${why}` });
    }
  return faults;
}

interface Scene {
  readonly story: Scenario;
  readonly words: Vocabulary;
  readonly end: Millis;
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
  const spared = none.butOn === undefined ? [] : thingsOf(none.butOn, scene, true);
  const silent = (none.on === undefined ? thingsOf(EVERYONE, scene) : thingsOf(none.on, scene)).filter((thing) => !spared.includes(thing));
  const both = thingsOf(a.on, scene).find((thing) => silent.includes(thing));
  if (both === undefined || !isWithin(timeOf(a, scene), timeOf(none, scene)) || a.at === 'end') return null;
  return `an alarm of ${both} is wanted there, and none may be raised here`;
}

function alarmAgainstNever(a: Alarm, never: Alarm, scene: Scene): string | null {
  if (a.never || !never.never || (never.feature !== undefined && never.feature !== a.feature) || a.at === 'end') return null;
  const both = thingsOf(a.on, scene).find((thing) => thingsOf(never.on, scene).includes(thing));
  return both !== undefined && isWithin(timeOf(a, scene), timeOf(never, scene)) ? `an alarm of ${both} is wanted, and never` : null;
}

const isLasting = (e: Expectation): e is Lasting =>
  e.that === 'state' || e.that === 'verdict' || e.that === 'model' || e.that === 'rollout' || e.that === 'fault';

/** Two facts about one subject: at one instant it is in one state; and what is never so is not so within a time, or at the end. */
function lastingAgainst(a: Lasting, b: Lasting, scene: Scene): string | null {
  if (a.that !== b.that) return null;
  const subject = subjectOfBoth(a, b, scene);
  if (subject === null) return null;
  const timeOfA = timeOf(a, scene);
  const timeOfB = timeOf(b, scene);
  if (b.never) {
    const isSame = a.never !== true && isPartOf(a.is, b.is) && hasFeature(b, a);
    return isSame && isWithin(a.at === 'end' ? { from: scene.end, to: scene.end } : timeOfA, timeOfB)
      ? `${subject} is ${a.is} there, and never ${b.is} here`
      : null;
  }
  const areApart = !isPartOf(a.is, b.is) && !isPartOf(b.is, a.is);
  if (!areApart || a.never) return null;
  if (holdsThroughout(a) && holdsThroughout(b) && isWithin(a.at === 'end' ? { from: scene.end, to: scene.end } : timeOfA, timeOfB))
    return `${subject} cannot be ${a.is} and ${b.is} at once`;
  // one of them all the time leaves no instant for the other
  if (holdsThroughout(b) && b.at !== 'end' && a.within !== undefined && isWithin(timeOfA, timeOfB))
    return `${subject} is ${b.is} all that time, and not ${a.is}`;
  return null;
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
  const others = thingsOf(b.on, scene);
  return thingsOf(a.on, scene).find((thing) => others.includes(thing)) ?? null;
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
  if (e.during !== undefined) return stretchOf(e.during, story) ?? { from: 0, to: end };
  const after = e.after === undefined ? null : story.timeline.find(({ id }: Step) => id === e.after);
  const from = after ? (stretchesOf(after, story)[0]?.from ?? 0) : 0;
  const isWindow = e.that === 'noAlarm' || e.always === true || e.never === true;
  const length = isWindow ? e.for : 'within' in e ? e.within : undefined;
  return { from, to: length === undefined ? end : Math.min(end, from + (parseDuration(length) ?? 0)) };
}

const isWithin = (inner: Stretch, outer: Stretch): boolean => inner.from >= outer.from && inner.to <= outer.to;

/**
 * Those who are surely meant; of a draw that leaves some out, whoever is drawn, as one who is known by the step alone. @param wide all who
 * can be meant, beside
 */
function thingsOf(target: Target, { story, words: { things } }: Scene, wide = false): readonly string[] {
  if (target === EVERYONE) return things.map(({ name }) => name);
  const step = typeof target === 'string' ? story.timeline.find(({ id }) => id === target) : undefined;
  const isThing = things.some(({ name }) => name === target);
  if (step && !isThing) {
    const whom: Target = 'on' in step && step.on !== undefined ? step.on : EVERYONE;
    const isDrawn = typeof whom === 'object' && (whom.count !== undefined || whom.percent !== undefined);
    return [...(isDrawn ? [`whom ${String(target)} is about`] : []), ...(isDrawn && !wide ? [] : namesOf(whom, things))];
  }
  return namesOf(target, things);
}

const namesOf = (target: Target, things: Vocabulary['things']): readonly string[] =>
  things
    .filter(({ name, tags }) =>
      typeof target === 'string'
        ? target === EVERYONE || name === target
        : (target.tag === undefined || tags.includes(target.tag)) && (target.things === undefined || target.things.includes(name)),
    )
    .map(({ name }) => name);
