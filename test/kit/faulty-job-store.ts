/** A job store in memory that outlives its service, and whose commits can be made to fail. */
import { StoreUnavailable } from '../../actors/contracts/errors.ts';
import { memoryJobStore } from '../../cloud/jobs/libsql-store.ts';
import type { JobStore } from '../../cloud/jobs/store.ts';

export interface FaultyJobStore extends JobStore {
  /** As many of the next commits fail. */
  fail(commits: number): void;
  readonly failed: number;
  /** It outlives its services until then. */
  end(): void;
}

export function faultyJobStore(): FaultyJobStore {
  const store = memoryJobStore();
  let failing = 0;
  let failed = 0;
  return {
    ...store,
    commit(changes) {
      if (failing > 0) {
        failing--;
        failed++;
        throw new StoreUnavailable('the disk is full');
      }
      store.commit(changes);
    },
    close: () => {},
    fail(commits) {
      failing = commits;
    },
    end: () => store.close(),
    get failed() {
      return failed;
    },
  };
}
