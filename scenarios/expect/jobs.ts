/** How the jobs of a deploy step ended. */
import { type Millis, parseDuration } from '../../actors/contracts/units.ts';
import type { Expectation } from '../dsl.ts';
import { clockTime } from './clock-time.ts';
import type { Court, Finding } from './court.ts';

type JobWords = Extract<Expectation, { readonly that: 'job' }>;

/** AWS IoT Jobs: terminal statuses never change. */
const ENDED: ReadonlySet<string> = new Set(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'REJECTED', 'REMOVED', 'CANCELED']);
const STOPPED: ReadonlySet<string> = new Set(['CANCELED', 'HALTED', 'ROLLED_BACK']);

/** A job on a device: its statuses as they came. */
export interface Execution {
  readonly job: string;
  readonly thing: string;
  readonly history: readonly { readonly status: string; readonly at: Millis }[];
}

/** By job, in the order in which they were made. */
export function executionsOf(jobs: readonly string[], { eventsOf }: Court): readonly Execution[] {
  return jobs.flatMap((job) => {
    const byThing = new Map<string, { status: string; at: Millis }[]>();
    for (const { kind, what, at } of eventsOf(job)) {
      if (kind !== 'job' || !('thing' in what)) continue;
      const thing = String(what['thing']);
      byThing.set(thing, [...(byThing.get(thing) ?? []), { status: String(what['status']), at }]);
    }
    return [...byThing].map(([thing, history]) => ({ job, thing, history }));
  });
}

export const isOver = (status: string): boolean => ENDED.has(status);

/** SUCCEEDED, FAILED: every execution of all waves ended so, and everyone had one. CANCELED: the deployment was stopped. */
export function judgeJob(e: JobWords, court: Court): Finding {
  const { facts, now, end, eventsOf } = court;
  const begun = court.begun(e.of);
  const to = e.at === 'end' || e.within === undefined ? end : Math.min(end, (begun ?? 0) + (parseDuration(e.within) ?? 0));
  const wanted =
    e.is === 'CANCELED' ? `the deployment ${e.of} stopped by ${clockTime(to)}` : `every execution of ${e.of} ${e.is} by ${clockTime(to)}`;
  const fail = (got: string, at: Millis): Finding => ({ wanted, got, at, of: e.of });
  const jobs = facts.jobs.get(e.of) ?? [];
  if (jobs.length === 0) return now < to ? 'open' : fail('no job was made', to);

  if (e.is === 'CANCELED') {
    const events = [...jobs.flatMap((job) => eventsOf(job)), ...eventsOf(e.of)];
    const isStopped = events.some(
      ({ kind, what, at }) =>
        at <= to && !('thing' in what) && (kind === 'job' || kind === 'rollout') && STOPPED.has(String(what['status'])),
    );
    if (isStopped) return 'met';
    const last = events.filter(({ kind, what, at }) => at <= to && !('thing' in what) && (kind === 'job' || kind === 'rollout')).at(-1);
    return now < to ? 'open' : fail(last ? String(last.what['status']) : 'it runs', to);
  }

  const list = executionsOf(jobs, court).flatMap(({ thing, history }) => {
    const last = history.findLast(({ at }) => at <= to);
    return last ? [{ thing, ...last }] : [];
  });
  const without = (facts.targets.get(e.of) ?? []).filter((thing) => !list.some((execution) => execution.thing === thing));
  const wrong = list.filter(({ status }) => ENDED.has(status) && status !== e.is);
  const running = list.filter(({ status }) => !ENDED.has(status));
  const got = [
    ...[...wrong, ...running].map(({ thing, status }) => `${thing} ${status}`),
    ...without.map((thing) => `${thing} no execution`),
  ].join(', ');
  if (wrong.length > 0) return fail(got, Math.min(...wrong.map(({ at }) => at)));
  if (list.length > 0 && running.length === 0 && without.length === 0) return 'met';
  return now < to ? 'open' : fail(got || 'no execution', to);
}
