/** A stream of chance read one throw after the other: what is drawn depends on the seed and on what was drawn before, nothing else. */
import type { Rng } from '../../actors/contracts/rng.ts';

export interface Dice {
  /** Uniform in [from, to). */
  between(from: number, to: number): number;
  /** A whole number, both ends possible. */
  whole(from: number, to: number): number;
  /** True in that share of throws. */
  happens(share: number): boolean;
  /** @throws RangeError for an empty list */
  oneOf<T>(list: readonly T[]): T;
}

export function openDice(rng: Rng): Dice {
  let thrown = 0;
  const next = () => rng.uniform(thrown++);
  const between = (from: number, to: number) => from + next() * (to - from);
  const whole = (from: number, to: number) => Math.min(to, Math.floor(between(from, to + 1)));
  return {
    between,
    whole,
    happens: (share) => next() < share,
    oneOf(list) {
      if (list.length === 0) throw new RangeError('nothing to draw from');
      return list[whole(0, list.length - 1)];
    },
  };
}
