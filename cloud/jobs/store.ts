/**
 * Where jobs outlive the process. A commit is one transaction, and the service gathers what waits into one. What `commit` has returned
 * from is read by whoever asks next and survives a kill; a loss of power, too, once the store's log has been synced after it.
 */
import type { StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { ExecutionStatus, JobTemplate } from '../../actors/contracts/jobs.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { Execution } from './executions.ts';
import type { JobRecord } from './record.ts';

/** Things of a rollout, in its order, so many a row. */
export const TARGETS_IN_CHUNK = 1_000;

/** An answer that is given again when its request comes again. */
export interface Answer {
  /** A place in a ring: the oldest is overwritten. */
  readonly slot: number;
  readonly request: string;
  readonly execution: Execution;
}

export interface Settings {
  readonly events: {
    readonly enabled: Readonly<Record<string, boolean>>;
    readonly createdAt: Millis | null;
    readonly lastUpdatedAt: Millis | null;
  };
}

/** What one transaction writes. */
export interface Changes {
  /** By key; `config` is written for those in `configured` only. */
  readonly jobs: Map<number, JobRecord>;
  readonly configured: Set<number>;
  readonly removedJobs: Set<number>;
  readonly targets: { readonly job: number; readonly chunk: number; readonly things: readonly ThingName[] }[];
  /** Jobs whose rollout is over: their targets are forgotten. */
  readonly rolledOut: Set<number>;
  /** By job, thing and number. */
  readonly executions: Map<string, { readonly job: number; readonly execution: Execution }>;
  readonly removedExecutions: Map<string, { readonly job: number; readonly thing: ThingName; readonly executionNumber: number }>;
  readonly answers: Answer[];
  readonly templates: Map<string, JobTemplate | null>;
  settings: Settings | null;
}

export const noChanges = (): Changes => ({
  jobs: new Map(),
  configured: new Set(),
  removedJobs: new Set(),
  targets: [],
  rolledOut: new Set(),
  executions: new Map(),
  removedExecutions: new Map(),
  answers: [],
  templates: new Map(),
  settings: null,
});

export interface OfJob {
  readonly status?: readonly ExecutionStatus[];
  /** Only those that wait for a maintenance window. */
  readonly held?: boolean;
  /** Only the latest attempt of each thing. */
  readonly latest?: boolean;
  readonly after?: { readonly thing: ThingName; readonly executionNumber: number };
  readonly limit: number;
}

/** The write-ahead log of a store whose commits do not wait for the disk. */
export interface StoreLog {
  /** Calls back once every commit before this call is durable, or with the reason when that cannot be said. Several may be under way. */
  sync(done: (lost: StoreUnavailable | null) => void): void;
  /** Blocks until then. @throws StoreUnavailable */
  syncNow(): void;
}

/** Every call may throw StoreUnavailable; none sees what is not committed. */
export interface JobStore {
  /** `turn`: changes of one turn of the event loop share a commit. `now`: within the instant, for virtual time. */
  readonly commits: 'turn' | 'now';
  commit(changes: Changes): void;
  /** Absent: what `commit` has returned from is durable. */
  readonly log?: StoreLog;
  jobs(): JobRecord[];
  templates(): JobTemplate[];
  settings(): Settings | null;
  answers(): Answer[];
  targets(job: number, chunk: number): readonly ThingName[];
  /** The pending executions of each thing, held ones included; things without any are not in it. */
  pendingOf(things: readonly ThingName[]): Map<ThingName, Execution[]>;
  /** The one of that number, or the latest. */
  find(job: number, thing: ThingName, executionNumber?: number): Execution | null;
  /** By thing, then number. */
  ofJob(job: number, query: OfJob): Execution[];
  /** Of every job, the newest job first. */
  ofThing(thing: ThingName): Execution[];
  /** Things of a job that have an execution. @param gone only those with one that is REMOVED, or that have left since */
  thingsOf(job: number, only?: { readonly gone: boolean }): ThingName[];
  /** Those whose timer has run out, the earliest first. */
  due(at: Millis, limit: number): Execution[];
  nextDue(): Millis | null;
  close(): void;
}
