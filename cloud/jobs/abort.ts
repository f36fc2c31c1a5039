/**
 * Abort criteria: a job is cancelled at the first count of failures that satisfies one of them,
 *
 *   executed ≥ minNumberOfExecutedThings  and  100 · failures / executed ≥ thresholdPercentage,
 *
 * where `executed` is the things notified. Assumption: a thing counts once for each kind of failure that any of its attempts has
 * had, so a retry does not put the abort off.
 */
import type { AbortCriterion, ExecutionStatus } from '../../actors/contracts/jobs.ts';

/** Things that have failed, by kind; `all` counts a thing once. */
export interface Failures {
  readonly FAILED: number;
  readonly REJECTED: number;
  readonly TIMED_OUT: number;
  readonly ALL: number;
}

export const NO_FAILURES: Failures = { FAILED: 0, REJECTED: 0, TIMED_OUT: 0, ALL: 0 };

const BITS = { FAILED: 1, REJECTED: 2, TIMED_OUT: 4 } as const;

/** The bit of a kind of failure; 0 for what is none. */
export const failureBit = (status: ExecutionStatus): number => (status in BITS ? BITS[status as keyof typeof BITS] : 0);

/** @param before bits of the thing's earlier attempts */
export function counted(failures: Failures, before: number, status: ExecutionStatus): Failures {
  const bit = failureBit(status);
  if (bit === 0 || (before & bit) !== 0) return failures;
  const kind = status as keyof typeof BITS;
  return { ...failures, [kind]: failures[kind] + 1, ALL: failures.ALL + (before === 0 ? 1 : 0) };
}

export const aborts = (criteria: readonly AbortCriterion[], executed: number, failures: Failures): boolean =>
  criteria.some(({ failureType, thresholdPercentage, minNumberOfExecutedThings }) => {
    const failed = failures[failureType];
    // in hundredths of a percent: the threshold has two decimals, and whole numbers compare exactly
    return failed > 0 && executed >= minNumberOfExecutedThings && failed * 10_000 >= Math.round(thresholdPercentage * 100) * executed;
  });
