/**
 * One job execution as a value: which changes AWS IoT Jobs allows, and when its timers run out. Instants are epoch milliseconds.
 *
 * Source: AWS IoT developer guide, "Jobs and job executions states"; the service's own limits for details and timers.
 */
import { JobRefused } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import { type ExecutionStatus, type ExecutionUpdate, isTerminal, type JobExecution } from '../../actors/contracts/jobs.ts';
import type { Millis } from '../../actors/contracts/units.ts';

export interface Execution extends JobExecution {
  /** Set when it starts; it does not move after that. */
  readonly inProgressDeadline: Millis | null;
  readonly stepDeadline: Millis | null;
}

const MINUTE = 60_000;
const MAX_TIMEOUT_MINUTES = 10_080;

export const queuedExecution = (jobId: string, thing: ThingName, now: Millis): Execution => ({
  jobId,
  thing,
  status: 'QUEUED',
  statusDetails: {},
  executionNumber: 1,
  versionNumber: 1,
  queuedAt: now,
  startedAt: null,
  lastUpdatedAt: now,
  inProgressDeadline: null,
  stepDeadline: null,
});

/** When it times out; null while no timer runs. */
export function deadlineOf({ status, inProgressDeadline, stepDeadline }: Execution): Millis | null {
  if (status !== 'IN_PROGRESS' || (inProgressDeadline === null && stepDeadline === null)) return null;
  return Math.min(inProgressDeadline ?? Infinity, stepDeadline ?? Infinity);
}

/**
 * A device's report. @param inProgressTimeoutInMinutes the job's own
 * @throws JobRefused VersionMismatch, InvalidStateTransition, InvalidRequest; the execution stays as it is.
 */
export function updated(execution: Execution, update: ExecutionUpdate, now: Millis, inProgressTimeoutInMinutes: number | null): Execution {
  if (update.expectedVersion !== undefined && update.expectedVersion !== execution.versionNumber)
    throw new JobRefused(
      'VersionMismatch',
      `expected version ${update.expectedVersion}, the execution is at ${execution.versionNumber}`,
      execution,
    );
  // AWS IoT Jobs: terminal statuses never change
  if (isTerminal(execution.status))
    throw new JobRefused('InvalidStateTransition', `the execution is ${execution.status}, which is final`, execution);
  if (update.statusDetails) checkDetails(update.statusDetails);
  checkTimeout(update.stepTimeoutInMinutes);

  const starts = update.status === 'IN_PROGRESS' && execution.status === 'QUEUED';
  const inProgressDeadline =
    starts && inProgressTimeoutInMinutes !== null ? now + inProgressTimeoutInMinutes * MINUTE : execution.inProgressDeadline;
  return {
    ...execution,
    status: update.status,
    statusDetails: update.statusDetails ?? execution.statusDetails,
    versionNumber: execution.versionNumber + 1,
    startedAt: execution.startedAt ?? now,
    lastUpdatedAt: now,
    inProgressDeadline,
    stepDeadline: stepDeadline(execution, update.stepTimeoutInMinutes, now),
  };
}

/** The service's own doing: TIMED_OUT, CANCELED, REMOVED. */
export function ended(
  execution: Execution,
  status: Extract<ExecutionStatus, 'TIMED_OUT' | 'CANCELED' | 'REMOVED'>,
  now: Millis,
): Execution {
  if (isTerminal(execution.status))
    throw new JobRefused('InvalidStateTransition', `the execution is ${execution.status}, which is final`, execution);
  return { ...execution, status, versionNumber: execution.versionNumber + 1, lastUpdatedAt: now };
}

/** A new step timer replaces the one before; −1 ends it; none given leaves it. */
function stepDeadline(execution: Execution, minutes: number | undefined, now: Millis): Millis | null {
  if (minutes === undefined) return execution.stepDeadline;
  return minutes === -1 ? null : now + minutes * MINUTE;
}

function checkTimeout(minutes: number | undefined): void {
  if (minutes === undefined || minutes === -1) return;
  if (!Number.isInteger(minutes) || minutes < 1 || minutes > MAX_TIMEOUT_MINUTES)
    throw new JobRefused('InvalidRequest', `stepTimeoutInMinutes ${minutes} is not -1 or within 1..${MAX_TIMEOUT_MINUTES}`);
}

function checkDetails(details: Readonly<Record<string, string>>): void {
  const pairs = Object.entries(details);
  if (pairs.length > 10) throw new JobRefused('InvalidRequest', `statusDetails has ${pairs.length} pairs, 10 at most`);
  for (const [key, value] of pairs) {
    if (!/^[a-zA-Z0-9:_-]{1,128}$/.test(key))
      throw new JobRefused(
        'InvalidRequest',
        `statusDetails: ${JSON.stringify(key.slice(0, 40))} is no key of 1 to 128 characters [a-zA-Z0-9:_-]`,
      );
    if (typeof value !== 'string' || value.length < 1 || value.length > 1_024 || /\p{Cc}/u.test(value))
      throw new JobRefused('InvalidRequest', `statusDetails.${key} is no text of 1 to 1024 characters without control characters`);
  }
}
