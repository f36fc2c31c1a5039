/** The event log as facts that last: what was so of whom, from when to when. */
import type { FleetEvent } from '../../actors/contracts/log.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { FaultPhase } from '../dsl.ts';
import type { Stretch } from '../words/occurrences.ts';

/** A value and since when it has been so, oldest first; it holds until the next one. */
export interface Track<Value> {
  readonly points: readonly { readonly at: Millis; readonly value: Value }[];
}

/** Events by their subject, so that a farm of many turbines is not read again for each of them. */
export type EventsOf = (of: string) => readonly FleetEvent[];

export function eventsBySubject(events: readonly FleetEvent[]): EventsOf {
  const bySubject = new Map<string, FleetEvent[]>();
  for (const event of events) {
    const list = bySubject.get(event.of);
    if (list) list.push(event);
    else bySubject.set(event.of, [event]);
  }
  return (of) => bySubject.get(of) ?? [];
}

/** @param read the value that an event tells; undefined: none */
export function trackOf<Value>(events: readonly FleetEvent[], read: (event: FleetEvent) => Value | undefined): Track<Value> {
  const points: { at: Millis; value: Value }[] = [];
  for (const event of events) {
    const value = read(event);
    if (value === undefined) continue;
    if (points.at(-1)?.at === event.at) points.pop(); // nobody sees what is over in the instant in which it began
    points.push({ at: event.at, value });
  }
  return { points };
}

export const stateTrack = (events: readonly FleetEvent[]): Track<string> =>
  trackOf(events, ({ kind, what }) => (kind === 'state' ? String(what['to']) : undefined));

export const modelTrack = (events: readonly FleetEvent[]): Track<string> =>
  trackOf(events, ({ kind, what }) => (kind === 'model' ? String(what['model']) : undefined));

export interface Standing {
  readonly anomalous: boolean;
  readonly worst: string;
}

export const verdictTrack = (events: readonly FleetEvent[]): Track<Standing> =>
  trackOf(events, ({ kind, what }) =>
    kind === 'verdict' ? { anomalous: what['anomalous'] === true, worst: String(what['worst']) } : undefined,
  );

export const rolloutTrack = (events: readonly FleetEvent[]): Track<string> =>
  trackOf(events, ({ kind, what }) => (kind === 'rollout' ? String(what['status']) : undefined));

/** Of one fault's step on one subject: pending until it is told otherwise. */
export function phaseTrack(events: readonly FleetEvent[], label: string): Track<FaultPhase> {
  const told = trackOf(events, ({ kind, what }) => (isOfStep(kind, what, label) ? (what['phase'] as FaultPhase) : undefined));
  return told.points[0]?.at === 0 ? told : { points: [{ at: 0, value: 'pending' }, ...told.points] };
}

export const isOfStep = (kind: FleetEvent['kind'], what: FleetEvent['what'], label: string): boolean =>
  kind === 'fault' && what['step'] === label && typeof what['phase'] === 'string';

/** Since the start no alarm has stood, then one that names a feature, … : null is none. */
export function alarmTrack(events: readonly FleetEvent[]): Track<string | null> {
  const told = trackOf(events, ({ kind, what }) =>
    kind === 'alarm' ? (what['raised'] === true ? String(what['feature']) : null) : undefined,
  );
  return { points: [{ at: -1, value: null }, ...told.points] };
}

/** When a fault of one step is at work: active or recovering. */
export function livesOf(track: Track<FaultPhase>, now: Millis): readonly Stretch[] {
  return stretchesWhere(track, (phase) => phase === 'active' || phase === 'recovering', { from: 0, to: now });
}

/** When a track's value passes a test, within a time; touching stretches are one. */
export function stretchesWhere<Value>(
  { points }: Track<Value>,
  test: (value: Value) => boolean,
  { from, to }: Stretch,
): readonly Stretch[] {
  const found: { from: Millis; to: Millis }[] = [];
  for (const [i, { at, value }] of points.entries()) {
    const next = points[i + 1]?.at ?? Number.POSITIVE_INFINITY; // it holds until just before
    if (!test(value) || next <= from || at > to) continue;
    const begins = Math.max(at, from);
    const ends = Math.min(next, to);
    const last = found.at(-1);
    if (last && last.to === begins) last.to = ends;
    else found.push({ from: begins, to: ends });
  }
  return found;
}

/** What holds at an instant; undefined before anything was told. */
export const valueAt = <Value>({ points }: Track<Value>, at: Millis): Value | undefined =>
  points.findLast((point) => point.at <= at)?.value;

/** Parts of `whole` that are in none of the others. */
export function without(whole: Stretch, others: readonly Stretch[]): readonly Stretch[] {
  let left: Stretch[] = [whole];
  for (const { from, to } of others)
    left = left.flatMap((part) =>
      to <= part.from || from >= part.to
        ? [part]
        : [
            { from: part.from, to: from },
            { from: to, to: part.to },
          ].filter((rest) => rest.to > rest.from),
    );
  return left;
}
