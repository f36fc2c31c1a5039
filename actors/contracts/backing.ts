/** The body behind an actor: what moves, senses and obeys for it. */
import type { Channel } from './channels.ts';
import type { ThingName } from './ids.ts';
import type { Millis } from './units.ts';

export type TurbineCommand =
  | { readonly type: 'start' }
  | { readonly type: 'stop' }
  | { readonly type: 'derate'; readonly fraction: number }; // of rated power, 0..1

/** Flags of one row of a sample; 0 is a fresh, whole reading. */
export const Quality = {
  /** Nothing new since the row before: the last values stand. */
  stale: 1,
  /** The body does not answer at all; its values are NaN. */
  lost: 2,
  /** A value was replaced by a scenario. */
  overridden: 4,
} as const;

/** One reading of every channel of a machine for `rows` turbines, taken at one instant. */
export interface SampleBlock {
  readonly channels: readonly Channel[];
  /** [rows × channels], row-major, in their units. NaN where nothing was read. Doubles: a counter of milliseconds must fit. */
  readonly values: Float64Array;
  /** [rows], `Quality` flags. */
  readonly quality: Uint8Array;
}

export const createSampleBlock = (channels: readonly Channel[], rows: number): SampleBlock => ({
  channels,
  values: new Float64Array(rows * channels.length),
  quality: new Uint8Array(rows),
});

export type BackingKind = 'twin' | 'replay' | 'serial' | 'i2c';

/**
 * Twins, real turbines and recordings all stand behind this interface, and a fleet may mix them.
 *
 * A backing serves as many turbines of one machine as it likes, so that a thousand twins are one call and not a
 * thousand. Its methods return at once: a real turbine's readings arrive by themselves and are
 * latched, so `sample` takes the latest and marks what has grown stale.
 */
export interface Backing {
  readonly kind: BackingKind;
  /** Name of the machine, `desk-turbine`. */
  readonly machine: string;
  readonly channels: readonly Channel[];
  readonly things: readonly ThingName[];

  /** What a scenario may do to it; a real rotor offers less than a twin, and says so. */
  readonly offers: ReadonlySet<'mechanical-fault' | 'sensor-override' | 'brake'>;

  /** Brings the world to `now`. Twins integrate in fixed steps; real turbines have moved already. */
  advance(now: Millis): void;

  /** Writes row `i` for `things[i]`. Never throws for a lost sensor: it writes NaN and a flag. */
  sample(into: SampleBlock): void;

  /** Takes effect at the next `advance`. */
  command(row: number, command: TurbineCommand): void;

  close(): Promise<void>;
}
