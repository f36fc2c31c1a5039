/** Faults that can be injected into a body. A fault is *injected*; a turbine is *faulted*; an anomaly is *found*. */
import type { ThingName } from './ids.ts';
import type { Millis } from './units.ts';

/** One row of the catalogue. */
export interface FaultKind {
  /** A fixed name, `bearing-wear`. */
  readonly name: string;
  /** One sentence: what breaks, and where it shows. */
  readonly about: string;
  /** Channels that it moves, by machine: their mean up or down, their spread, or some way that depends on the rest. All others it leaves alone. */
  readonly moves?: Readonly<Record<string, FaultMoves>>;
}

export type FaultMoves = Readonly<Record<string, 'up' | 'down' | 'shakes' | 'follows'>>;

/**
 * How a fault comes on within `over`: in a line; as wear does, slowly and then fast; from then on at times, by chance; or for the
 * first half of each period of `over`.
 */
export type FaultOnset = 'ramp' | 'wear' | 'intermittent' | 'periodic';

export interface FaultOrder {
  readonly fault: string;
  /** 0..1 */
  readonly severity: number;
  /** From 0 to `severity`; 0 is a step. */
  readonly over: Millis;
  /** Absent: a ramp. */
  readonly onset?: FaultOnset;
  /** Ends by itself after this long; absent: stays until cleared. */
  readonly for?: Millis;
  /** After `for` it goes back to 0 in a line, this long; absent: at once. */
  readonly recovery?: Millis;
  /** The channel that a `sensor-…` fault is about; absent: the one that its machine's catalogue names. */
  readonly channel?: string;
}

export interface ActiveFault extends FaultOrder {
  readonly thing: ThingName;
  readonly since: Millis;
}

/** What injects faults into the bodies of a running world. */
export interface FaultInjector {
  readonly catalogue: readonly FaultKind[];
  active(): readonly ActiveFault[];
  /** @throws FaultRefused when the fault is unknown, the turbine is unknown, or its body cannot show it. */
  inject(thing: ThingName, order: FaultOrder): void;
  /** Ends one fault of a turbine, or all of them. @returns how many ended. */
  clear(thing: ThingName, fault?: string): number;
}
