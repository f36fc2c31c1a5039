/** The faults that are at work on a twin's rows: each has a life of ramp, plateau and, where it was given one, an end. */
import type { ActiveFault, FaultOrder } from '../../actors/contracts/faults.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { deskTurbineFaults, type FaultModel } from './catalogue.ts';
import { type Effects, setAtRest } from './effects.ts';

export interface FaultBoard {
  /** A fault of the same name is replaced. */
  inject(row: number, model: FaultModel, order: FaultOrder, now: Millis): void;
  /** @returns how many ended. */
  clear(row: number, fault?: string): number;
  active(): readonly ActiveFault[];
  /** Turns the handles of all rows for the tick that ends at `now`. */
  apply(effects: Effects, now: Millis, step: number): void;
}

interface Running extends ActiveFault {
  readonly model: FaultModel;
  readonly chance: Rng;
}

/** @param streams one a row. */
export function createFaultBoard(things: readonly ThingName[], streams: readonly Rng[]): FaultBoard {
  const running = new Map<number, Map<string, Running>>();

  const clear = (row: number, effects: Effects | null, names: readonly string[]) => {
    const faults = running.get(row);
    for (const name of names) faults?.delete(name);
    if (faults?.size === 0) running.delete(row);
    if (effects) setAtRest(effects, row);
  };
  let touched: Effects | null = null;

  return {
    inject(row, model, order, now) {
      const faults = running.get(row) ?? new Map<string, Running>();
      running.set(row, faults);
      faults.set(model.name, { ...order, thing: things[row], since: now, model, chance: streams[row].fork(model.name) });
    },
    clear(row, fault) {
      const names = [...(running.get(row)?.keys() ?? [])].filter((name) => fault === undefined || name === fault);
      clear(row, touched, names);
      return names.length;
    },
    active: () => [...running.values()].flatMap((faults) => [...faults.values()].map(({ model: _, chance: __, ...fault }) => fault)),
    apply(effects, now, step) {
      touched = effects;
      for (const [row, faults] of running) {
        setAtRest(effects, row);
        for (const fault of [...faults.values()]) {
          const age = now - fault.since;
          if (fault.for !== undefined && age >= fault.for) clear(row, null, [fault.fault]);
          else fault.model.apply(effects, row, fault.severity * (fault.over > 0 ? Math.min(1, age / fault.over) : 1), fault.chance, step);
        }
      }
    },
  };
}

/** Null when no fault has that name. */
export const faultModel = (name: string): FaultModel | null => deskTurbineFaults.find((fault) => fault.name === name) ?? null;
