/** Fixed-pitch turbines as a body: the desk turbine and machines like it, sensed as its firmware prints it. */
import { deskTurbine } from '../actors/contracts/channels.ts';
import { type TwinBacking, type TwinSpec, TWIN_STEP_MS } from './body.ts';
import { createFaultBoard } from './faults/active.ts';
import { fixedPitchFaults } from './faults/fixed-pitch.ts';
import { deskSite } from './library/desk-turbine.ts';
import type { TwinMachine } from './library/machines.ts';
import { keyColumns } from './rng.ts';
import { createFirmwareSensors } from './sensors/read.ts';
import { createColumns } from './turbine/fixed-pitch/columns.ts';
import { createEffects, setAtRest } from './turbine/fixed-pitch/effects.ts';
import { stepFixedPitch } from './turbine/fixed-pitch/step.ts';
import { createWindField } from './wind/field.ts';

const ROOM = { airDensity: 1.225, ambientC: 22 };

export function fixedPitchBacking(
  { things, rng, wind, layout }: TwinSpec,
  machine: Extract<TwinMachine, { kind: 'fixed-pitch' }>,
): TwinBacking {
  const { parameters } = machine;
  const rows = things.length;
  const dt = TWIN_STEP_MS / 1_000;
  const streams = things.map((thing) => rng.fork(thing));
  const structure = keyColumns(streams.map((stream) => stream.fork('structure')));
  const field = createWindField(rng, things, wind, { ...deskSite, ...(layout ? { layout } : {}) }, dt);
  const columns = createColumns(rows);
  const effects = createEffects(rows);
  const { channels } = deskTurbine;
  const faults = createFaultBoard(machine.name, fixedPitchFaults, channels, things, (row) => streams[row].fork('faults'), {
    handles: effects,
    seat: (row) => row,
    setAtRest: (row) => setAtRest(effects, row),
  });
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
