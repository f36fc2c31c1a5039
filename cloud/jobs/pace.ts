/**
 * The pace of a rollout: how many things may be notified now, so that no 60 s, wherever they begin, hold more than the rate.
 *
 *   rate(n) = min(maximumPerMinute, ⌊baseRatePerMinute · incrementFactorᵏ⌋),  k = ⌊n / criterion⌋
 *
 * with n the things notified (or succeeded): thresholds are multiples of the criterion. Assumption: `maximumPerMinute` bounds an
 * exponential rate as well, and is 1000 there when absent; a job without a rollout configuration goes as fast as the service can.
 */
import type { RolloutConfig } from '../../actors/contracts/jobs.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { MAX_RATE_PER_MINUTE, MINUTE } from './limits.ts';

/** Notifications of the last minute, oldest first. */
export type Recent = readonly (readonly [at: Millis, things: number])[];

/** A rollout moves at most once in this time, which bounds what a job remembers of its last minute. */
const TICK = 1_000; // ms

export function ratePerMinute(config: RolloutConfig | undefined, notified: number, succeeded: number): number {
  const exponential = config?.exponentialRate;
  if (!exponential) return config?.maximumPerMinute ?? Infinity;
  const { baseRatePerMinute, incrementFactor, rateIncreaseCriteria } = exponential;
  const { numberOfNotifiedThings, numberOfSucceededThings } = rateIncreaseCriteria;
  const steps = Math.floor(
    numberOfNotifiedThings === undefined ? succeeded / (numberOfSucceededThings ?? Infinity) : notified / numberOfNotifiedThings,
  );
  const rate = Math.floor(baseRatePerMinute * incrementFactor ** steps + 1e-9); // 70 · 1.1 is 77, not 76
  return Math.min(config.maximumPerMinute ?? MAX_RATE_PER_MINUTE, rate);
}

/** What still counts at `now`: a notification exactly 60 s ago does. */
export const lastMinute = (recent: Recent, now: Millis): Recent => recent.filter(([at]) => at >= now - MINUTE);

export const allowance = (recent: Recent, rate: number, now: Millis): number =>
  Math.max(0, rate - lastMinute(recent, now).reduce((sum, [, things]) => sum + things, 0));

/** When to look again: once the oldest has left the window, or a rate may have grown. */
export function nextTurn(recent: Recent, rate: number, now: Millis): Millis {
  const counting = lastMinute(recent, now);
  if (counting.length === 0 || rate === Infinity) return now;
  const last = counting[counting.length - 1][0];
  const free = allowance(recent, rate, now) > 0 ? now : counting[0][0] + MINUTE + 1;
  return Math.max(free, last + TICK);
}
