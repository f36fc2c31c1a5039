/** A job store filled as a large fleet leaves it: most executions are over, one in ten is pending, with timers. */
import { newRecord } from '../../cloud/jobs/record.ts';
import { libsqlJobStore } from '../../cloud/jobs/libsql-store.ts';
import { NO_SCHEDULE } from '../../cloud/jobs/schedule.ts';
import { type Execution, queuedExecution } from '../../cloud/jobs/executions.ts';
import { noChanges } from '../../cloud/jobs/store.ts';

const NOW = 1_767_225_600_000;
const YEAR = 366 * 86_400_000;

export function fillJobStore(file: string, { jobs, things }: { readonly jobs: number; readonly things: number }): void {
  const store = libsqlJobStore(file);
  for (let job = 1; job <= jobs; job++) {
    const jobId = `job-${job}`;
    const record = newRecord(
      job,
      { jobId, targets: ['farm'], targetSelection: 'SNAPSHOT', description: '', document: '{}', createdAt: NOW },
      NO_SCHEDULE,
      0,
    );
    const pending = job === jobs;
    record.state.counts[pending ? 'IN_PROGRESS' : 'SUCCEEDED'] = things;
    record.state.notified = things;
    if (!pending) record.state.status = 'COMPLETED';
    for (let first = 0; first < things; first += 20_000) {
      const changes = noChanges();
      changes.jobs.set(job, record);
      changes.configured.add(job);
      for (let i = first; i < Math.min(things, first + 20_000); i++) {
        const queued = queuedExecution({ jobId, thing: `T-${i}`, executionNumber: 1, held: false, now: NOW });
        const execution: Execution = pending
          ? {
              ...queued,
              status: 'IN_PROGRESS',
              startedAt: NOW,
              versionNumber: 2,
              stepDeadline: NOW + 20 * YEAR + i,
              timesOutAt: NOW + 20 * YEAR + i,
            }
          : { ...queued, status: 'SUCCEEDED', startedAt: NOW, versionNumber: 3 };
        changes.executions.set(`${i}`, { job, execution });
      }
      store.commit(changes);
    }
  }
  store.close();
}
