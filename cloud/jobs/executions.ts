/**
 * One job execution as a value: which changes AWS IoT Jobs allows, and when its timers run out. Instants are epoch milliseconds.
 *
 *   QUEUED → IN_PROGRESS → SUCCEEDED | FAILED | REJECTED (the device) | TIMED_OUT | REMOVED | CANCELED (the service); terminal is final
 *
 * Source: AWS IoT developer guide, "Jobs and job executions states"; the service's own limits for details and timers.
 */
import { JobRefused } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import {
  type ExecutionStatus,
  type ExecutionUpdate,
  isTerminal,
  type JobExecution,
  type StatusDetails,
} from '../../actors/contracts/jobs.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { MAX_TIMEOUT_MINUTES, MINUTE } from './limits.ts';
import type { RetriesUsed } from './retry.ts';

export interface Execution extends JobExecution {
  /** Set when it starts; it does not move after that. */
  readonly inProgressDeadline: Millis | null;
  readonly stepDeadline: Millis | null;
  /** Not shown to the device before a maintenance window opens. */
  readonly held: boolean;
  /** Its thing has left the job's targets since it ended. */
  readonly left: boolean;
  readonly retriesUsed: RetriesUsed;
  /** Kinds of failure that an attempt of this thing has had: bits of `abort.ts`. */
  readonly failedBits: number;
}

export interface Queued {
  readonly jobId: string;
  readonly thing: ThingName;
  readonly executionNumber: number;
  readonly held: boolean;
  readonly now: Millis;
}

export const queuedExecution = ({ jobId, thing, executionNumber, held, now }: Queued): Execution => ({
  jobId,
  thing,
  status: 'QUEUED',
  statusDetails: NO_DETAILS,
  executionNumber,
  versionNumber: 1, // a 0 would be dropped by `IotJobsClientv2`, which omits falsy fields
  queuedAt: now,
  startedAt: null,
  lastUpdatedAt: now,
  retryAttempt: 0,
  forceCanceled: false,
  timesOutAt: null,
  inProgressDeadline: null,
  stepDeadline: null,
  held,
  left: false,
  retriesUsed: NO_RETRIES,
  failedBits: 0,
});

export const NO_DETAILS: StatusDetails = Object.freeze({});
export const NO_RETRIES: RetriesUsed = Object.freeze({ failed: 0, timedOut: 0 });

/**
 * A device's report. @param inProgressTimeoutInMinutes the job's own
 * @param strict only what AWS's documents draw: QUEUED goes to IN_PROGRESS or REJECTED
 * @throws JobRefused VersionMismatch, InvalidStateTransition, InvalidRequest; the execution stays as it is.
 */
export function updated(
  execution: Execution,
  update: ExecutionUpdate,
  now: Millis,
  inProgressTimeoutInMinutes: number | null,
  strict = false,
): Execution {
  checkUpdate(update);
  if (update.expectedVersion !== undefined && update.expectedVersion !== execution.versionNumber)
    throw new JobRefused(
      'VersionMismatch',
      `expected version ${update.expectedVersion}, the execution is at ${execution.versionNumber}`,
      execution,
    );
  // AWS IoT Jobs: terminal statuses never change
  if (isTerminal(execution.status)) throw finalAlready(execution);
  if (strict && execution.status === 'QUEUED' && (update.status === 'SUCCEEDED' || update.status === 'FAILED'))
    throw new JobRefused('InvalidStateTransition', `a QUEUED execution cannot become ${update.status}`, execution);

  const starts = update.status === 'IN_PROGRESS' && execution.status === 'QUEUED';
  const inProgressDeadline =
    starts && inProgressTimeoutInMinutes !== null ? now + inProgressTimeoutInMinutes * MINUTE : execution.inProgressDeadline;
  const stepDeadline = stepDeadlineOf(execution, update.stepTimeoutInMinutes, now);
  return {
    ...execution,
    status: update.status,
    statusDetails: update.statusDetails ?? execution.statusDetails,
    versionNumber: execution.versionNumber + 1,
    startedAt: execution.startedAt ?? (update.status === 'REJECTED' ? null : now),
    lastUpdatedAt: now,
    inProgressDeadline,
    stepDeadline,
    timesOutAt: timesOutAt(update.status, inProgressDeadline, stepDeadline),
  };
}

/** The service's own doing. @throws JobRefused InvalidStateTransition */
export function ended(
  execution: Execution,
  status: Extract<ExecutionStatus, 'TIMED_OUT' | 'CANCELED' | 'REMOVED'>,
  now: Millis,
  { forced = false, statusDetails = execution.statusDetails }: { readonly forced?: boolean; readonly statusDetails?: StatusDetails } = {},
): Execution {
  if (isTerminal(execution.status)) throw finalAlready(execution);
  return {
    ...execution,
    status,
    statusDetails,
    versionNumber: execution.versionNumber + 1,
    lastUpdatedAt: now,
    forceCanceled: forced,
    timesOutAt: null,
    held: false,
  };
}

/** The earlier of the two timers; null while none runs. */
function timesOutAt(status: ExecutionStatus, inProgressDeadline: Millis | null, stepDeadline: Millis | null): Millis | null {
  if (status !== 'IN_PROGRESS' || (inProgressDeadline === null && stepDeadline === null)) return null;
  return Math.min(inProgressDeadline ?? Infinity, stepDeadline ?? Infinity);
}

/** A new step timer replaces the one before; −1 ends it; none given leaves it. */
function stepDeadlineOf(execution: Execution, minutes: number | undefined, now: Millis): Millis | null {
  if (minutes === undefined) return execution.stepDeadline;
  return minutes === -1 ? null : now + minutes * MINUTE;
}

/** The part of an update that can be judged without its execution. @throws JobRefused InvalidRequest */
export function checkUpdate({
  statusDetails,
  stepTimeoutInMinutes: minutes,
}: Pick<ExecutionUpdate, 'statusDetails' | 'stepTimeoutInMinutes'>): void {
  if (statusDetails) checkDetails(statusDetails);
  if (minutes === undefined || minutes === -1) return;
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > MAX_TIMEOUT_MINUTES)
    throw new JobRefused('InvalidRequest', `stepTimeoutInMinutes ${minutes} is not -1 or within 1..${MAX_TIMEOUT_MINUTES}`);
}

const UNSAFE = ['__proto__', 'constructor', 'prototype']; // keys that would reach into an object's making

/** @throws JobRefused InvalidRequest */
export function checkDetails(details: StatusDetails): void {
  const pairs = Object.entries(details);
  if (pairs.length > 10) throw new JobRefused('InvalidRequest', `statusDetails has ${pairs.length} pairs, 10 at most`);
  for (const [key, value] of pairs) {
    if (!/^[a-zA-Z0-9:_-]{1,128}$/.test(key) || UNSAFE.includes(key))
      throw new JobRefused(
        'InvalidRequest',
        `statusDetails: ${JSON.stringify(key.slice(0, 40))} is no key of 1 to 128 characters [a-zA-Z0-9:_-]`,
      );
    if (typeof value !== 'string' || value.length < 1 || value.length > 1_024 || /\p{Cc}/u.test(value))
      throw new JobRefused('InvalidRequest', `statusDetails.${key} is no text of 1 to 1024 characters without control characters`);
  }
}

const finalAlready = (execution: Execution) =>
  new JobRefused('InvalidStateTransition', `the execution is ${execution.status}, which is final`, execution);

/** What others may see of it. */
export const shown = (execution: Execution): JobExecution => ({
  jobId: execution.jobId,
  thing: execution.thing,
  status: execution.status,
  statusDetails: execution.statusDetails,
  executionNumber: execution.executionNumber,
  versionNumber: execution.versionNumber,
  queuedAt: execution.queuedAt,
  startedAt: execution.startedAt,
  lastUpdatedAt: execution.lastUpdatedAt,
  retryAttempt: execution.retryAttempt,
  forceCanceled: execution.forceCanceled,
  timesOutAt: execution.timesOutAt,
});

/** In progress first, then by the time of queueing. */
export const byTurn = (a: Execution, b: Execution): number =>
  rank(a) - rank(b) || a.queuedAt - b.queuedAt || (a.jobId < b.jobId ? -1 : a.jobId > b.jobId ? 1 : a.executionNumber - b.executionNumber);

const rank = ({ status }: Execution) => (status === 'IN_PROGRESS' ? 0 : 1);
