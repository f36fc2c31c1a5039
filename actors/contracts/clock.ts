import type { Millis } from './units.ts';

/** Time as the fleet sees it. XState takes it as `createActor(machine, { clock })`. Timer ids are positive numbers. */
export interface Clock {
  /** Milliseconds since the start of the run. */
  now(): Millis;
  /** Epoch milliseconds at `now() = 0`: a constant of the run, so that a replay has the same dates. */
  readonly epoch: Millis;
  setTimeout(run: () => void, delay: Millis): number;
  clearTimeout(id: number): void;

  /** Time does not pass `instant` before `work` has settled: inference, a worker, a file. Work due at one instant is applied in the order of the calls. */
  until<T>(instant: Millis, work: Promise<T>): Promise<T>;
}

/** The date of an instant, ISO 8601 with milliseconds. */
export const isoDate = (clock: Clock, at: Millis = clock.now()): string => new Date(clock.epoch + at).toISOString();

/** Resolves when `delay` has passed. */
export const sleep = (clock: Clock, delay: Millis): Promise<void> => new Promise((done) => clock.setTimeout(done, delay));
