/** Jobs as they lie in a data folder on which no farm runs: read, and nothing done. */
import type { Job, JobExecution } from '../../actors/contracts/jobs.ts';
import { libsqlJobStore } from '../jobs/libsql-store.ts';

export interface StoredJobs {
  /** Newest first. */
  list(): readonly Pick<Job, 'jobId' | 'targets' | 'status' | 'createdAt' | 'document' | 'counts'>[];
  executions(jobId: string): readonly Pick<JobExecution, 'thing' | 'status'>[];
  close(): void;
}

/** @throws StoreUnavailable */
export function storedJobs(file: string): StoredJobs {
  const store = libsqlJobStore(file);
  const records = store.jobs().sort((a, b) => b.key - a.key);
  return {
    list: () =>
      records.map(({ config: { jobId, targets, createdAt, document }, state: { status, counts } }) => ({
        jobId,
        targets,
        createdAt,
        status,
        counts,
        document: JSON.parse(document) as Record<string, unknown>,
      })),
    executions(jobId) {
      const record = records.find(({ config }) => config.jobId === jobId);
      return record ? store.ofJob(record.key, { limit: Number.MAX_SAFE_INTEGER }) : [];
    },
    close: () => store.close(),
  };
}
