/**
 * The job service: jobs, their executions, timers and notifications, as AWS IoT Jobs has them. Every change is in the store before
 * anyone hears of it; timers are set anew from the store at start.
 */
import type { Clock } from '../../actors/contracts/clock.ts';
import { JobRefused } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import {
  type ExecutionUpdate,
  isTerminal,
  type Job,
  type JobExecution,
  type JobsControl,
  type NewJob,
  type PendingJob,
} from '../../actors/contracts/jobs.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { deadlineOf, ended, type Execution, queuedExecution, updated } from './executions.ts';
import type { JobStore, StoredJob } from './store.ts';

/** The device's side, as the wire reaches it. Times are epoch milliseconds. */
export interface JobsDevice {
  /** In progress first, then by the time of queueing. */
  pending(thing: ThingName): readonly Execution[];
  /** @param jobId or `$next`; null for `$next` when nothing is pending. @throws JobRefused ResourceNotFound, TerminalStateReached */
  describe(thing: ThingName, jobId: string, executionNumber?: number): PendingJob | null;
  startNext(thing: ThingName, options: Pick<ExecutionUpdate, 'statusDetails' | 'stepTimeoutInMinutes'>): Promise<PendingJob | null>;
  /** @throws JobRefused */
  update(thing: ThingName, jobId: string, update: ExecutionUpdate): Promise<JobExecution>;
}

export interface Notifications {
  /** The list of pending executions has changed. */
  list(thing: ThingName, pending: readonly Execution[]): void;
  /** Another execution is the next one, or none is. */
  next(thing: ThingName, next: PendingJob | null): void;
}

export interface JobService extends JobsControl {
  readonly device: JobsDevice;
  notify(notifications: Notifications): void;
  close(): Promise<void>;
}

const PENDING_SHOWN = 15; // AWS IoT Jobs: a list notification names up to 15

export async function openJobService({ clock, store }: { readonly clock: Clock; readonly store: JobStore }): Promise<JobService> {
  const jobs = new Map<string, StoredJob>();
  const executions = new Map<string, Map<ThingName, Execution>>(); // by job
  const pendingOf = new Map<ThingName, Set<Execution>>();
  const listeners: ((change: JobExecution | Job) => void)[] = [];
  const timers = new Map<string, number>();
  let notifications: Notifications | null = null;
  let tail: Promise<unknown> = Promise.resolve();

  const now = (): Millis => clock.epoch + clock.now();
  /** Changes are made one after the other: each sees what the one before has stored. */
  const inTurn = <T>(change: () => Promise<T>): Promise<T> => {
    const turn = tail.then(change);
    tail = turn.catch(() => {});
    return turn;
  };

  const remember = (execution: Execution) => {
    const things = executions.get(execution.jobId) ?? new Map<ThingName, Execution>();
    executions.set(execution.jobId, things);
    const before = things.get(execution.thing);
    things.set(execution.thing, execution);
    const pending = pendingOf.get(execution.thing) ?? new Set();
    pendingOf.set(execution.thing, pending);
    if (before) pending.delete(before);
    if (!isTerminal(execution.status)) pending.add(execution);
    setTimer(execution);
  };

  const setTimer = (execution: Execution) => {
    const key = `${execution.jobId}/${execution.thing}`;
    const running = timers.get(key);
    if (running !== undefined) clock.clearTimeout(running);
    timers.delete(key);
    const deadline = deadlineOf(execution);
    if (deadline !== null)
      timers.set(
        key,
        clock.setTimeout(() => void clock.until(clock.now(), expire(execution)), Math.max(0, Math.ceil(deadline - now()))), // the store may be slow: time waits
      );
  };

  const expire = ({ jobId, thing }: Execution) =>
    inTurn(async () => {
      const execution = executions.get(jobId)?.get(thing);
      const deadline = execution && deadlineOf(execution);
      if (execution && deadline !== null && deadline !== undefined && deadline <= now())
        await apply([ended(execution, 'TIMED_OUT', now())]);
      else if (execution) setTimer(execution); // it was put off meanwhile
    });

  const pending = (thing: ThingName): Execution[] =>
    [...(pendingOf.get(thing) ?? [])].sort((a, b) => rank(a) - rank(b) || a.queuedAt - b.queuedAt || (a.jobId < b.jobId ? -1 : 1));

  const withDocument = (execution: Execution): PendingJob => ({ ...execution, document: jobs.get(execution.jobId)!.document });

  /** Stores changes, then lets them be seen: executions, jobs that are complete by them, notifications. */
  const apply = async (changed: readonly Execution[], changedJobs: readonly StoredJob[] = []): Promise<void> => {
    const before = new Map(changed.map(({ thing }) => [thing, pending(thing)]));
    const complete = completedBy(changed, changedJobs);
    const stored = [...changedJobs.filter((job) => !complete.some(({ jobId }) => jobId === job.jobId)), ...complete];
    await store.save({ jobs: stored, executions: changed });
    for (const job of stored) jobs.set(job.jobId, job);
    for (const execution of changed) remember(execution);
    for (const job of changedJobs) for (const heard of listeners) heard(job);
    for (const execution of changed) for (const heard of listeners) heard(execution);
    for (const job of complete) for (const heard of listeners) heard(job);
    for (const [thing, was] of before) announce(thing, was, pending(thing));
  };

  /** SNAPSHOT jobs are COMPLETED once all executions are terminal. */
  const completedBy = (changed: readonly Execution[], changedJobs: readonly StoredJob[]): StoredJob[] => {
    const touched = new Set(changed.filter(({ status }) => isTerminal(status)).map(({ jobId }) => jobId));
    return [...touched].flatMap((jobId) => {
      const job = changedJobs.find((one) => one.jobId === jobId) ?? jobs.get(jobId)!;
      const fresh = new Map(changed.filter((execution) => execution.jobId === jobId).map((execution) => [execution.thing, execution]));
      const all = [...(executions.get(jobId)?.values() ?? [])].map((execution) => fresh.get(execution.thing) ?? execution);
      if (job.status !== 'IN_PROGRESS' || !all.every(({ status }) => isTerminal(status))) return [];
      return [{ ...job, status: 'COMPLETED' as const, lastUpdatedAt: now(), completedAt: now() }];
    });
  };

  /** `notify` when an execution enters or leaves the list, `notify-next` when another one is first. */
  const announce = (thing: ThingName, was: readonly Execution[], is: readonly Execution[]) => {
    const names = (list: readonly Execution[]) => list.map(({ jobId, executionNumber }) => `${jobId}#${executionNumber}`);
    if (names(was).sort().join() !== names(is).sort().join()) notifications?.list(thing, is.slice(0, PENDING_SHOWN));
    if (names(was)[0] !== names(is)[0]) notifications?.next(thing, is.length > 0 ? withDocument(is[0]) : null);
  };

  const find = (thing: ThingName, jobId: string, executionNumber?: number): Execution => {
    const execution = executions.get(jobId)?.get(thing);
    if (!execution || (executionNumber !== undefined && executionNumber !== execution.executionNumber))
      throw new JobRefused(
        'ResourceNotFound',
        `thing ${thing} has no execution ${executionNumber ?? ''} of job ${jobId}`.replace('  ', ' '),
      );
    return execution;
  };
  const findJob = (jobId: string): StoredJob => {
    const job = jobs.get(jobId);
    if (!job) throw new JobRefused('ResourceNotFound', `there is no job ${jobId}`);
    return job;
  };
  const change = async (execution: Execution, update: ExecutionUpdate): Promise<Execution> => {
    const next = updated(execution, update, now(), findJob(execution.jobId).inProgressTimeoutInMinutes);
    await apply([next]);
    return next;
  };

  const loaded = await store.load();
  for (const job of loaded.jobs) jobs.set(job.jobId, job);
  for (const execution of loaded.executions) remember(execution);

  return {
    device: {
      pending,
      describe(thing, jobId, executionNumber) {
        if (jobId === '$next') {
          const [next] = pending(thing);
          return next ? withDocument(next) : null;
        }
        const execution = find(thing, jobId, executionNumber);
        if (isTerminal(execution.status)) throw new JobRefused('TerminalStateReached', `the execution is ${execution.status}`, execution);
        return withDocument(execution);
      },
      startNext: (thing, options) =>
        inTurn(async () => {
          const [next] = pending(thing);
          if (!next) return null;
          // AWS IoT Jobs: one in progress already is given again, its details unchanged
          return withDocument(next.status === 'IN_PROGRESS' ? next : await change(next, { ...options, status: 'IN_PROGRESS' }));
        }),
      update: (thing, jobId, update) => inTurn(async () => change(find(thing, jobId, update.executionNumber), update)),
    },

    create: (order) =>
      inTurn(async () => {
        checkNewJob(order);
        if (jobs.has(order.jobId)) throw new JobRefused('ResourceAlreadyExists', `there is a job ${order.jobId} already`);
        const at = now();
        const job: StoredJob = {
          jobId: order.jobId,
          status: order.things.length === 0 ? 'COMPLETED' : 'IN_PROGRESS',
          targets: order.targets,
          document: order.document,
          description: order.description ?? '',
          createdAt: at,
          lastUpdatedAt: at,
          completedAt: order.things.length === 0 ? at : null,
          inProgressTimeoutInMinutes: order.inProgressTimeoutInMinutes ?? null,
        };
        await apply(
          [...new Set(order.things)].map((thing) => queuedExecution(job.jobId, thing, at)),
          [job],
        );
        return job;
      }),
    describe: async (jobId) => findJob(jobId),
    list: async () => [...jobs.values()].sort((a, b) => b.createdAt - a.createdAt || (a.jobId < b.jobId ? 1 : -1)),
    executions: async (jobId) => {
      findJob(jobId);
      return [...(executions.get(jobId)?.values() ?? [])].sort((a, b) => (a.thing < b.thing ? -1 : 1));
    },
    cancel: (jobId, { force = false } = {}) =>
      inTurn(async () => {
        const job = findJob(jobId);
        if (job.status !== 'IN_PROGRESS') throw new JobRefused('InvalidStateTransition', `job ${jobId} is ${job.status}`);
        const open = [...(executions.get(jobId)?.values() ?? [])].filter(
          ({ status }) => status === 'QUEUED' || (force && status === 'IN_PROGRESS'),
        );
        const cancelled: StoredJob = { ...job, status: 'CANCELED', lastUpdatedAt: now(), completedAt: now() };
        await apply(
          open.map((execution) => ended(execution, 'CANCELED', now())),
          [cancelled],
        );
        return cancelled;
      }),
    onChange: (changed) => {
      listeners.push(changed);
    },
    notify: (wanted) => {
      notifications = wanted;
    },
    async close() {
      for (const timer of timers.values()) clock.clearTimeout(timer);
      await tail;
      await store.close();
    },
  };
}

const rank = ({ status }: Execution) => (status === 'IN_PROGRESS' ? 0 : 1);

function checkNewJob({ jobId, document, inProgressTimeoutInMinutes: minutes }: NewJob): void {
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(jobId))
    throw new JobRefused('InvalidRequest', `job id ${JSON.stringify(jobId)} is not 1 to 64 characters [a-zA-Z0-9_-]`);
  if (JSON.stringify(document).length > 32_768) throw new JobRefused('InvalidRequest', 'the job document is longer than 32768 characters');
  if (minutes !== undefined && (!Number.isInteger(minutes) || minutes < 1 || minutes > 10_080))
    throw new JobRefused('InvalidRequest', `inProgressTimeoutInMinutes ${minutes} is not within 1..10080`);
}
