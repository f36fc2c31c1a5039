/** The devices' own clocks: ahead or behind, running away, jumping. What happens keeps its instant; what a device dates does not. */
import type { Clock } from '../../actors/contracts/clock.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { Millis } from '../../actors/contracts/units.ts';

export interface DeviceClocks {
  /** Epoch milliseconds of an instant, as the device has them. */
  dateOf(thing: ThingName, at: Millis): Millis;
  /** Ahead by `aheadMs`, and fast by `driftPpm` from now on; null: set right again. */
  skew(thing: ThingName, name: string, skew: { readonly aheadMs: number; readonly driftPpm: number } | null): void;
}

export function deviceClocks(clock: Clock): DeviceClocks {
  const skews = new Map<ThingName, Map<string, { readonly since: Millis; readonly aheadMs: number; readonly driftPpm: number }>>();
  return {
    dateOf(thing, at) {
      let date = clock.epoch + at;
      for (const { since, aheadMs, driftPpm } of skews.get(thing)?.values() ?? [])
        if (at >= since) date += aheadMs + ((at - since) * driftPpm) / 1e6;
      return Math.round(date);
    },
    skew(thing, name, skew) {
      const mine = skews.get(thing) ?? new Map();
      skews.set(thing, mine);
      if (skew) mine.set(name, { since: clock.now(), ...skew });
      else mine.delete(name);
    },
  };
}
