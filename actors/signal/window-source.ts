/** Where a model's windows come from: raw samples of a row go in, and now and then a window as the network wants it comes out. */
import type { Samples } from './stages.ts';

export interface WindowSource {
  /** Samples that a window's last one is older than the sample that makes the window full. */
  readonly lag: number;
  /**
   * Takes one sample of a row. @param values the row's channels from `offset` on.
   * @returns whether a window is full; then `take` it before the next push. Null when a channel that is needed has no reading: the row began anew.
   */
  push(row: number, values: Float64Array, offset: number): boolean | null;
  /** As `push`, of some rows at once, each of them once. @param outcome [count]: 1 for a full window, −1 where `push` says null, else 0 */
  pushAll(samples: Samples, outcome: Int8Array): void;
  /** Hands a full window out and moves on by the model's hop. @param into [features × samples], oldest first, normalised, from `offset` on */
  take(row: number, into: Float32Array, offset: number): void;
  /** Forgets everything of a row: what comes next has nothing to do with what was. */
  break(row: number): void;
  /** Lets the row's next window begin with its next sample, or as soon after as the memory is full; the memory stays. */
  align(row: number): void;
  /** Whether the next sample is the first of a window. */
  begins(row: number): boolean;
  /** Breaks the row and gives its memory back, as far as it has some of its own. */
  release(row: number): void;
}
