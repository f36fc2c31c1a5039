/**
 * Runs a virtual clock beside the wall's: at 1x, 100x, or as fast as it goes. When the work of an instant takes longer than
 * the instant, the clock falls behind and does not hurry to catch up.
 */
import type { Millis } from '../../actors/contracts/units.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** The wall's time as the pacer needs it; `physical/wall-clock.ts` has one. */
export interface Wall {
  now(): Millis;
  setTimeout(run: () => void, delay: Millis): number;
}

export interface Pace {
  /** Simulated seconds a wall second; `max` does not wait. */
  readonly speed: number | 'max';
  /** Simulated instant at which it ends. */
  readonly until: Millis;
  readonly signal: AbortSignal;
}

const SLICE_MS = 50; // of wall time: how long the event loop waits for its turn at most
const LAG_MS = 250; // of wall time: being later than this is forgiven, not made up for

/** Resolves at `until`, or soon after `signal` aborts. */
export async function paceClock(clock: VirtualClock, wall: Wall, { speed, until, signal }: Pace): Promise<void> {
  if (speed === 'max') {
    // Between two instants the clock lets the event loop turn: timers, sockets and signals have their turn there.
    while (clock.now() < until && !signal.aborted) {
      if (clock.nextDue > until) await clock.run(Number.isFinite(until) ? until : clock.now());
      else await clock.run(Math.max(clock.now(), clock.nextDue));
    }
    return;
  }
  let wallStart = wall.now();
  let clockStart = clock.now();
  while (clock.now() < until && !signal.aborted) {
    const due = clockStart + (wall.now() - wallStart) * speed;
    if (due - clock.now() > LAG_MS * speed) {
      wallStart = wall.now();
      clockStart = clock.now();
    }
    await clock.run(Math.min(until, Math.max(clock.now(), Math.floor(clockStart + (wall.now() - wallStart) * speed))));
    const next = Math.min(until, clock.nextDue, clock.now() + LAG_MS * speed);
    const wait = wallStart + (next - clockStart) / speed - wall.now();
    await new Promise<void>((rested) => wall.setTimeout(rested, Math.max(1, Math.min(SLICE_MS, wait))));
  }
}
