/**
 * Jobs in a libsql file: write-ahead log, synced after every commit beside the event loop. Executions are rows of plain columns; what a
 * job ordered and how far it is are two texts a job. Instants are epoch milliseconds.
 */
import Database from 'libsql';
import { StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { ExecutionStatus, JobTemplate } from '../../actors/contracts/jobs.ts';
import { type Execution, NO_DETAILS, NO_RETRIES } from './executions.ts';
import { migrate } from './libsql-migrate.ts';
import { type LogSync, openLogSync } from './log-sync.ts';
import { type JobConfig, type JobRecord, type JobState, storedRecord } from './record.ts';
import type { Changes, JobStore, OfJob, Settings, StoreLog } from './store.ts';

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS job (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, config TEXT NOT NULL, state TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS target (job INTEGER NOT NULL, chunk INTEGER NOT NULL, things TEXT NOT NULL, PRIMARY KEY (job, chunk)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS execution (
    job INTEGER NOT NULL, thing TEXT NOT NULL, number INTEGER NOT NULL,
    status INTEGER NOT NULL, version INTEGER NOT NULL, details TEXT,
    queuedAt INTEGER NOT NULL, startedAt INTEGER, updatedAt INTEGER NOT NULL,
    inProgressDeadline INTEGER, stepDeadline INTEGER, timesOutAt INTEGER,
    failedRetries INTEGER NOT NULL, timedOutRetries INTEGER NOT NULL, failedBits INTEGER NOT NULL,
    held INTEGER NOT NULL, leftTargets INTEGER NOT NULL, forced INTEGER NOT NULL,
    PRIMARY KEY (job, thing, number)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS execution_of_thing ON execution (thing);
  CREATE INDEX IF NOT EXISTS execution_due ON execution (timesOutAt) WHERE timesOutAt IS NOT NULL;
  CREATE INDEX IF NOT EXISTS execution_held ON execution (job, thing) WHERE held = 1;
  CREATE TABLE IF NOT EXISTS answer (slot INTEGER PRIMARY KEY, request TEXT NOT NULL, job TEXT NOT NULL, execution TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS template (id TEXT PRIMARY KEY, body TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, body TEXT NOT NULL);
`;

/** In the order of their numbers in the file: never reorder. Below 2: not terminal. */
const STATUSES: readonly ExecutionStatus[] = [
  'QUEUED',
  'IN_PROGRESS',
  'SUCCEEDED',
  'FAILED',
  'TIMED_OUT',
  'REJECTED',
  'REMOVED',
  'CANCELED',
];
const CODES = new Map(STATUSES.map((status, code) => [status, code]));

const COLUMNS =
  'job, thing, number, status, version, details, queuedAt, startedAt, updatedAt, inProgressDeadline, stepDeadline, timesOutAt, failedRetries, timedOutRetries, failedBits, held, leftTargets, forced';
const CHANGING = COLUMNS.split(', ').slice(3); // without the key

type Row = [
  job: number,
  thing: string,
  number: number,
  status: number,
  version: number,
  details: string | null,
  queuedAt: number,
  startedAt: number | null,
  updatedAt: number,
  inProgressDeadline: number | null,
  stepDeadline: number | null,
  timesOutAt: number | null,
  failedRetries: number,
  timedOutRetries: number,
  failedBits: number,
  held: number,
  leftTargets: number,
  forced: number,
];

const BUSY_MS = 5_000; // a process that was killed a moment ago may hold the file still

/** For virtual time: nothing outlives the process. */
export const memoryJobStore = (): JobStore => openStore(':memory:', 'now', null);

/** @param openLog what syncs its write-ahead log. @throws StoreUnavailable when the file cannot be opened. */
export const libsqlJobStore = (file: string, openLog: (file: string) => LogSync = openLogSync): LibsqlJobStore =>
  openStore(file, 'turn', openLog(`${file}-wal`));

export interface LibsqlJobStore extends JobStore {
  /** The file grows no further than to so many pages of 4096 bytes, as on a full disk; null: as far as it can. */
  limitPages(pages: number | null): void;
}

function openStore(file: string, commits: JobStore['commits'], logSync: LogSync | null): LibsqlJobStore {
  let db: Database.Database;
  try {
    db = new Database(file);
    db.exec(`PRAGMA busy_timeout = ${BUSY_MS}`);
    db.exec('PRAGMA journal_mode = WAL');
    db.exec('PRAGMA synchronous = NORMAL'); // checkpoints and a log begun anew are synced by SQLite, what a commit appends by `log`
    db.exec('PRAGMA wal_autocheckpoint = 8000'); // pages: a checkpoint keeps a group waiting, so few groups should have one
    db.exec('PRAGMA cache_size = -65536');
    migrate(db, SCHEMA);
  } catch (error) {
    throw new StoreUnavailable(`the job store ${file} cannot be opened`, {
      cause: error,
      hint: 'is another farm using this data folder? choose another with --data',
    });
  }

  const ids = new Map<number, string>(); // of jobs, by key
  const putJob = db.prepare(
    'INSERT INTO job VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET config = excluded.config, state = excluded.state',
  );
  const putState = db.prepare('UPDATE job SET state = ? WHERE key = ?');
  const dropJob = db.prepare('DELETE FROM job WHERE key = ?');
  const putTargets = db.prepare('INSERT INTO target VALUES (?, ?, ?)');
  const dropTargets = db.prepare('DELETE FROM target WHERE job = ?');
  // an upsert leaves the index of things alone, which a replacement would write anew
  const putExecution = db.prepare(
    `INSERT INTO execution (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (job, thing, number) DO UPDATE SET ${CHANGING.map((name) => `${name} = excluded.${name}`).join()}`,
  );
  const dropExecution = db.prepare('DELETE FROM execution WHERE job = ? AND thing = ? AND number = ?');
  const putAnswer = db.prepare('INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?)');
  const putTemplate = db.prepare('INSERT OR REPLACE INTO template VALUES (?, ?)');
  const dropTemplate = db.prepare('DELETE FROM template WHERE id = ?');
  const putSetting = db.prepare('INSERT OR REPLACE INTO setting VALUES (?, ?)');

  const dataVersion = db.prepare('PRAGMA data_version').raw(); // moves when another connection commits
  const versionNow = () => (dataVersion.all([]) as [number][])[0][0];
  let seen = versionNow();

  const write = (changes: Changes) => {
    for (const key of changes.removedJobs) {
      dropJob.run([key]);
      dropTargets.run([key]);
    }
    for (const [key, record] of changes.jobs) {
      if (changes.removedJobs.has(key)) continue;
      if (changes.configured.has(key)) putJob.run([key, record.config.jobId, JSON.stringify(record.config), JSON.stringify(record.state)]);
      else putState.run([JSON.stringify(record.state), key]);
    }
    for (const { job, chunk, things } of changes.targets) putTargets.run([job, chunk, JSON.stringify(things)]);
    for (const job of changes.rolledOut) dropTargets.run([job]);
    for (const { job, thing, executionNumber } of changes.removedExecutions.values()) dropExecution.run([job, thing, executionNumber]);
    for (const { job, execution } of changes.executions.values()) putExecution.run(rowOf(job, execution));
    for (const { slot, request, execution } of changes.answers)
      putAnswer.run([slot, request, execution.jobId, JSON.stringify({ ...execution, jobId: undefined })]);
    for (const [id, template] of changes.templates) template ? putTemplate.run([id, JSON.stringify(template)]) : dropTemplate.run([id]);
    if (changes.settings) putSetting.run(['settings', JSON.stringify(changes.settings)]);
  };

  const executionOf = (row: Row): Execution => ({
    jobId: ids.get(row[0]) ?? '',
    thing: row[1],
    status: STATUSES[row[3]],
    statusDetails: row[5] === null ? NO_DETAILS : JSON.parse(row[5]),
    executionNumber: row[2],
    versionNumber: row[4],
    queuedAt: row[6],
    startedAt: row[7],
    lastUpdatedAt: row[8],
    retryAttempt: row[12] + row[13],
    forceCanceled: row[17] === 1,
    timesOutAt: row[11],
    inProgressDeadline: row[9],
    stepDeadline: row[10],
    held: row[15] === 1,
    left: row[16] === 1,
    retriesUsed: row[12] === 0 && row[13] === 0 ? NO_RETRIES : { failed: row[12], timedOut: row[13] },
    failedBits: row[14],
  });
  const select = (rest: string) => db.prepare(`SELECT ${COLUMNS} FROM execution ${rest}`).raw();
  const pendingOfOne = select('WHERE thing = ? AND status < 2');
  const pendingOfMany = select('WHERE thing IN (SELECT value FROM json_each(?)) AND status < 2');
  const findNumber = select('WHERE job = ? AND thing = ? AND number = ?');
  const findLatest = select('WHERE job = ? AND thing = ? ORDER BY number DESC LIMIT 1');
  const dueNow = select('WHERE timesOutAt IS NOT NULL AND timesOutAt <= ? ORDER BY timesOutAt, thing, job LIMIT ?');
  const ofThing = select('WHERE thing = ? ORDER BY job DESC, number DESC');
  const nextDue = db.prepare('SELECT timesOutAt FROM execution WHERE timesOutAt IS NOT NULL ORDER BY timesOutAt LIMIT 1').raw();
  const rows = (statement: Database.Statement<unknown[]>, ...bound: unknown[]) => statement.all(bound) as Row[];
  const bodies = <T>(table: 'template' | 'setting', where = '') =>
    (db.prepare(`SELECT body FROM ${table} ${where}`).raw().all([]) as [string][]).map(([body]) => JSON.parse(body) as T);
  /** What a damaged or vanished file throws, as the service knows it. */
  const guarded = <T>(what: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new StoreUnavailable(`the job store did not ${what}`, { cause: error, hint: 'is the disk full, or the data folder gone?' });
    }
  };

  let torn = false; // a sync has failed: what the log lacks on the disk is known to nobody
  const notSynced = (cause: unknown) => {
    torn = true;
    return new StoreUnavailable('the job store cannot say that a change is on the disk', { cause, hint: 'is the disk failing?' });
  };
  /** What is committed is still in memory: it goes to the file itself, and the log begins anew. */
  const mend = () => {
    const [[busy]] = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').raw().all([]) as [number, number, number][];
    if (busy !== 0) throw new Error('the log cannot be written to the file while somebody reads it');
    torn = false;
  };
  const log: StoreLog | null = logSync && {
    sync: (done) => logSync.sync((error) => done(error ? notSynced(error) : null)),
    syncNow() {
      try {
        logSync.syncNow();
      } catch (error) {
        throw notSynced(error);
      }
    },
  };

  return {
    commits,
    ...(log ? { log } : {}),
    commit: (changes) =>
      guarded('take a change', () => {
        if (torn) mend();
        db.exec('BEGIN IMMEDIATE');
        try {
          const version = versionNow();
          if (version !== seen) {
            seen = version; // what is in memory may be wrong: it is read again before anything is written
            throw new Error('another process has written to it');
          }
          write(changes);
          db.exec('COMMIT');
        } catch (error) {
          if (db.inTransaction) db.exec('ROLLBACK');
          throw error;
        }
        for (const [key, record] of changes.jobs) ids.set(key, record.config.jobId);
      }),
    jobs: () =>
      guarded('give its jobs', () => {
        ids.clear();
        return (db.prepare('SELECT key, config, state FROM job ORDER BY key').raw().all([]) as [number, string, string][]).map(
          ([key, configText, stateText]): JobRecord => {
            const config = JSON.parse(configText) as JobConfig;
            ids.set(key, config.jobId);
            return storedRecord(key, config, JSON.parse(stateText) as JobState);
          },
        );
      }),
    templates: () => guarded('give its templates', () => bodies<JobTemplate>('template', 'ORDER BY id')),
    settings: () => guarded('give its settings', () => bodies<Settings>('setting')[0] ?? null),
    answers: () =>
      guarded('give its answers', () =>
        (db.prepare('SELECT slot, request, job, execution FROM answer').raw().all([]) as [number, string, string, string][]).map(
          ([slot, request, jobId, execution]) => ({ slot, request, execution: { ...(JSON.parse(execution) as Execution), jobId } }),
        ),
      ),
    targets: (job, chunk) =>
      guarded('give the targets of a job', () => {
        const [found] = db.prepare('SELECT things FROM target WHERE job = ? AND chunk = ?').raw().all([job, chunk]) as [string][];
        return found ? (JSON.parse(found[0]) as ThingName[]) : [];
      }),
    pendingOf: (things) =>
      guarded('give what is pending', () => {
        const found = new Map<ThingName, Execution[]>();
        const all = things.length === 1 ? rows(pendingOfOne, things[0]) : rows(pendingOfMany, JSON.stringify(things));
        for (const row of all) {
          const execution = executionOf(row);
          const list = found.get(execution.thing);
          if (list) list.push(execution);
          else found.set(execution.thing, [execution]);
        }
        return found;
      }),
    find: (job, thing, executionNumber) =>
      guarded('give an execution', () => {
        const [row] = executionNumber === undefined ? rows(findLatest, job, thing) : rows(findNumber, job, thing, executionNumber);
        return row ? executionOf(row) : null;
      }),
    ofJob: (job, { status, held = false, latest = false, after, limit }: OfJob) =>
      guarded('give the executions of a job', () => {
        const where = ['job = ?', ...(after ? ['(thing, number) > (?, ?)'] : [])];
        if (status) where.push(`status IN (${status.map((one) => CODES.get(one)).join()})`);
        if (held) where.push('held = 1');
        if (latest)
          where.push(
            'NOT EXISTS (SELECT 1 FROM execution AS later WHERE later.job = execution.job AND later.thing = execution.thing AND later.number > execution.number)',
          );
        const bound = [job, ...(after ? [after.thing, after.executionNumber] : []), limit];
        return rows(select(`WHERE ${where.join(' AND ')} ORDER BY thing, number LIMIT ?`), ...bound).map(executionOf);
      }),
    ofThing: (thing) => guarded('give the executions of a thing', () => rows(ofThing, thing).map(executionOf)),
    thingsOf: (job, { gone } = { gone: false }) =>
      guarded('give the things of a job', () => {
        const only = gone ? `AND (leftTargets = 1 OR status = ${CODES.get('REMOVED')})` : '';
        const all = db.prepare(`SELECT DISTINCT thing FROM execution WHERE job = ? ${only}`).raw().all([job]) as [string][];
        return all.map(([thing]) => thing);
      }),
    due: (at, limit) => guarded('give what is due', () => rows(dueNow, at, limit).map(executionOf)),
    nextDue: () => guarded('give what is due', () => (nextDue.all([]) as [number][])[0]?.[0] ?? null),
    limitPages: (pages) => {
      db.exec(`PRAGMA max_page_count = ${pages ?? 4_294_967_294}`);
    },
    close() {
      logSync?.close();
      db.close();
    },
  };
}

const rowOf = (job: number, execution: Execution): Row => [
  job,
  execution.thing,
  execution.executionNumber,
  CODES.get(execution.status)!,
  execution.versionNumber,
  execution.statusDetails === NO_DETAILS ? null : JSON.stringify(execution.statusDetails),
  execution.queuedAt,
  execution.startedAt,
  execution.lastUpdatedAt,
  execution.inProgressDeadline,
  execution.stepDeadline,
  execution.timesOutAt,
  execution.retriesUsed.failed,
  execution.retriesUsed.timedOut,
  execution.failedBits,
  execution.held ? 1 : 0,
  execution.left ? 1 : 0,
  execution.forceCanceled ? 1 : 0,
];
