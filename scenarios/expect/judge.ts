/**
 * Whether a run has been what its story expects, judged on the event log and a few counters. What never happened is a failure, not a
 * pass; and before the end an expectation may still be open, so that a run can be watched.
 */
import type { Expectation, Scenario } from '../dsl.ts';
import type { RunFacts } from '../facts.ts';
import { judgeAlarm, judgeNoAlarm } from './alarms.ts';
import { type Court, type Finding, nobody, openCourt } from './court.ts';
import type { Failure } from './failure.ts';
import { judgeFigure } from './figures.ts';
import { judgeInvariant } from './invariants.ts';
import { judgeJob } from './jobs.ts';
import { judgeLasting } from './lasting.ts';
import { nearestEvents } from './nearest.ts';

export type Outcome = 'met' | 'open' | 'failed';

export interface Judgement {
  readonly expectation: Expectation;
  /** In the story, from 0. */
  readonly index: number;
  readonly outcome: Outcome;
  /** One a turbine, where it is about turbines. */
  readonly failures: readonly Failure[];
}

/** @param facts of a run that has ended, or of one that is still being played */
export function judge(story: Scenario, facts: RunFacts): Judgement[] {
  const court = openCourt(story, facts);
  return story.expect.map((expectation, index) => {
    const findings = findingsOf(expectation, court);
    const failures = findings.flatMap((finding): Failure[] =>
      typeof finding === 'string' ? [] : [{ expectation, index, ...finding, nearby: nearestEvents(facts.events, finding.at, finding.of) }],
    );
    const outcome = failures.length > 0 ? 'failed' : findings.includes('open') ? 'open' : 'met';
    return { expectation, index, outcome, failures };
  });
}

/** What failed in a run that has ended. */
export const failuresOf = (story: Scenario, facts: RunFacts): Failure[] => judge(story, facts).flatMap(({ failures }) => failures);

function findingsOf(e: Expectation, court: Court): readonly Finding[] {
  switch (e.that) {
    case 'alarm': {
      const things = court.things(e.on);
      return things.length === 0 ? [nobody(e, court)] : things.map((thing) => judgeAlarm(e, thing, court));
    }
    case 'noAlarm':
      return judgeNoAlarm(e, court);
    case 'state':
    case 'model':
    case 'verdict':
    case 'rollout':
    case 'fault':
      return judgeLasting(e, court);
    case 'invariant':
      return judgeInvariant(e, court);
    case 'job':
      return [judgeJob(e, court)];
    default:
      return judgeFigure(e, court);
  }
}
