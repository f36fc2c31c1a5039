/** Fixed-pitch turbines as a body: the desk turbine and machines like it, sensed as its firmware prints it. */
import { deskTurbine } from '../actors/contracts/channels.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { Rng } from '../actors/contracts/rng.ts';
import { ownRows, type TwinBacking, type TwinSpec, TWIN_STEP_MS } from './body.ts';
import { createFaultBoard, type FaultBoard } from './faults/active.ts';
import { fixedPitchFaults } from './faults/fixed-pitch.ts';
import { deskSite } from './library/desk-turbine.ts';
import type { TwinMachine } from './library/machines.ts';
import { keyColumns } from './rng.ts';
import { createFirmwareSensors } from './sensors/read.ts';
import { createColumns } from './turbine/fixed-pitch/columns.ts';
import { createEffects, type Effects, setAtRest } from './turbine/fixed-pitch/effects.ts';
import { stepFixedPitch } from './turbine/fixed-pitch/step.ts';
import { createWindField } from './wind/field.ts';

const ROOM = { airDensity: 1.225, ambientC: 22 };

export function fixedPitchBacking(spec: TwinSpec, machine: Extract<TwinMachine, { kind: 'fixed-pitch' }>): TwinBacking {
  const { rng, wind, layout } = spec;
  const { parameters } = machine;
  const { things, places } = ownRows(spec);
  const rows = things.length;
  const dt = TWIN_STEP_MS / 1_000;
  const streams = things.map((thing) => rng.fork(thing));
  const structure = keyColumns(streams.map((stream) => stream.fork('structure')));
  const field = createWindField(rng, things, wind, { ...deskSite, ...(layout ? { layout, places } : {}) }, dt);
  const columns = createColumns(rows);
  const effects = createEffects(rows);
  const { channels } = deskTurbine;
  const faults = fixedPitchBoard(machine.name, things, rng, effects);
  const sensors = createFirmwareSensors(
    columns,
    effects,
    parameters,
    streams.map((stream) => stream.fork('sensors')),
  );
  for (const [row, stream] of streams.entries()) columns.yawRad[row] = Math.PI * (2 * stream.uniform(1) - 1); // wherever it was switched on
  let step = 0;

  return {
    kind: 'twin',
    machine: machine.name,
    channels,
    things,
    offers: new Set(['mechanical-fault', 'sensor-override', 'brake'] as const),
    faults,
    layout,
    truth: { windMps: columns.windSpeedMps, rotorRadPerS: columns.rotorSpeedRadPerS, powerW: new Float64Array(rows) },
    now: () => step * TWIN_STEP_MS,

    advance(now) {
      while ((step + 1) * TWIN_STEP_MS <= now) {
        faults.apply((step + 1) * TWIN_STEP_MS, step);
        field.advance(columns.windSpeedMps, step);
        stepFixedPitch(columns, effects, parameters, structure, ROOM, step, dt);
        step++;
        sensors.advance(step, step * TWIN_STEP_MS);
      }
    },

    sample(into) {
      sensors.write(into);
      faults.distort(into);
    },

    command(row, command) {
      if (command.type === 'derate') columns.derateFraction[row] = Math.max(0, Math.min(1, command.fraction));
      else columns.brake[row] = command.type === 'stop' ? 1 : 0;
    },

    close: async () => {},
  };
}

/** The faults at work on turbines of such a machine. */
export const fixedPitchBoard = (machine: string, things: readonly ThingName[], rng: Rng, effects: Effects): FaultBoard =>
  createFaultBoard(machine, fixedPitchFaults, deskTurbine.channels, things, (row) => rng.fork(things[row]).fork('faults'), {
    handles: effects,
    seat: (row) => row,
    setAtRest: (row) => setAtRest(effects, row),
  });
