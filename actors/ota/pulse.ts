/**
 * A step within its deadline, with a pulse: while it runs the job service hears every two minutes that it does, so that the step timer
 * (AWS IoT Jobs: `stepTimeoutInMinutes`) only runs out on a device that is gone.
 */
import type { Clock } from '../contracts/clock.ts';
import { JobRefused, ModelRejected } from '../contracts/errors.ts';
import type { Millis } from '../contracts/units.ts';

const PULSE_MS = 120_000;

export interface PulseOptions {
  readonly clock: Clock;
  /** Instant of the clock. */
  readonly deadline: Millis;
  /** Of the machine: aborted when the update is abandoned. */
  readonly signal?: AbortSignal;
  /** Says that it goes on. @throws JobRefused when the job is no longer wanted: the step ends with that */
  readonly pulse: () => Promise<void>;
  /** The step as errors call it: `canary`. */
  readonly step: string;
  readonly model: string;
}

/** @throws ModelRejected (`step.late`), JobRefused, what the step throws. @param run its signal is aborted as soon as it is not wanted any more */
export function withPulse<T>(options: PulseOptions, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { clock, deadline, signal, pulse, step, model } = options;
  const ends = new AbortController();
  const timers = new Set<number>();
  return new Promise<T>((done, failed) => {
    const stop = () => {
      signal?.removeEventListener('abort', abandon);
      for (const timer of timers) clock.clearTimeout(timer);
      timers.clear();
    };
    const giveUp = (error: unknown) => {
      stop();
      failed(error);
      ends.abort(error);
    };
    const abandon = () => giveUp(signal?.reason);
    const after = (delay: Millis, then: () => void) => {
      const timer = clock.setTimeout(() => {
        timers.delete(timer);
        then();
      }, delay);
      timers.add(timer);
    };
    const beat = () => {
      after(PULSE_MS, beat);
      pulse().catch((error: unknown) => {
        if (error instanceof JobRefused) giveUp(error);
      });
    };
    if (signal?.aborted) return abandon();
    signal?.addEventListener('abort', abandon, { once: true });
    const late = () => giveUp(new ModelRejected(model, `${step} outlasted its deadline`, undefined, 'step.late'));
    after(Math.max(0, deadline - clock.now()), late);
    after(PULSE_MS, beat);
    run(ends.signal).then(done, failed).finally(stop);
  });
}
