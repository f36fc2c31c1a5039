/** Expectations about alarms. */
import type { FleetEvent } from '../../actors/contracts/log.ts';
import { type Millis, parseDuration } from '../../actors/contracts/units.ts';
import type { Expectation } from '../dsl.ts';
import type { Stretch } from '../words/occurrences.ts';
import { clockTime } from './clock-time.ts';
import { type Court, type Finding, nobody, windowsOf, worst } from './court.ts';
import { alarmTrack, stretchesWhere, valueAt } from './tracks.ts';

type Alarm = Extract<Expectation, { readonly that: 'alarm' }>;
type NoAlarm = Extract<Expectation, { readonly that: 'noAlarm' }>;

interface Raised {
  readonly at: Millis;
  readonly feature: string;
}

export function judgeAlarm(e: Alarm, thing: string, court: Court): Finding {
  const { now, end } = court;
  const track = alarmTrack(court.eventsOf(thing));
  const isIt = (feature: string | null) => feature !== null && (e.feature === undefined || feature === e.feature);
  const wanted = `an alarm of ${thing}${e.feature === undefined ? '' : ` that names ${e.feature}`}`;
  const fail = (when: string, got: string, at: Millis): Finding => ({ wanted: `${wanted} ${when}`, got, at, of: thing });

  if (e.at === 'end') {
    if (now < end) return 'open';
    const standing = valueAt(track, end) ?? null;
    return isIt(standing) ? 'met' : fail('at the end', standing === null ? 'none stands' : `one that names ${standing}`, end);
  }
  const windows = windowsOf(e, thing, court);
  if (windows === null) return now < end ? 'open' : fail(`after ${e.after}`, 'that step did not take place', now);
  if (windows.length === 0) return now < end ? 'open' : fail(`during ${e.during}`, `${e.during} was never at work`, now);
  if (e.never) return worst(windows.map((window) => silent(thing, e.feature, window, court)));
  if (e.always)
    return worst(
      windows.map((window): Finding => {
        const [gap] = stretchesWhere(track, (feature) => !isIt(feature), { from: window.from, to: Math.min(now, window.to) });
        if (gap) return fail(`all the time from ${clockTime(window.from)}`, 'none', gap.from);
        return now < window.to ? 'open' : 'met';
      }),
    );

  const lasting = e.for === undefined ? 0 : (parseDuration(e.for) ?? 0);
  return worst(
    windows.map((window): Finding => {
      const raised = raisedIn(thing, window.from, now, court);
      const stands = ({ at }: Raised) =>
        stretchesWhere(track, isIt, { from: at, to: now }).some(({ from, to }) => from === at && to - from >= lasting);
      if (raised.some((alarm) => alarm.at <= window.to && isIt(alarm.feature) && (lasting === 0 || stands(alarm)))) return 'met';
      if (now < Math.min(end, window.to + lasting)) return 'open';
      const got = raised.length === 0 ? 'none' : raised.map(({ feature, at }) => `${feature} at ${clockTime(at)}`).join(', ');
      return fail(`${lasting > 0 ? `for ${e.for} ` : ''}by ${clockTime(window.to)}`, got, Math.min(now, window.to));
    }),
  );
}

export function judgeNoAlarm(e: NoAlarm, court: Court): readonly Finding[] {
  const spared = new Set(e.butOn === undefined ? [] : court.things(e.butOn));
  const things = (e.on === undefined ? court.facts.things.map(({ name }) => name) : court.things(e.on)).filter(
    (thing) => !spared.has(thing),
  );
  if (things.length === 0) return [nobody(e, court)];
  return things.map((thing) => {
    const windows = windowsOf({ ...e, never: true }, thing, court);
    const isOver = court.now >= court.end;
    const fail = (got: string): Finding => ({ wanted: `no alarm of ${thing}`, got, at: court.now, of: thing });
    if (windows === null) return isOver ? fail(`the step ${e.after} did not take place`) : 'open';
    if (windows.length === 0) return isOver ? fail(`${e.during} was never at work`) : 'open';
    return worst(windows.map((window) => silent(thing, e.feature, window, court)));
  });
}

/** No alarm is raised in the window, although it would have been: somebody judged the turbine. */
function silent(thing: string, feature: string | undefined, window: Stretch, court: Court): Finding {
  const { now } = court;
  const wanted = `no alarm of ${thing}${feature === undefined ? '' : ` that names ${feature}`} from ${clockTime(window.from)} to ${clockTime(window.to)}`;
  const raised = raisedIn(thing, window.from, Math.min(now, window.to), court).find(
    (alarm) => feature === undefined || alarm.feature === feature,
  );
  if (raised) return { wanted, got: raised.feature, at: raised.at, of: thing };
  if (now < window.to) return 'open';
  return isJudged(thing, window.to, court)
    ? 'met'
    : { wanted, got: 'nobody has judged it: what is not watched is silent too', at: window.to, of: thing };
}

export const raisedEvents = (events: readonly FleetEvent[]): readonly FleetEvent[] =>
  events.filter(({ kind, what }) => kind === 'alarm' && what['raised'] === true);

/** Oldest first. */
export const raisedIn = (thing: string, from: Millis, to: Millis, { eventsOf }: Court): readonly Raised[] =>
  raisedEvents(eventsOf(thing))
    .filter(({ at }) => at >= from && at <= to)
    .map(({ at, what }) => ({ at, feature: String(what['feature']) }));

/** Whether a turbine's windows had been judged by then. */
export const isJudged = (thing: string, by: Millis, { eventsOf }: Court): boolean =>
  eventsOf(thing).some(
    ({ kind, what, at }) => at <= by && (kind === 'verdict' || (kind === 'state' && String(what['to']).startsWith('inferring'))),
  );
