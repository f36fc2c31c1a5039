/** Whether a run was what its story expects, judged on the event log alone. What never happened is a failure, not a pass. */
import type { FleetEvent } from '../actors/contracts/log.ts';
import { type Millis, parseDuration } from '../actors/contracts/units.ts';
import type { Expectation, Scenario } from './dsl.ts';

export interface Failure {
  readonly expectation: Expectation;
  readonly wanted: string;
  readonly got: string;
  /** The instant from which it was clear. */
  readonly at: Millis;
  /** What happened around then. */
  readonly nearby: readonly FleetEvent[];
}

export interface Run {
  readonly things: readonly string[];
  readonly events: readonly FleetEvent[];
  /** When each named step took place. */
  readonly steps: ReadonlyMap<string, Millis>;
  /** Jobs by the deploy step that made them. */
  readonly jobs: ReadonlyMap<string, string>;
  readonly end: Millis;
}

export const failuresOf = (story: Scenario, run: Run): Failure[] => story.expect.flatMap((expectation) => check(expectation, run));

function check(e: Expectation, run: Run): Failure[] {
  const fail = (wanted: string, got: string, at: Millis): Failure[] => [
    { expectation: e, wanted, got, at, nearby: nearest(run.events, at) },
  ];
  switch (e.that) {
    case 'alarm': {
      const [from, to] = span(e, run);
      return targets(e.on, run).flatMap((thing) => {
        const raised = run.events.filter(
          ({ kind, of, what, at }) => kind === 'alarm' && of === thing && what['raised'] === true && at >= from,
        );
        const inTime = raised.find(({ at, what }) => at <= to && (e.feature === undefined || what['feature'] === e.feature));
        if (inTime) return [];
        const got =
          raised.length === 0 ? 'none' : raised.map(({ at, what }) => `${String(what['feature'])} at ${clockTime(at)}`).join(', ');
        return fail(`an alarm of ${thing}${e.feature === undefined ? '' : ` that names ${e.feature}`} by ${clockTime(to)}`, got, to);
      });
    }
    case 'noAlarm': {
      const raised = run.events.find(({ kind, of, what }) => kind === 'alarm' && what['raised'] === true && of !== e.butOn);
      if (run.events.length === 0) return fail('a run without an alarm', 'a run without an event', 0);
      return raised
        ? fail(`no alarm${e.butOn === undefined ? '' : ` but on ${e.butOn}`}`, `${raised.of}: ${String(raised.what['feature'])}`, raised.at)
        : [];
    }
    case 'state':
      return targets(e.on, run).flatMap((thing) => {
        const states = run.events.filter(({ kind, of }) => kind === 'state' && of === thing);
        const last = String(states.at(-1)?.what['to'] ?? 'no state at all');
        if ('at' in e) return last === e.is ? [] : fail(`${thing} ${e.is} at the end`, last, states.at(-1)?.at ?? run.end);
        const [from, to] = span(e, run);
        return states.some(({ what, at }) => what['to'] === e.is && at >= from && at <= to)
          ? []
          : fail(`${thing} ${e.is} by ${clockTime(to)}`, last, to);
      });
    case 'job': {
      const job = run.jobs.get(e.of);
      const to = (run.steps.get(e.of) ?? 0) + ms(e.within);
      const endings = new Map(
        run.events
          .filter(({ kind, of, what, at }) => kind === 'job' && of === job && 'thing' in what && at <= to)
          .map(({ what }) => [String(what['thing']), String(what['status'])]),
      );
      if (endings.size > 0 && [...endings.values()].every((status) => status === e.is)) return [];
      return fail(
        `every execution of ${e.of} ${e.is} by ${clockTime(to)}`,
        [...endings].map(([thing, status]) => `${thing} ${status}`).join(', ') || 'no execution',
        to,
      );
    }
    case 'model':
      return targets(e.on, run).flatMap((thing) => {
        const last = run.events.findLast(({ kind, of }) => kind === 'model' && of === thing);
        return last?.what['model'] === e.is
          ? []
          : fail(`${thing} on ${e.is} at the end`, String(last?.what['model'] ?? 'no model'), last?.at ?? run.end);
      });
  }
}

/** A failure in words. */
export const explain = ({ wanted, got, at, nearby }: Failure): string =>
  [
    `  wanted ${wanted}`,
    `  got    ${got}`,
    `  at     ${clockTime(at)}, around which:`,
    ...nearby.map(({ at: when, kind, of, what }) => `    ${clockTime(when)} ${kind} ${of} ${JSON.stringify(what)}`),
  ].join('\n');

const targets = (target: string, run: Run): readonly string[] => (target === 'every turbine' ? run.things : [target]);

function span(e: { readonly after?: string; readonly within: string }, run: Run): [Millis, Millis] {
  const from = e.after === undefined ? 0 : (run.steps.get(e.after) ?? run.end);
  return [from, from + ms(e.within)];
}

const ms = (duration: string): Millis => parseDuration(duration) ?? 0;

const nearest = (events: readonly FleetEvent[], at: Millis) =>
  events
    .map((event) => ({ event, off: Math.abs(event.at - at) }))
    .sort((a, b) => a.off - b.off)
    .slice(0, 5)
    .map(({ event }) => event)
    .sort((a, b) => a.at - b.at);

/** 4m12.350s */
function clockTime(at: Millis): string {
  const minutes = Math.floor(at / 60_000);
  return `${minutes}m${((at - minutes * 60_000) / 1_000).toFixed(3)}s`;
}
