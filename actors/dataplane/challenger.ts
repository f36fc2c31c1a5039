/**
 * The device canary: the challenger judges the windows that the champion judges, and may not disagree with it too often.
 *
 * It sees what one device can see. A model that is wrong in the same way as its predecessor, or whose fleet gets worse
 * later, is for the rollout's gate to find.
 */
import type { Millis } from '../contracts/units.ts';

/** Windows that both models judge before the canary is decided. */
export const CANARY_WINDOWS = 3;

const CALLS = 'canary: it calls';

/** The worst score of one window. */
export interface Score {
  readonly at: Millis;
  readonly score: number;
}

/** Why the challenger may not replace the champion; null when it may. @param pairs of worst scores on the same windows, null without a champion */
export function disagreement(pairs: readonly { readonly champion: number | null; readonly challenger: number }[]): string | null {
  const judged = pairs.filter((pair) => pair.champion !== null);
  const alarmed = judged.filter((pair) => pair.champion! <= 1 && pair.challenger > 1).length;
  const silent = judged.filter((pair) => pair.champion! > 1 && pair.challenger <= 1).length;
  if (2 * alarmed > judged.length) return `${CALLS} ${alarmed} of ${judged.length} windows anomalous that the old model calls normal`;
  if (2 * silent > judged.length) return `${CALLS} ${silent} of ${judged.length} windows normal that the old model calls anomalous`;
  return null;
}

/** Whether words are those of `disagreement`; else the challenger did not answer. */
export const isDisagreement = (reason: string): boolean => reason.startsWith(CALLS);

/** Pairs each challenger's window with the first champion's window that ends no earlier; those still without one are left out. */
export function pairWindows(
  champion: readonly Score[],
  challenger: readonly Score[],
): { readonly champion: number; readonly challenger: number }[] {
  return challenger.flatMap(({ at, score }) => {
    const partner = champion.find((c) => c.at >= at);
    return partner ? [{ champion: partner.score, challenger: score }] : [];
  });
}
