/**
 * The life of each fault of a story, told to the event log:
 *
 *   pending ─▶ active ─▶ recovering ─▶ recovered
 *
 * Pending until it is at work (a power cut waits for its stage), recovering from the end of it until all is as before: a severity has
 * gone back, what waited has been delivered, a device runs again.
 */
import type { Clock } from '../../actors/contracts/clock.ts';
import type { FaultInjector, FaultOrder } from '../../actors/contracts/faults.ts';
import type { EventLog } from '../../actors/contracts/log.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { FaultPhase } from '../dsl.ts';
import type { Begun } from './outside.ts';

export interface Lives {
  /** A fault in a body. @throws FaultRefused */
  injectBody(step: string, of: string, order: FaultOrder): void;
  /** One outside of bodies. @param lasts from when it is at work; null: until cleared */
  begin(step: string, of: string, fault: string, begin: () => Begun, lasts: Millis | null): void;
  /** Ends a fault by name or by its step's label: on one target, or on all of them. @returns how many ended */
  clear(fault: string, of: string | null): number;
}

interface Life {
  readonly step: string;
  readonly of: string;
  readonly fault: string;
  end(): void;
}

const LOOK_EVERY_MS = 250;

export function createLives(clock: Clock, events: EventLog, bodies: FaultInjector): Lives {
  const lives = new Set<Life>();
  const tell = ({ step, of, fault }: Omit<Life, 'end'>, phase: FaultPhase, more: Readonly<Record<string, string | number>> = {}) =>
    events.append({ at: clock.now(), kind: 'fault', of, what: { step, fault, phase, ...more } });

  const end = (life: Life) => {
    if (lives.delete(life)) life.end();
  };

  return {
    injectBody(step, of, order) {
      const { fault, severity, over, for: lasts, recovery = 0 } = order;
      for (const other of lives) if (other.fault === fault && other.of === of) end(other); // the body has it once
      const begun = { step, of, fault };
      const timers: number[] = [];
      tell(begun, 'pending');
      bodies.inject(of, order);
      tell(begun, 'active', { severity, overMs: over });
      const life: Life = {
        ...begun,
        end() {
          for (const timer of timers) clock.clearTimeout(timer);
          bodies.clear(of, fault);
          tell(begun, 'recovering');
          tell(begun, 'recovered');
        },
      };
      lives.add(life);
      if (lasts === undefined) return;
      if (recovery > 0) timers.push(clock.setTimeout(() => tell(begun, 'recovering'), lasts));
      timers.push(
        clock.setTimeout(() => {
          if (!lives.delete(life)) return;
          if (recovery === 0) tell(begun, 'recovering');
          tell(begun, 'recovered');
        }, lasts + recovery),
      );
    },

    begin(step, of, fault, begin, lasts) {
      const told = { step, of, fault };
      tell(told, 'pending');
      const begun = begin();
      let isActive = false;
      const look = () => {
        if (begun.isOver()) tell(told, 'recovered');
        else clock.setTimeout(look, LOOK_EVERY_MS);
      };
      const life: Life = {
        ...told,
        end() {
          begun.end();
          if (!isActive) return; // its moment did not come
          tell(told, 'recovering');
          look();
        },
      };
      lives.add(life);
      void begun.active.then(() => {
        isActive = true;
        if (!lives.has(life)) return;
        tell(told, 'active');
        if (lasts !== null) clock.setTimeout(() => end(life), lasts);
      });
    },

    clear(fault, of) {
      const ended = [...lives].filter((life) => (life.fault === fault || life.step === fault) && (of === null || life.of === of));
      for (const life of ended) end(life);
      return ended.length;
    },
  };
}
