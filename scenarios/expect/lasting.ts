/** Expectations about what lasts: states, models, verdicts, rollouts, phases of faults. */
import { type Millis, parseDuration } from '../../actors/contracts/units.ts';
import type { Expectation, Holding } from '../dsl.ts';
import type { Stretch } from '../words/occurrences.ts';
import { clockTime } from './clock-time.ts';
import { type Court, type Finding, nobody, windowsOf, worst } from './court.ts';
import { modelTrack, phaseTrack, rolloutTrack, stateTrack, stretchesWhere, type Track, valueAt, verdictTrack } from './tracks.ts';

type Lasting = Extract<Expectation, { readonly that: 'state' | 'verdict' | 'model' | 'rollout' | 'fault' }>;

export function judgeLasting(e: Lasting, court: Court): readonly Finding[] {
  const { eventsOf, facts } = court;
  switch (e.that) {
    case 'state':
      return ofThings(e, court, (thing) =>
        judgeTrack(e, stateTrack(eventsOf(thing)), isPartOf(e.is), String, thing, `${thing} ${e.is}`, court),
      );
    case 'model':
      return ofThings(e, court, (thing) =>
        judgeTrack(e, modelTrack(eventsOf(thing)), (model) => model === e.is, String, thing, `${thing} on ${e.is}`, court),
      );
    case 'verdict': {
      const wanted = `of ${e.is}${e.feature === undefined ? '' : `, worst ${e.feature}`}`;
      return ofThings(e, court, (thing) =>
        judgeTrack(
          e,
          verdictTrack(eventsOf(thing)),
          ({ anomalous, worst }) => anomalous === (e.is === 'anomalous') && (e.feature === undefined || worst === e.feature),
          ({ anomalous, worst }) => (anomalous ? `anomalous, worst ${worst}` : 'healthy'),
          thing,
          `a verdict ${wanted} on ${thing}`,
          court,
        ),
      );
    }
    case 'rollout':
      return [judgeTrack(e, rolloutTrack(eventsOf(e.of)), (status) => status === e.is, String, e.of, `the rollout ${e.of} ${e.is}`, court)];
    case 'fault': {
      const subjects = [...new Set(facts.events.flatMap(({ kind, of, what }) => (kind === 'fault' && what['step'] === e.of ? [of] : [])))];
      const known = subjects.length > 0 ? subjects : (facts.targets.get(e.of) ?? []);
      return (known.length > 0 ? known : [e.of]).map((subject) =>
        judgeTrack(
          e,
          phaseTrack(eventsOf(subject), e.of),
          (phase) => phase === e.is,
          String,
          subject,
          `the fault ${e.of} ${e.is} on ${subject}`,
          court,
        ),
      );
    }
  }
}

function ofThings(
  e: Extract<Lasting, { readonly that: 'state' | 'model' | 'verdict' }>,
  court: Court,
  judge: (thing: string) => Finding,
): readonly Finding[] {
  const things = court.things(e.on);
  return things.length === 0 ? [nobody(e, court)] : things.map(judge);
}

/** `inferring.healthy` is `inferring` too. */
const isPartOf = (whole: string) => (state: string) => state === whole || state.startsWith(`${whole}.`);

/**
 * Holds one fact to one expectation.
 *
 * @param test whether a value is the wanted one
 * @param words of a value
 * @param wanted the fact in words, without its time
 */
function judgeTrack<Value>(
  e: Holding,
  track: Track<Value>,
  test: (value: Value) => boolean,
  words: (value: Value) => string,
  of: string,
  wanted: string,
  court: Court,
): Finding {
  const { now, end } = court;
  const lasting = e.for === undefined ? 0 : (parseDuration(e.for) ?? 0);
  const saidAt = (at: Millis) => {
    const value = valueAt(track, at);
    return value === undefined ? 'nothing is known of it' : words(value);
  };
  const wrong = (when: string, got: string, at: Millis): Finding => ({ wanted: `${wanted} ${when}`, got, at, of });

  if (e.at === 'end') {
    if (now < end) return 'open';
    const from = Math.max(0, end - lasting);
    const when = lasting > 0 ? `for the last ${e.for}` : 'at the end';
    return throughout(track, test, { from, to: end }, saidAt, (got, at) => wrong(when, got, at), true) ?? 'met';
  }
  const windows = windowsOf(e, of, court);
  if (windows === null) return now < end ? 'open' : wrong(`after ${e.after}`, 'that step did not take place', now);
  if (windows.length === 0) return now < end ? 'open' : wrong(`during ${e.during}`, `${e.during} was never at work`, now);

  if (e.never) {
    for (const window of windows) {
      const [first] = stretchesWhere(track, test, upTo(window, now));
      if (first) return { wanted: `never ${wanted}${during(e, window)}`, got: saidAt(first.from), at: first.from, of };
    }
    if (windows.some(({ to }) => to > now)) return 'open';
    const isKnown = windows.some(({ to }) => valueAt(track, to) !== undefined);
    return isKnown ? 'met' : { wanted: `never ${wanted}`, got: 'nothing is known of it', at: now, of };
  }
  if (e.always || (e.during !== undefined && e.within === undefined)) {
    const found: Finding[] = windows.map((window) => {
      const sofar = upTo(window, now);
      const isOver = window.to <= now;
      const fault = throughout(track, test, sofar, saidAt, (got, at) => wrong(`all the time${during(e, window)}`, got, at), isOver);
      return fault ?? (isOver ? 'met' : 'open');
    });
    return worst(found);
  }
  return worst(windows.map((window) => soon(e, track, test, window, lasting, saidAt, wrong, court)));
}

/** It becomes so within the window, and then stays so for `lasting`. */
function soon<Value>(
  e: Holding,
  track: Track<Value>,
  test: (value: Value) => boolean,
  { from, to }: Stretch,
  lasting: Millis,
  saidAt: (at: Millis) => string,
  wrong: (when: string, got: string, at: Millis) => Finding,
  { now, end }: Court,
): Finding {
  const latest = Math.min(end, to + lasting);
  const times = stretchesWhere(track, test, { from, to: Math.min(now, latest) }).filter((stretch) => stretch.from <= to);
  if (times.some((stretch) => stretch.to - stretch.from >= lasting)) return 'met';
  if (now < latest) return 'open';
  const longest = Math.max(0, ...times.map((stretch) => stretch.to - stretch.from));
  const got = times.length === 0 ? saidAt(to) : `for ${clockTime(longest)} only, then ${saidAt(times[times.length - 1].to)}`;
  return wrong(`${lasting > 0 ? `for ${e.for} ` : ''}by ${clockTime(to)}`, got, Math.min(now, to));
}

/** What is wrong with a fact that should hold all the time; null when nothing is. What is not known yet is no fault while something may still be told. */
function throughout<Value>(
  track: Track<Value>,
  test: (value: Value) => boolean,
  window: Stretch,
  saidAt: (at: Millis) => string,
  fail: (got: string, at: Millis) => Finding,
  isOver: boolean,
): Finding | null {
  const [breach] = stretchesWhere(track, (value) => !test(value), window);
  const isInTime = breach && (breach.from < window.to || window.from === window.to); // what ends a time is not in it
  if (isInTime) return fail(saidAt(breach.from), window.from === window.to ? sinceWhen(track, test, window.to) : breach.from);
  if (isOver && valueAt(track, window.to) === undefined) return fail('nothing is known of it', window.to);
  return null;
}

/** Since when it has been otherwise, at the end. */
function sinceWhen<Value>({ points }: Track<Value>, test: (value: Value) => boolean, at: Millis): Millis {
  let since = at;
  for (const point of points.filter((one) => one.at <= at).toReversed()) {
    if (test(point.value)) break;
    since = point.at;
  }
  return since;
}

const upTo = ({ from, to }: Stretch, now: Millis): Stretch => ({ from, to: Math.min(to, now) });

const during = ({ during: text, after }: Holding, { from, to }: Stretch): string =>
  text !== undefined || after !== undefined ? ` from ${clockTime(from)} to ${clockTime(to)}` : '';
