/**
 * AWS IoT Jobs, from both ends. Names and shapes are AWS’s; instants are epoch milliseconds and
 * become epoch seconds on the wire (`cloud/jobs/mqtt.ts`).
 */
import type { ThingName } from './ids.ts';
import type { Millis } from './units.ts';

export type JobStatus = 'SCHEDULED' | 'IN_PROGRESS' | 'CANCELED' | 'COMPLETED' | 'DELETION_IN_PROGRESS';

export type ExecutionStatus = 'QUEUED' | 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'REJECTED' | 'REMOVED' | 'CANCELED';

/** What a device may report. */
export type ReportedStatus = 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'REJECTED';

export const isTerminal = (status: ExecutionStatus): boolean => status !== 'QUEUED' && status !== 'IN_PROGRESS';

export interface JobExecution {
  readonly jobId: string;
  readonly thing: ThingName;
  readonly status: ExecutionStatus;
  /** 1 to 10 pairs of text. */
  readonly statusDetails: Readonly<Record<string, string>>;
  /** From 1; a retry is the same job with a higher number. */
  readonly executionNumber: number;
  /** From 1, up by one at every change. */
  readonly versionNumber: number;
  readonly queuedAt: Millis;
  readonly startedAt: Millis | null;
  readonly lastUpdatedAt: Millis;
}

/** An execution together with what it asks for. */
export interface PendingJob extends JobExecution {
  /** As it came: parse it before use. */
  readonly document: unknown;
}

export interface ExecutionUpdate {
  readonly status: ReportedStatus;
  /** Absent: unchanged; given: replaces. */
  readonly statusDetails?: Readonly<Record<string, string>>;
  /** Refused with `VersionMismatch` when the execution has moved on. */
  readonly expectedVersion?: number;
  readonly executionNumber?: number;
  /** Restarts the step timer; minutes, 1..10080, −1 ends it. */
  readonly stepTimeoutInMinutes?: number;
}

/** The device's end: one connection, the things that speak through it. Every call may fail with RemoteRefused or JobRefused. */
export interface DeviceJobs {
  /** The next job to do (one in progress first), or null. */
  next(thing: ThingName): Promise<PendingJob | null>;
  /** Takes the next job: QUEUED becomes IN_PROGRESS; one in progress is given again. */
  startNext(
    thing: ThingName,
    options?: { readonly stepTimeoutInMinutes?: number; readonly statusDetails?: Readonly<Record<string, string>> },
  ): Promise<PendingJob | null>;
  /** @throws JobRefused with AWS's reason. */
  update(thing: ThingName, jobId: string, update: ExecutionUpdate): Promise<void>;
  /** Told when another job has become the next one, and after every reconnect. */
  onNext(thing: ThingName, notified: () => void): Promise<void>;
}

export interface Job {
  readonly jobId: string;
  readonly status: JobStatus;
  /** Things and groups, by name. */
  readonly targets: readonly string[];
  readonly document: Readonly<Record<string, unknown>>;
  readonly description: string;
  readonly createdAt: Millis;
  readonly lastUpdatedAt: Millis;
  readonly completedAt: Millis | null;
}

export interface NewJob {
  /** 1..64 of `[a-zA-Z0-9_-]`. */
  readonly jobId: string;
  /** Resolved already: the things that get an execution. */
  readonly things: readonly ThingName[];
  readonly targets: readonly string[];
  readonly document: Readonly<Record<string, unknown>>;
  readonly description?: string;
  /** 1..10080; starts when the device starts. */
  readonly inProgressTimeoutInMinutes?: number;
}

/** The operator's end of the job service. */
export interface JobsControl {
  /** Durable when it resolves. @throws JobRefused */
  create(job: NewJob): Promise<Job>;
  /** @throws JobRefused `ResourceNotFound` */
  describe(jobId: string): Promise<Job>;
  /** Newest first. */
  list(): Promise<readonly Job[]>;
  /** In the order of things' names. */
  executions(jobId: string): Promise<readonly JobExecution[]>;
  /** QUEUED executions become CANCELED; with `force` those in progress too. */
  cancel(jobId: string, options?: { readonly force?: boolean }): Promise<Job>;
  /** Heard after each durable change, in order. */
  onChange(changed: (change: JobExecution | Job) => void): void;
}
