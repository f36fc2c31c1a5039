/**
 * Twins as a body: N desk turbines in columns, stepped 20 times a simulated second.
 *
 * A turbine's numbers depend on the seed and on its own name: neighbours, their faults and the size of the fleet shift none of them.
 */
import type { Backing } from '../actors/contracts/backing.ts';
import { deskTurbine } from '../actors/contracts/channels.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { Rng } from '../actors/contracts/rng.ts';
import type { Millis } from '../actors/contracts/units.ts';
import { createFaultBoard, type FaultBoard } from './faults/active.ts';
import { createEffects } from './faults/effects.ts';
import { deskSite, deskTurbineParameters as parameters } from './library/desk-turbine.ts';
import { createFirmwareSensors } from './sensors/read.ts';
import { type Columns, createColumns } from './turbine/fixed-pitch/columns.ts';
import { stepFixedPitch } from './turbine/fixed-pitch/step.ts';
import { createWindField, type WindSpec } from './wind/field.ts';

export interface TwinBacking extends Backing {
  readonly faults: FaultBoard;
  /** The true state, for tests and ground truth: no sensor in between. */
  readonly truth: Columns;
  /** The instant to which it has been advanced. */
  now(): Millis;
}

export interface TwinSpec {
  readonly things: readonly ThingName[];
  readonly rng: Rng;
  readonly wind: WindSpec;
}

const STEP_MS = 50;
const ROOM = { airDensity: 1.225, ambientC: 22 };

export function twinBacking({ things, rng, wind }: TwinSpec): TwinBacking {
  const rows = things.length;
  const streams = things.map((thing) => rng.fork(thing));
  const structure = streams.map((stream) => stream.fork('structure'));
  const field = createWindField(rng, things, wind, deskSite, STEP_MS / 1_000);
  const columns = createColumns(rows);
  const effects = createEffects(rows);
  const faults = createFaultBoard(
    things,
    streams.map((stream) => stream.fork('faults')),
  );
  const sensors = createFirmwareSensors(
    columns,
    effects,
    parameters,
    streams.map((stream) => stream.fork('sensors')),
  );
  for (const [row, stream] of streams.entries()) columns.yawRad[row] = Math.PI * (2 * stream.uniform(1) - 1); // wherever it was switched on
  const dt = STEP_MS / 1_000;
  let step = 0;

  return {
    kind: 'twin',
    machine: deskTurbine.name,
    channels: deskTurbine.channels,
    things,
    offers: new Set(['mechanical-fault', 'sensor-override', 'brake'] as const),
    faults,
    truth: columns,
    now: () => step * STEP_MS,

    advance(now) {
      while ((step + 1) * STEP_MS <= now) {
        faults.apply(effects, (step + 1) * STEP_MS, step);
        field.advance(columns.windSpeedMps, step);
        stepFixedPitch(columns, effects, parameters, structure, ROOM, step, dt);
        step++;
        sensors.advance(step, step * STEP_MS);
      }
    },

    sample: (into) => sensors.write(into),

    command(row, command) {
      if (command.type === 'derate') columns.derateFraction[row] = Math.max(0, Math.min(1, command.fraction));
      else columns.brake[row] = command.type === 'stop' ? 1 : 0;
    },

    close: async () => {},
  };
}
