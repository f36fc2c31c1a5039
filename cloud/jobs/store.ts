/** Where jobs outlive the process. What `save` has resolved for survives a kill. */
import type { Job } from '../../actors/contracts/jobs.ts';
import type { Execution } from './executions.ts';

export interface StoredJob extends Job {
  readonly inProgressTimeoutInMinutes: number | null;
}

export interface JobStore {
  load(): Promise<{ readonly jobs: readonly StoredJob[]; readonly executions: readonly Execution[] }>;
  /** All of it or nothing; in the order of the calls. */
  save(changes: { readonly jobs: readonly StoredJob[]; readonly executions: readonly Execution[] }): Promise<void>;
  close(): Promise<void>;
}

/** For virtual time: nothing outlives the process. */
export const memoryJobStore = (): JobStore => ({
  load: async () => ({ jobs: [], executions: [] }),
  save: async () => {},
  close: async () => {},
});
