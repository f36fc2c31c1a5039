/** What a row of a machine's fault catalogue is: which handles of the body it turns, or how it distorts one reading. */
import type { FaultKind, FaultMoves } from '../../actors/contracts/faults.ts';
import type { Rng } from '../../actors/contracts/rng.ts';

interface FaultRow extends Omit<FaultKind, 'moves'> {
  /** Channels of this machine. */
  readonly moves: FaultMoves;
  /** Whether every channel stays within its normal range at any severity: no range check can find it. */
  readonly staysInRange?: true;
}

/** Turns the handles of one turbine for one step. `s` is the severity as it stands, 0..1; at 0 nothing moves. Chance is by step. */
export interface BodyFault<Handles> extends FaultRow {
  apply(handles: Handles, at: number, s: number, chance: Rng, step: number): void;
}

/** Distorts the reading of one channel after everything else. */
export interface SensorFault extends FaultRow {
  /** @param span width of the channel's normal range. @param held the reading when the fault began */
  distort(value: number, s: number, span: number, held: number, chance: Rng, step: number): number;
}

export type FaultModel<Handles> = BodyFault<Handles> | SensorFault;

/** Row 18 of the catalogue, for any machine, in the order in which they compose: a stuck sensor hides all the others. @param channel that they are about when nobody says otherwise */
export const sensorFaults = (channel: string): readonly SensorFault[] => [
  {
    name: 'sensor-gain',
    about: `A reading is off by a factor; of ${channel} when no channel is named.`,
    moves: { [channel]: 'up' },
    distort: (value, s) => value * (1 + 0.4 * s),
  },
  {
    name: 'sensor-bias',
    about: `A reading is off by a constant; of ${channel} when no channel is named.`,
    moves: { [channel]: 'up' },
    distort: (value, s, span) => value + 0.15 * s * span,
  },
  {
    name: 'sensor-noise',
    about: `A reading is noisy; of ${channel} when no channel is named.`,
    moves: { [channel]: 'shakes' },
    distort: (value, s, span, _, chance, step) => value + 0.15 * s * span * chance.normal(step),
  },
  {
    name: 'sensor-spike',
    about: `A reading jumps for single samples; of ${channel} when no channel is named.`,
    moves: { [channel]: 'up' },
    distort: (value, s, span, _, chance, step) => (s > 0 && chance.uniform(step) < 0.1 ? value + s * span : value),
  },
  {
    name: 'sensor-stuck',
    about: `A reading stands still; of ${channel} when no channel is named.`,
    moves: { [channel]: 'follows' },
    distort: (value, s, _, held) => (s > 0 ? held : value),
  },
];
