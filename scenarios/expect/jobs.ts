/** How the jobs of a deploy step ended. */
import { type Millis, parseDuration } from '../../actors/contracts/units.ts';
import type { Expectation } from '../dsl.ts';
import { clockTime } from './clock-time.ts';
import type { Court, Finding } from './court.ts';

type JobWords = Extract<Expectation, { readonly that: 'job' }>;

/** AWS IoT Jobs: terminal statuses never change. */
const ENDED: ReadonlySet<string> = new Set(['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'REJECTED', 'REMOVED', 'CANCELED']);
const STOPPED: ReadonlySet<string> = new Set(['CANCELED', 'HALTED', 'ROLLED_BACK']);

interface Execution {
  readonly status: string;
  readonly at: Millis;
}

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

  const executions = new Map<string, Execution>();
  for (const job of jobs)
    for (const { kind, what, at } of eventsOf(job))
      if (kind === 'job' && 'thing' in what && at <= to)
        executions.set(`${job} ${String(what['thing'])}`, { status: String(what['status']), at });
  const list = [...executions].map(([key, execution]) => ({ thing: key.slice(key.indexOf(' ') + 1), ...execution }));
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
