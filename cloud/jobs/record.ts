/** A job as the service keeps it: what was ordered, and how far it is. Counts are kept, never recounted. */
import type { Job, JobCounts, JobSettings, NewJob, Tag } from '../../actors/contracts/jobs.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { type Failures, NO_FAILURES } from './abort.ts';
import { parseDocument } from './document.ts';
import type { Recent } from './pace.ts';
import { comingWindows, type Schedule, storedSchedule } from './schedule.ts';

export interface JobConfig extends JobSettings, Pick<NewJob, 'documentSource' | 'documentParameters' | 'schedulingConfig'> {
  readonly jobId: string;
  readonly targets: readonly string[];
  readonly targetSelection: 'CONTINUOUS' | 'SNAPSHOT';
  readonly description: string;
  /** Text, before any substitution. */
  readonly document: string;
  readonly createdAt: Millis;
  readonly jobTemplateArn?: string;
  readonly namespaceId?: string;
  readonly destinationPackageVersions?: readonly string[];
  readonly tags?: readonly Tag[];
}

/** What goes on in the background, batch by batch, and again after a restart. */
export type JobWork = 'cancel' | 'force-cancel' | 'delete' | 'reconcile';

export interface JobState {
  status: Job['status'];
  lastUpdatedAt: Millis;
  completedAt: Millis | null;
  reasonCode: string | null;
  comment: string | null;
  forceCanceled: boolean;
  /** Of things that have been notified or held, by their latest execution. */
  counts: Record<keyof JobCounts, number>;
  /** Things whose turn in the rollout has not come. */
  waiting: number;
  /** How many of the targets at creation the rollout has passed. */
  cursor: number;
  /** Some of those that wait have an execution already: they have left, or joined by another way. */
  overtaken: boolean;
  /** Executions that wait for a maintenance window. */
  held: number;
  notified: number;
  failures: Failures;
  recent: Recent;
  work: JobWork | null;
  /** Its end has come and let what runs go on: nobody joins any more. */
  stopped: boolean;
}

export interface JobRecord {
  /** Grows with every job: the newest has the highest. */
  readonly key: number;
  config: JobConfig;
  readonly state: JobState;
  readonly schedule: Schedule;
}

export const newRecord = (key: number, config: JobConfig, schedule: Schedule, waiting: number): JobRecord => ({
  key,
  config,
  schedule,
  state: {
    status: schedule.startAt === null ? 'IN_PROGRESS' : 'SCHEDULED',
    lastUpdatedAt: config.createdAt,
    completedAt: null,
    reasonCode: null,
    comment: null,
    forceCanceled: false,
    counts: { QUEUED: 0, IN_PROGRESS: 0, SUCCEEDED: 0, FAILED: 0, TIMED_OUT: 0, REJECTED: 0, REMOVED: 0, CANCELED: 0 },
    waiting,
    cursor: 0,
    overtaken: false,
    held: 0,
    notified: 0,
    failures: NO_FAILURES,
    recent: [],
    work: null,
    stopped: false,
  },
});

export const storedRecord = (key: number, config: JobConfig, state: JobState): JobRecord => ({
  key,
  config,
  state,
  schedule: storedSchedule(config.schedulingConfig),
});

export const isOver = ({ state }: JobRecord): boolean => state.status !== 'SCHEDULED' && state.status !== 'IN_PROGRESS';

/** How many jobs of a kind are SCHEDULED or IN_PROGRESS. */
export function activeJobs(records: Iterable<JobRecord>, kind: JobConfig['targetSelection']): number {
  let active = 0;
  for (const record of records) if (record.config.targetSelection === kind && !isOver(record)) active++;
  return active;
}

/** As others see it. */
export function jobOf({ config, state, schedule }: JobRecord, now: Millis): Job {
  const { document, createdAt, ...ordered } = config;
  return {
    ...ordered,
    document: parseDocument(document),
    status: state.status,
    createdAt,
    lastUpdatedAt: state.lastUpdatedAt,
    completedAt: state.completedAt,
    ...(state.reasonCode === null ? {} : { reasonCode: state.reasonCode }),
    ...(state.comment === null ? {} : { comment: state.comment }),
    forceCanceled: state.forceCanceled,
    counts: countsOf(state),
    processingTargets: state.waiting > 0 && (state.status === 'IN_PROGRESS' || state.status === 'SCHEDULED') ? config.targets : [],
    scheduledJobRollouts:
      schedule.windows.length > 0 && (state.status === 'IN_PROGRESS' || state.status === 'SCHEDULED') ? comingWindows(schedule, now) : [],
  };
}

/** Things whose turn has not come await the job's execution: they count as queued. */
export const countsOf = ({ counts, waiting }: JobState): JobCounts => ({ ...counts, QUEUED: counts.QUEUED + waiting });

/** Whether no thing has anything left to do. */
export const isDone = ({ counts, waiting }: JobState): boolean => waiting === 0 && counts.QUEUED === 0 && counts.IN_PROGRESS === 0;
