/** Jobs in a libsql file: write-ahead log, synced at every commit; saves that wait together are one transaction. */
import Database from 'libsql';
import { StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { Execution } from './executions.ts';
import type { JobStore, StoredJob } from './store.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS jobs (jobId TEXT PRIMARY KEY, body TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS executions (jobId TEXT NOT NULL, thing TEXT NOT NULL, executionNumber INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (jobId, thing, executionNumber));
`;

interface Waiting {
  readonly jobs: readonly StoredJob[];
  readonly executions: readonly Execution[];
  readonly saved: () => void;
  readonly failed: (error: unknown) => void;
}

/** @throws StoreUnavailable when the file cannot be opened. */
export function libsqlJobStore(file: string): JobStore {
  let db: Database.Database;
  try {
    db = new Database(file);
    db.exec('PRAGMA journal_mode = WAL');
    db.exec('PRAGMA synchronous = FULL');
    db.exec(SCHEMA);
  } catch (error) {
    throw new StoreUnavailable(`the job store ${file} cannot be opened`, {
      cause: error,
      hint: 'is another farm using this data folder? choose another with --data',
    });
  }
  const putJob = db.prepare('INSERT OR REPLACE INTO jobs VALUES (?, ?)');
  const putExecution = db.prepare('INSERT OR REPLACE INTO executions VALUES (?, ?, ?, ?)');
  let waiting: Waiting[] = [];

  const commit = () => {
    const group = waiting;
    waiting = [];
    try {
      db.exec('BEGIN');
      for (const { jobs, executions } of group) {
        for (const job of jobs) putJob.run(job.jobId, JSON.stringify(job));
        for (const execution of executions)
          putExecution.run(execution.jobId, execution.thing, execution.executionNumber, JSON.stringify(execution));
      }
      db.exec('COMMIT');
      for (const { saved } of group) saved();
    } catch (error) {
      if (db.inTransaction) db.exec('ROLLBACK');
      for (const { failed } of group)
        failed(new StoreUnavailable('the job store did not take a change', { cause: error, hint: 'is the disk full?' }));
    }
  };

  return {
    async load() {
      const bodies = (table: 'jobs' | 'executions') =>
        (db.prepare(`SELECT body FROM ${table}`).all() as { body: string }[]).map(({ body }) => JSON.parse(body));
      return { jobs: bodies('jobs') as StoredJob[], executions: bodies('executions') as Execution[] };
    },
    save: ({ jobs, executions }) =>
      new Promise((saved, failed) => {
        if (waiting.push({ jobs, executions, saved, failed }) === 1) setImmediate(commit);
      }),
    async close() {
      if (waiting.length > 0) commit();
      db.close();
    },
  };
}
