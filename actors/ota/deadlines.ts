/** How long a step of an update may take, and what of that is left after a restart. */
import type { Millis } from '../contracts/units.ts';
import type { Stage } from './job.ts';

const MINUTE = 60_000;
/** From a step's beginning to its end, at the longest. */
export const LONGEST_MS: Readonly<Record<Stage, Millis>> = {
  accepting: MINUTE,
  downloading: 10 * MINUTE,
  verifying: MINUTE,
  unpacking: 2 * MINUTE,
  loading: MINUTE,
  canary: 8 * MINUTE,
  committing: MINUTE,
};
const LEAST = MINUTE;

/**
 * What a step has from now on. @param left of what its journal gave it; null for a step that begins. A clock that was set meanwhile may
 * say anything: no step gets more than it would have anew, and none less than a minute.
 */
export function stepDeadline(stage: Stage, left: Millis | null): Millis {
  if (left === null || !Number.isFinite(left)) return LONGEST_MS[stage];
  return Math.min(LONGEST_MS[stage], Math.max(LEAST, left));
}
