/**
 * What probes at the ports of a world have seen of a run, beside its event log: what invariants are judged on. Nothing in it was asked of
 * the code that it is about.
 */
import type { EnergyAccount } from '../actors/contracts/energy.ts';
import type { Millis } from '../actors/contracts/units.ts';

export interface Witness {
  /** At the port of what loads models, oldest first. */
  readonly sessions: readonly ModelSession[];
  /** Where updates act on a device: the steps as they began, and its boots and power cuts, oldest first. */
  readonly deeds: readonly DeviceDeed[];
  /** Where a device's messages leave it, in their order. */
  readonly words: readonly DeviceWord[];
  /** What the cloud shows of a turbine each time that its alarm is another one. */
  readonly sightings: readonly Sighting[];
  /** Models to which a device went back, with whether its catalogue held a signed grant for that; by `grantKeyOf`. */
  readonly grants: ReadonlyMap<string, boolean>;
  /** Of twins, by turbine. */
  readonly energy: ReadonlyMap<string, EnergyAccount>;
}

/** A network that a device has loaded: its golden samples have been answered then. */
export interface ModelSession {
  readonly thing: string;
  readonly model: string;
  readonly openedAt: Millis;
  /** Null while it is open. */
  readonly closedAt: Millis | null;
  /** Whether a trusted key has signed the files that came with it. */
  readonly isTrusted: boolean;
}

export type UpdateStep = 'accept' | 'download' | 'verify' | 'unpack' | 'load' | 'canary' | 'commit' | 'rollback' | 'report';

export interface DeviceDeed {
  readonly thing: string;
  readonly at: Millis;
  readonly deed: UpdateStep | 'boot' | 'off';
}

export type DeviceWord = {
  readonly thing: string;
  readonly at: Millis;
} & (
  | { readonly word: 'state'; readonly model: string | null }
  /** `dated` as the device has it: what the cloud knows the verdict by. */
  | { readonly word: 'verdict'; readonly model: string; readonly dated: Millis; readonly announced: boolean; readonly worst: string }
);

/** The feature that each of them names; null: none. */
export interface Sighting {
  readonly thing: string;
  readonly at: Millis;
  /** When its verdict was dated by the device; null: no alarm stands. */
  readonly dated: Millis | null;
  /** `GET /api/turbines` */
  readonly turbine: string | null;
  /** `GET /api/alarms` */
  readonly alarm: string | null;
  readonly lamp: string | null;
}

export const grantKeyOf = (thing: string, model: string, at: Millis): string => `${thing} ${model} ${at}`;
