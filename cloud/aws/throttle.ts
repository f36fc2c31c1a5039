/** A bucket of tokens a caller: so many requests a second, with room for a burst. */
import type { Millis } from '../../actors/contracts/units.ts';
import type { Principal } from '../things/ports.ts';

export interface Throttle {
  /** Takes a token; false when the caller has none left. */
  admits(caller: Principal): boolean;
}

export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

const CALLERS_KEPT = 10_000;

/** @param rates by kind of caller: the owner's tools, and each device by itself. @param now milliseconds */
export function createThrottle(rates: { readonly owner: Rate; readonly device: Rate }, now: () => Millis): Throttle {
  const buckets = new Map<string, { tokens: number; at: Millis }>();

  return {
    admits(caller) {
      const { perSecond, burst } = caller.kind === 'owner' ? rates.owner : rates.device;
      const at = now();
      let bucket = buckets.get(caller.arn);
      if (!bucket) {
        bucket = { tokens: burst, at };
        buckets.set(caller.arn, bucket);
        if (buckets.size > CALLERS_KEPT) buckets.delete(buckets.keys().next().value!);
      }
      bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, at - bucket.at) * perSecond) / 1_000);
      bucket.at = at;
      if (bucket.tokens < 1) return false;
      bucket.tokens -= 1;
      return true;
    },
  };
}
