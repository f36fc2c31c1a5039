/** `$aws/events/job/…` and `$aws/events/jobExecution/…`: what AWS IoT tells of jobs to whoever subscribed, once switched on. */
import { createHash } from 'node:crypto';
import { JobRefused } from '../../actors/contracts/errors.ts';
import type { EventConfigurations } from '../../actors/contracts/jobs.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { Execution } from './executions.ts';
import { countsOf, type JobRecord } from './record.ts';

export type JobEvent = 'completed' | 'canceled' | 'deleted' | 'cancellation_in_progress' | 'deletion_in_progress';

export interface EventMessage {
  readonly topic: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** AWS IoT's event types; jobs' own are the first two. */
export const EVENT_TYPES = [
  'JOB',
  'JOB_EXECUTION',
  'THING',
  'THING_GROUP',
  'THING_TYPE',
  'THING_GROUP_MEMBERSHIP',
  'THING_GROUP_HIERARCHY',
  'THING_TYPE_ASSOCIATION',
  'POLICY',
  'CERTIFICATE',
  'CA_CERTIFICATE',
] as const;

/** @throws JobRefused InvalidRequest for a type there is not */
export function changedEvents(before: EventConfigurations, changes: Readonly<Record<string, boolean>>, now: Millis): EventConfigurations {
  const unknown = Object.keys(changes).filter((type) => !(EVENT_TYPES as readonly string[]).includes(type));
  if (unknown.length > 0) throw new JobRefused('InvalidRequest', `there is no event type ${unknown.join(', ')}`);
  return { enabled: { ...before.enabled, ...changes }, createdAt: before.createdAt ?? now, lastUpdatedAt: now };
}

export const noEvents = (): EventConfigurations => ({
  enabled: Object.fromEntries(EVENT_TYPES.map((type) => [type, false])),
  createdAt: null,
  lastUpdatedAt: null,
});

/** Instants of the job itself are milliseconds, the message's own is in seconds: as AWS's documents show it. */
export function jobEvent({ config, state }: JobRecord, operation: JobEvent, now: Millis): EventMessage {
  const counts = countsOf(state);
  return {
    topic: `$aws/events/job/${config.jobId}/${operation}`,
    body: {
      eventType: 'JOB',
      eventId: eventId(config.jobId, operation, now),
      timestamp: Math.floor(now / 1_000),
      operation,
      jobId: config.jobId,
      status: operation === 'deleted' ? 'DELETED' : operation === 'cancellation_in_progress' ? 'CANCELLATION_IN_PROGRESS' : state.status,
      targetSelection: config.targetSelection,
      targets: config.targets,
      description: config.description,
      ...(state.completedAt === null ? {} : { completedAt: state.completedAt }),
      createdAt: config.createdAt,
      lastUpdatedAt: state.lastUpdatedAt,
      jobProcessDetails: {
        numberOfCanceledThings: counts.CANCELED,
        numberOfRejectedThings: counts.REJECTED,
        numberOfFailedThings: counts.FAILED,
        numberOfRemovedThings: counts.REMOVED,
        numberOfSucceededThings: counts.SUCCEEDED,
        numberOfTimedOutThings: counts.TIMED_OUT,
        numberOfQueuedThings: counts.QUEUED,
        numberOfInProgressThings: counts.IN_PROGRESS,
      },
    },
  };
}

/** @param operation a terminal status in lower case, or `deleted` */
export function executionEvent(execution: Execution, operation: string, thingArn: string, now: Millis): EventMessage {
  const { jobId, thing, status, executionNumber, statusDetails } = execution;
  return {
    topic: `$aws/events/jobExecution/${jobId}/${operation}`,
    body: {
      eventType: 'JOB_EXECUTION',
      eventId: eventId(jobId, operation, now, thing, executionNumber),
      timestamp: Math.floor(now / 1_000),
      operation,
      jobId,
      thingArn,
      status: operation === 'deleted' ? 'DELETED' : status,
      executionNumber,
      statusDetails,
    },
  };
}

/** The same fact has the same id in every run. */
function eventId(...facts: readonly (string | number)[]): string {
  const hex = createHash('sha256').update(facts.join('\n')).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
