/** Brings a job store's file to the present schema. Version 1 kept a JSON body a job and an execution. */
import type Database from 'libsql';
import { StoreUnavailable } from '../../actors/contracts/errors.ts';
import { isTerminal, type JobExecution, type JobStatus } from '../../actors/contracts/jobs.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { type JobConfig, type JobState, newRecord } from './record.ts';
import { NO_SCHEDULE } from './schedule.ts';

const VERSION = 2;

interface FirstJob {
  readonly jobId: string;
  readonly status: JobStatus;
  readonly targets: readonly string[];
  readonly document: object;
  readonly description: string;
  readonly createdAt: Millis;
  readonly lastUpdatedAt: Millis;
  readonly completedAt: Millis | null;
  readonly inProgressTimeoutInMinutes: number | null;
}

type FirstExecution = JobExecution & { readonly inProgressDeadline: Millis | null; readonly stepDeadline: Millis | null };

/** @throws StoreUnavailable for a file of a later version */
export function migrate(db: Database.Database, schema: string): void {
  const [[version]] = db.prepare('PRAGMA user_version').raw().all([]) as [number][];
  if (version > VERSION) throw new StoreUnavailable(`the job store is of version ${version}, this windfleet knows ${VERSION}`);
  if (version === VERSION) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    db.exec(schema);
    const old = db.prepare("SELECT name FROM sqlite_master WHERE name = 'executions'").raw().all([]);
    if (old.length > 0) fromFirst(db);
    db.exec(`PRAGMA user_version = ${VERSION}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function fromFirst(db: Database.Database): void {
  const bodies = <T>(table: string) =>
    (db.prepare(`SELECT body FROM ${table}`).raw().all([]) as [string][]).map(([body]) => JSON.parse(body) as T);
  const jobs = bodies<FirstJob>('jobs').sort((a, b) => a.createdAt - b.createdAt);
  const executions = new Map<string, FirstExecution[]>();
  for (const one of bodies<FirstExecution>('executions')) executions.set(one.jobId, [...(executions.get(one.jobId) ?? []), one]);
  const putJob = db.prepare('INSERT INTO job VALUES (?, ?, ?, ?)');
  const putExecution = db.prepare('INSERT INTO execution VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0, 0, 0, 0)');
  const codes = ['QUEUED', 'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'REJECTED', 'REMOVED', 'CANCELED'];

  for (const [i, job] of jobs.entries()) {
    const own = executions.get(job.jobId) ?? [];
    const { jobId, targets, description, createdAt, inProgressTimeoutInMinutes: minutes } = job;
    const config: JobConfig = {
      jobId,
      targets,
      targetSelection: 'SNAPSHOT',
      description,
      document: JSON.stringify(job.document),
      createdAt,
      ...(minutes === null ? {} : { timeoutConfig: { inProgressTimeoutInMinutes: minutes } }),
    };
    const state: JobState = newRecord(i + 1, config, NO_SCHEDULE, 0).state;
    state.status = job.status;
    state.lastUpdatedAt = job.lastUpdatedAt;
    state.completedAt = job.completedAt;
    state.notified = own.length;
    for (const { status } of own) state.counts[status]++;
    putJob.run([i + 1, jobId, JSON.stringify(config), JSON.stringify(state)]);
    for (const one of own) {
      const deadline = Math.min(one.inProgressDeadline ?? Infinity, one.stepDeadline ?? Infinity);
      putExecution.run([
        i + 1,
        one.thing,
        one.executionNumber,
        codes.indexOf(one.status),
        one.versionNumber,
        Object.keys(one.statusDetails).length === 0 ? null : JSON.stringify(one.statusDetails),
        one.queuedAt,
        one.startedAt,
        one.lastUpdatedAt,
        one.inProgressDeadline,
        one.stepDeadline,
        isTerminal(one.status) || deadline === Infinity ? null : deadline,
      ]);
    }
  }
  db.exec('DROP TABLE jobs');
  db.exec('DROP TABLE executions');
}
