/**
 * AWS IoT Jobs, from every end: the device's, the operator's, and what the service asks of others. Names and shapes are AWS's
 * (`botocore` service models `iot` and `iot-jobs-data`); instants are epoch milliseconds and become epoch seconds on the wire.
 */
import type { ThingName } from './ids.ts';
import type { Millis } from './units.ts';

export type JobStatus = 'SCHEDULED' | 'IN_PROGRESS' | 'CANCELED' | 'COMPLETED' | 'DELETION_IN_PROGRESS';

export type ExecutionStatus = 'QUEUED' | 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'REJECTED' | 'REMOVED' | 'CANCELED';

/** What a device may report. */
export type ReportedStatus = 'IN_PROGRESS' | 'SUCCEEDED' | 'FAILED' | 'REJECTED';

export const isTerminal = (status: ExecutionStatus): boolean => status !== 'QUEUED' && status !== 'IN_PROGRESS';

export type StatusDetails = Readonly<Record<string, string>>;

export interface JobExecution {
  readonly jobId: string;
  readonly thing: ThingName;
  readonly status: ExecutionStatus;
  /** Up to 10 pairs of text. */
  readonly statusDetails: StatusDetails;
  /** From 1; a retry is the same job with a higher number. */
  readonly executionNumber: number;
  /** From 1, up by one at every change. */
  readonly versionNumber: number;
  readonly queuedAt: Millis;
  readonly startedAt: Millis | null;
  readonly lastUpdatedAt: Millis;
  /** Retries before this one: 0 for a first attempt. */
  readonly retryAttempt: number;
  readonly forceCanceled: boolean;
  /** When it times out; null while no timer runs. */
  readonly timesOutAt: Millis | null;
}

/** An execution together with what it asks for. */
export interface PendingJob extends Omit<JobExecution, 'retryAttempt' | 'forceCanceled' | 'timesOutAt'> {
  /** As it came: parse it before use. */
  readonly document: unknown;
  /** Until it times out, about; absent while no timer runs. */
  readonly secondsLeft?: number;
}

export interface ExecutionUpdate {
  readonly status: ReportedStatus;
  /** Absent: unchanged; given: replaces. */
  readonly statusDetails?: StatusDetails;
  /** Refused with `VersionMismatch` when the execution has moved on. */
  readonly expectedVersion?: number;
  readonly executionNumber?: number;
  /** Restarts the step timer; minutes, 1..10080, −1 ends it. */
  readonly stepTimeoutInMinutes?: number;
}

export interface StartNext {
  readonly stepTimeoutInMinutes?: number;
  readonly statusDetails?: StatusDetails;
}

/** The device's end: one connection, the things that speak through it. Every call may fail with RemoteRefused or JobRefused. */
export interface DeviceJobs {
  /** The next job to do (one in progress first), or null. */
  next(thing: ThingName): Promise<PendingJob | null>;
  /** Takes the next job: QUEUED becomes IN_PROGRESS; one in progress is given again. */
  startNext(thing: ThingName, options?: StartNext): Promise<PendingJob | null>;
  /** @throws JobRefused with AWS's reason. */
  update(thing: ThingName, jobId: string, update: ExecutionUpdate): Promise<void>;
  /** Told when another job has become the next one, and after every reconnect. */
  onNext(thing: ThingName, notified: () => void): Promise<void>;
}

/**
 * The service's side of the device plane: MQTT and HTTP call the same. Answers are of what is committed; a change is durable when
 * it resolves. Every call may throw JobRefused (`reason` is the MQTT code) or StoreUnavailable.
 */
export interface JobsDevice {
  /** In progress first, then by the time of queueing; all of them (a notification shows 15). */
  pending(thing: ThingName): Promise<readonly JobExecution[]>;
  /**
   * @param jobId or `$next`; null for `$next` when nothing is pending
   * @throws JobRefused ResourceNotFound, TerminalStateReached (with `executionState`)
   */
  describe(thing: ThingName, jobId: string, executionNumber?: number): Promise<DescribedExecution | null>;
  /** @param clientToken a request repeated with the same one gets the same answer and changes nothing */
  startNext(thing: ThingName, options?: StartNext & { readonly clientToken?: string }): Promise<DescribedExecution | null>;
  /** @throws JobRefused InvalidRequest, ResourceNotFound, VersionMismatch, InvalidStateTransition */
  update(thing: ThingName, jobId: string, update: ExecutionUpdate & { readonly clientToken?: string }): Promise<JobExecution>;
  /** The document with presigned URLs made anew; text of a JSON object. */
  document(jobId: string): Promise<string>;
}

export interface DescribedExecution extends JobExecution {
  /** With presigned URLs made at this read: an object of JSON. */
  readonly document: Readonly<Record<string, unknown>>;
  /** The same as text, as HTTP carries it. */
  readonly documentText: string;
}

/** Notifications of the device plane, after the commit they tell of. */
export interface JobNotifications {
  /** The list of pending executions has changed: at most 15 of them. */
  list(thing: ThingName, pending: readonly JobExecution[]): void;
  /** Another execution is the next one, or none is. */
  next(thing: ThingName, next: DescribedExecution | null): void;
  /** `$aws/events/job/…`, `$aws/events/jobExecution/…`: only kinds that are switched on. */
  event?(topic: string, body: Readonly<Record<string, unknown>>): void;
}

export type FailureType = 'FAILED' | 'REJECTED' | 'TIMED_OUT' | 'ALL';

export interface RolloutConfig {
  /** 1..1000. Absent: as fast as the service can. */
  readonly maximumPerMinute?: number;
  readonly exponentialRate?: {
    /** 1..1000 */
    readonly baseRatePerMinute: number;
    /** 1.1..5, one decimal */
    readonly incrementFactor: number;
    /** Exactly one of the two, ≥ 1. */
    readonly rateIncreaseCriteria: { readonly numberOfNotifiedThings?: number; readonly numberOfSucceededThings?: number };
  };
}

export interface AbortCriterion {
  readonly failureType: FailureType;
  readonly action: 'CANCEL';
  /** > 0, ≤ 100, two decimals */
  readonly thresholdPercentage: number;
  /** ≥ 1 */
  readonly minNumberOfExecutedThings: number;
}

export interface RetryCriterion {
  readonly failureType: 'FAILED' | 'TIMED_OUT' | 'ALL';
  /** 0..10 */
  readonly numberOfRetries: number;
}

export interface MaintenanceWindow {
  /** AWS's cron of six fields in UTC, `cron(0 18 ? * MON *)`. */
  readonly startTime: string;
  /** 1..1430 */
  readonly durationInMinutes: number;
}

export interface SchedulingConfig {
  /** `2026-01-31 18:00`, with `T`, seconds or `Z` as well: UTC. */
  readonly startTime?: string;
  readonly endTime?: string;
  readonly endBehavior?: 'STOP_ROLLOUT' | 'CANCEL' | 'FORCE_CANCEL';
  readonly maintenanceWindows?: readonly MaintenanceWindow[];
}

/** What a job and a job template have in common and UpdateJob may change. */
export interface JobSettings {
  readonly description?: string;
  readonly presignedUrlConfig?: { readonly roleArn?: string; readonly expiresInSec?: number };
  readonly jobExecutionsRolloutConfig?: RolloutConfig;
  readonly abortConfig?: { readonly criteriaList: readonly AbortCriterion[] };
  readonly timeoutConfig?: { readonly inProgressTimeoutInMinutes?: number };
  readonly jobExecutionsRetryConfig?: { readonly criteriaList: readonly RetryCriterion[] };
}

export interface Tag {
  readonly Key: string;
  readonly Value?: string;
}

export interface NewJob extends JobSettings {
  /** 1..64 of `[a-zA-Z0-9_-]`. */
  readonly jobId: string;
  /** 1..100 things and groups: ARNs, or bare names as the registry knows them. */
  readonly targets: readonly string[];
  /** Resolved already: the things that get an execution. Absent: the service asks the registry. Only for SNAPSHOT. */
  readonly things?: readonly ThingName[];
  /** A JSON object, or its text, ≤ 32768 bytes. One of `document`, `documentSource`, `jobTemplateArn`. */
  readonly document?: Readonly<Record<string, unknown>> | string;
  /** Where the document lies in S3: `https://s3.<region>.amazonaws.com/<bucket>/<key>` or with the bucket in the host. */
  readonly documentSource?: string;
  /** What `${aws:iot:parameter:<key>}` in the document stands for. */
  readonly documentParameters?: Readonly<Record<string, string>>;
  readonly targetSelection?: 'CONTINUOUS' | 'SNAPSHOT';
  readonly schedulingConfig?: SchedulingConfig;
  /** `arn:…:jobtemplate/<id>` or `<id>`: what is absent here is taken from there. */
  readonly jobTemplateArn?: string;
  readonly namespaceId?: string;
  readonly destinationPackageVersions?: readonly string[];
  readonly tags?: readonly Tag[];
  /** Short for `timeoutConfig`. */
  readonly inProgressTimeoutInMinutes?: number;
}

/** Things by what became of their latest execution; QUEUED counts those whose turn in the rollout has not come, too. The sum is the targets. */
export type JobCounts = Readonly<Record<ExecutionStatus, number>>;

export interface Job extends JobSettings {
  readonly jobId: string;
  readonly status: JobStatus;
  readonly targetSelection: 'CONTINUOUS' | 'SNAPSHOT';
  /** Things and groups, as they were given. */
  readonly targets: readonly string[];
  /** Before any substitution. */
  readonly document: Readonly<Record<string, unknown>>;
  readonly documentSource?: string;
  readonly documentParameters?: Readonly<Record<string, string>>;
  readonly description: string;
  readonly createdAt: Millis;
  readonly lastUpdatedAt: Millis;
  readonly completedAt: Millis | null;
  readonly reasonCode?: string;
  readonly comment?: string;
  readonly forceCanceled: boolean;
  readonly counts: JobCounts;
  /** Targets of a rollout that still goes on; empty once every thing has been notified. */
  readonly processingTargets: readonly string[];
  readonly schedulingConfig?: SchedulingConfig;
  /** Starts of the next maintenance windows, seven at most. */
  readonly scheduledJobRollouts: readonly Millis[];
  readonly jobTemplateArn?: string;
  readonly namespaceId?: string;
  readonly destinationPackageVersions?: readonly string[];
  readonly tags?: readonly Tag[];
}

export interface JobTemplate extends JobSettings {
  readonly jobTemplateId: string;
  readonly description: string;
  /** Text of a JSON object. */
  readonly document: string;
  readonly documentSource?: string;
  readonly maintenanceWindows?: readonly MaintenanceWindow[];
  readonly destinationPackageVersions?: readonly string[];
  readonly tags?: readonly Tag[];
  readonly createdAt: Millis;
}

export interface NewJobTemplate extends JobSettings {
  readonly jobTemplateId: string;
  readonly description: string;
  /** A job to copy from: its id or ARN. */
  readonly jobArn?: string;
  readonly document?: string;
  readonly documentSource?: string;
  readonly maintenanceWindows?: readonly MaintenanceWindow[];
  readonly destinationPackageVersions?: readonly string[];
  readonly tags?: readonly Tag[];
}

/** A page; `next` goes back in as `after` for the following one, null at the end. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export interface Paging {
  readonly after?: string;
  /** 1..250, 250 when absent. */
  readonly limit?: number;
}

/** The operator's end of the job service. Changes are durable when they resolve. */
export interface JobsControl {
  /** @throws JobRefused InvalidRequest, ResourceNotFound (a target), ResourceAlreadyExists, LimitExceeded */
  create(job: NewJob): Promise<Job>;
  /** @throws JobRefused `ResourceNotFound`, as everything below that names a job */
  describe(jobId: string): Promise<Job>;
  /** Newest first. */
  list(): Promise<readonly Job[]>;
  /** Newest first, a page at a time. `thingGroup` is a target as it was given, or the last part of its ARN. */
  page(
    query: Paging & {
      readonly status?: JobStatus;
      readonly targetSelection?: 'CONTINUOUS' | 'SNAPSHOT';
      readonly thingGroup?: string;
      readonly namespaceId?: string;
    },
  ): Promise<Page<Job>>;
  /** The latest execution of every thing, in the order of things' names. @param options.limit so many; absent: however many there are */
  executions(jobId: string, options?: { readonly limit?: number }): Promise<readonly JobExecution[]>;
  /** ListJobExecutionsForJob: by thing, then number. */
  executionsOfJob(jobId: string, query?: Paging & { readonly status?: ExecutionStatus }): Promise<Page<JobExecution>>;
  /** ListJobExecutionsForThing: newest job first. */
  executionsOfThing(
    thing: ThingName,
    query?: Paging & { readonly status?: ExecutionStatus; readonly jobId?: string; readonly namespaceId?: string },
  ): Promise<Page<JobExecution>>;
  /** DescribeJobExecution of the control plane: terminal ones too. The latest without a number. */
  describeExecution(thing: ThingName, jobId: string, executionNumber?: number): Promise<JobExecution>;
  /** GetJobDocument. @param beforeSubstitution as it was given; otherwise with parameters and fresh presigned URLs */
  document(jobId: string, options?: { readonly beforeSubstitution?: boolean }): Promise<string>;
  /** UpdateJob: what is given replaces. @throws JobRefused InvalidRequest, also for a job that is over */
  update(jobId: string, settings: JobSettings): Promise<void>;
  /**
   * QUEUED executions become CANCELED; with `force` those in progress too.
   * @throws JobRefused InvalidStateTransition when it is over already (CancelJob models it as InvalidRequest)
   */
  cancel(jobId: string, options?: { readonly force?: boolean; readonly reasonCode?: string; readonly comment?: string }): Promise<Job>;
  /** Resolves once DELETION_IN_PROGRESS; it is gone a little later. @throws JobRefused InvalidStateTransition without `force` while it runs; LimitExceeded over 10 at once */
  remove(jobId: string, options?: { readonly force?: boolean }): Promise<void>;
  /** AssociateTargetsWithJob: CONTINUOUS jobs that go on; 100 targets in all. */
  associate(jobId: string, targets: readonly string[], options?: { readonly comment?: string }): Promise<Job>;
  /** @throws JobRefused InvalidStateTransition, VersionConflict */
  cancelExecution(
    thing: ThingName,
    jobId: string,
    options?: { readonly force?: boolean; readonly expectedVersion?: number; readonly statusDetails?: StatusDetails },
  ): Promise<void>;
  /** @throws JobRefused InvalidStateTransition for one that is not terminal, without `force` */
  removeExecution(thing: ThingName, jobId: string, executionNumber: number, options?: { readonly force?: boolean }): Promise<void>;
  /** @throws JobRefused InvalidRequest, Conflict (there is one), ResourceNotFound (the job), LimitExceeded */
  createTemplate(template: NewJobTemplate): Promise<JobTemplate>;
  describeTemplate(jobTemplateId: string): Promise<JobTemplate>;
  /** By id. */
  pageTemplates(query?: Paging): Promise<Page<JobTemplate>>;
  removeTemplate(jobTemplateId: string): Promise<void>;
  /** DescribeEventConfigurations: AWS's event types (`JOB`, `JOB_EXECUTION`, `THING`, …), all off at first. */
  eventConfigurations(): Promise<EventConfigurations>;
  /** What is given replaces. @throws JobRefused InvalidRequest for a type there is not */
  updateEventConfigurations(changes: Readonly<Record<string, boolean>>): Promise<void>;
  /** Heard after each durable change, in order. */
  onChange(changed: (change: JobExecution | Job) => void): void;
}

export interface EventConfigurations {
  readonly enabled: Readonly<Record<string, boolean>>;
  readonly createdAt: Millis | null;
  readonly lastUpdatedAt: Millis | null;
}

/** A thing's place among groups has changed, or the thing is there no more. Sent after it is durable in the registry. */
export interface MembershipChange {
  readonly thing: ThingName;
  /** `groups`: it has joined or left some, itself or by nesting. */
  readonly change: 'groups' | 'deleted';
}

/** What the job service asks of the registry. A target is an ARN `…:thing/<name>`, `…:thinggroup/<name>`, or a bare name. */
export interface JobTargets {
  /** The things a target stands for now, nested groups included. @throws JobRefused ResourceNotFound, NotFound */
  membersOf(target: string): readonly ThingName[];
  /** Whether a thing is one of them; false for a target there is not. */
  includes(target: string, thing: ThingName): boolean;
  onMembership(heard: (change: MembershipChange) => void): void;
}

/** What the job service asks of the object store. */
export interface JobObjects {
  /** A URL that reads one object for a while, without further credentials. */
  presign(bucket: string, key: string, expiresInSec: number): string;
  /** The text of a document; null when there is no such object. */
  read(bucket: string, key: string): Promise<string | null>;
}
