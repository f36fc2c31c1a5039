/** Faults that can be injected into a body. A fault is *injected*; a turbine is *faulted*; an anomaly is *found*. */
import type { ThingName } from './ids.ts';
import type { Millis } from './units.ts';

/** One row of the catalogue. */
export interface FaultKind {
  /** A fixed name, `bearing-wear`. */
  readonly name: string;
  /** One sentence: what breaks, and where it shows. */
  readonly about: string;
}

export interface FaultOrder {
  readonly fault: string;
  /** 0..1 */
  readonly severity: number;
  /** Ramp from 0 to `severity`; 0 is a step. */
  readonly over: Millis;
  /** Ends by itself after this long; absent: stays until cleared. */
  readonly for?: Millis;
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
