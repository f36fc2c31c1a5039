/** What a meter beside a simulated rotor has read since the start, in joules. */
import type { Millis } from './units.ts';

export interface EnergyAccount {
  /** Electric. */
  readonly madeJ: number;
  /** The most that was made, stored and lost beyond what the wind allowed; 0 for a rotor that obeys Betz. */
  readonly fromNothingJ: number;
  readonly fromNothingAt: Millis;
  /** The most that the turning rotor held. */
  readonly mostStoredJ: number;
}
