/** The wall's time: the one place, beside the `main.ts` files, where the machine's own clock is read. */
import type { Clock } from '../actors/contracts/clock.ts';
import type { Millis } from '../actors/contracts/units.ts';

/** Starts at 0 and never goes back, whatever the machine's date does meanwhile. */
export function wallClock(): Clock {
  const origin = performance.now();
  const epoch = Date.now();
  const timers = new Map<number, NodeJS.Timeout>();
  let nextId = 1;

  const now = (): Millis => Math.floor(performance.now() - origin); // instants are whole milliseconds
  const schedule = (run: () => void, delay: Millis): number => {
    const id = nextId++;
    timers.set(
      id,
      setTimeout(() => {
        timers.delete(id);
        run();
      }, delay),
    );
    return id;
  };

  return {
    epoch,
    now,
    setTimeout: schedule,
    clearTimeout(id) {
      clearTimeout(timers.get(id));
      timers.delete(id);
    },
    async until(instant, work) {
      const over = work.then(
        () => {},
        () => {},
      );
      await new Promise<void>((reached) => schedule(reached, Math.max(0, instant - now())));
      await over;
      return work;
    },
  };
}
