/**
 * Chance as a pure function of (seed, label of the stream, step): one more turbine, fault or worker shifts nobody
 * else's numbers. `twins/rng.ts` makes one.
 */
export interface Rng {
  /** Uniform in [0, 1). */
  uniform(step: number): number;
  /** Standard normal, tails included. */
  normal(step: number): number;
  fork(label: string): Rng;
  /** Two 32-bit words that name the stream: kernels keep them in columns. */
  readonly key: readonly [low: number, high: number];
}
