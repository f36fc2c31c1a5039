/** What the judges of expectations see of a run, and what they find. */
import { type Millis, parseDuration } from '../../actors/contracts/units.ts';
import type { Expectation, Holding, Scenario, Target } from '../dsl.ts';
import type { RunFacts } from '../facts.ts';
import { type Stretch, stretchOf } from '../words/occurrences.ts';
import { EVERYONE } from '../words/targets.ts';
import { type EventsOf, eventsBySubject, livesOf, phaseTrack } from './tracks.ts';

/** What is found of one subject. `at` is when it first went wrong. */
export type Finding = 'met' | 'open' | { readonly wanted: string; readonly got: string; readonly at: Millis; readonly of: string | null };

/** What judges see of a run. */
export interface Court {
  readonly story: Scenario;
  readonly facts: RunFacts;
  readonly eventsOf: EventsOf;
  /** Until when it has been played. */
  readonly now: Millis;
  /** When the story ends. */
  readonly end: Millis;
  /** Turbines in the fleet's order; of a step, those whom it was about. */
  things(target: Target): readonly string[];
  /** When a step took place for the first time; null: it has not. */
  begun(id: string): Millis | null;
  /** The stretches that `during` means for one turbine or service, as far as they have come; a fault that is not at work there is looked for anywhere. */
  during(text: string, of: string | null): readonly Stretch[];
}

/** Of a run that has ended, or of one that is still being played. */
export function openCourt(story: Scenario, facts: RunFacts): Court {
  const eventsOf = eventsBySubject(facts.events);
  const subjectsOf = (label: string) => [
    ...new Set(facts.events.flatMap(({ kind, of, what }) => (kind === 'fault' && what['step'] === label ? [of] : []))),
  ];
  const names = facts.things.map(({ name }) => name);
  const known = new Set(names);
  const inOrder = (wanted: ReadonlySet<string>) => names.filter((name) => wanted.has(name));
  return {
    story,
    facts,
    eventsOf,
    now: facts.end,
    end: parseDuration(story.duration) ?? facts.end,
    things(target) {
      if (target === EVERYONE) return names;
      if (typeof target === 'string') return known.has(target) ? [target] : inOrder(new Set(facts.targets.get(target)));
      return facts.things
        .filter(
          ({ name, tags }) =>
            (target.tag === undefined || tags.includes(target.tag)) && (target.things === undefined || target.things.includes(name)),
        )
        .map(({ name }) => name);
    },
    begun: (id) => facts.steps.get(id) ?? null,
    during(text, of) {
      const planned = stretchOf(text, story);
      if (text.includes('..')) return planned ? [planned] : [];
      const ofIt = of === null ? [] : livesOf(phaseTrack(eventsOf(of), text), facts.end);
      if (ofIt.length > 0) return ofIt;
      const lives = subjectsOf(text).flatMap((subject) => livesOf(phaseTrack(eventsOf(subject), text), facts.end));
      if (lives.length === 0) return [];
      return [{ from: Math.min(...lives.map(({ from }) => from)), to: Math.max(...lives.map(({ to }) => to)) }];
    },
  };
}

/** Nobody is not everybody: an expectation about no turbine at all fails. */
export function nobody(e: Expectation, { now, end }: Court): Finding {
  if (now < end) return 'open';
  const whom = 'on' in e && e.on !== undefined ? (typeof e.on === 'string' ? e.on : JSON.stringify(e.on)) : EVERYONE;
  return { wanted: `${e.that} on ${whom}`, got: 'nobody whom it could be about', at: now, of: null };
}

/** The first that failed, else open if one is. */
export const worst = (findings: readonly Finding[]): Finding =>
  findings.find((finding) => typeof finding !== 'string') ?? (findings.includes('open') ? 'open' : 'met');

/** The time that counts: one stretch, or those of a fault; null: it begins after what did not take place; none: the fault was not at work. */
export function windowsOf(e: Holding, of: string | null, court: Court): readonly Stretch[] | null {
  const within = e.within === undefined ? null : (parseDuration(e.within) ?? 0);
  const lasts = e.always || e.never ? (e.for === undefined ? null : (parseDuration(e.for) ?? 0)) : null;
  if (e.during !== undefined)
    return court.during(e.during, of).map(({ from, to }) => ({ from, to: within === null ? to : Math.min(to, from + within) }));
  const from = e.after === undefined ? 0 : court.begun(e.after);
  if (from === null) return null;
  const length = within ?? lasts;
  return [{ from, to: length === null ? court.end : Math.min(court.end, from + length) }];
}
