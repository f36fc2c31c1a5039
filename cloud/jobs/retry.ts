/**
 * Retries: a FAILED or TIMED_OUT attempt is followed by a new one while its criterion allows. AWS IoT Jobs: 1 or 2 criteria of
 * FAILED, TIMED_OUT or ALL, 10 retries a thing at most; a thing that leaves a continuous job's group and comes back starts anew.
 */
import type { ExecutionStatus, RetryCriterion } from '../../actors/contracts/jobs.ts';
import { MAX_RETRIES } from './limits.ts';

export interface RetriesUsed {
  readonly failed: number;
  readonly timedOut: number;
}

/** What is used up once `status` has been followed by one more attempt; null when none is left. */
export function retried(criteria: readonly RetryCriterion[], status: ExecutionStatus, used: RetriesUsed): RetriesUsed | null {
  if (status !== 'FAILED' && status !== 'TIMED_OUT') return null;
  const total = used.failed + used.timedOut;
  const allows = criteria.some(({ failureType, numberOfRetries }) => {
    if (failureType === 'ALL') return total < numberOfRetries;
    return failureType === status && (status === 'FAILED' ? used.failed : used.timedOut) < numberOfRetries;
  });
  if (!allows || total >= MAX_RETRIES) return null;
  return status === 'FAILED' ? { ...used, failed: used.failed + 1 } : { ...used, timedOut: used.timedOut + 1 };
}
