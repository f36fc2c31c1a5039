/** What a twin is asked for, and what it offers beyond a body: its faults and the truth about it. */
import type { Backing } from '../actors/contracts/backing.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { Rng } from '../actors/contracts/rng.ts';
import type { Millis } from '../actors/contracts/units.ts';
import type { FaultBoard } from './faults/active.ts';
import type { TwinMachine } from './library/machines.ts';
import type { WindSpec } from './wind/field.ts';
import type { Layout } from './wind/layout.ts';

export interface TwinBacking extends Backing {
  readonly faults: FaultBoard;
  /** Where they stand; undefined: all in one place. */
  readonly layout: Layout | undefined;
  /** The true state, for tests and ground truth: no sensor in between. [rows] */
  readonly truth: { readonly windMps: Float64Array; readonly rotorRadPerS: Float64Array; readonly powerW: Float64Array };
  /** The instant to which it has been advanced. */
  now(): Millis;
}

export interface TwinSpec {
  readonly things: readonly ThingName[];
  readonly rng: Rng;
  readonly wind: WindSpec;
  /** The desk turbine when absent. */
  readonly machine?: TwinMachine;
  /** Of all of them. All in one place when absent; then nobody stands in a wake. */
  readonly layout?: Layout;
  /** The turbines that the body has, as numbers into `things`; absent: all. The others stand there too, and cast their wakes. */
  readonly rows?: readonly number[];
}

/** The turbines that a body has, and where in the layout each stands. */
export function ownRows({ things, rows }: TwinSpec): { readonly things: readonly ThingName[]; readonly places: readonly number[] } {
  const places = rows ?? things.map((_, row) => row);
  return { things: places.map((row) => things[row]), places };
}

export const TWIN_STEP_MS = 50;
