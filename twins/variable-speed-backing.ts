/** Variable-speed turbines as a body: in their wakes and weather, sensed as their controllers tell. */
import type { ThingName } from '../actors/contracts/ids.ts';
import type { Rng } from '../actors/contracts/rng.ts';
import { ownRows, type TwinBacking, type TwinSpec, TWIN_STEP_MS } from './body.ts';
import { createFaultBoard, type FaultBoard } from './faults/active.ts';
import { variableSpeedFaults } from './faults/variable-speed.ts';
import type { TwinMachine } from './library/machines.ts';
import { createScadaSensors, scadaChannels } from './sensors/scada.ts';
import { createVariableSpeedColumns, Mode } from './turbine/variable-speed/columns.ts';
import { createVariableSpeedEffects, setSlotAtRest, slotFor, type VariableSpeedEffects } from './turbine/variable-speed/effects.ts';
import { createVariableSpeedPlant } from './turbine/variable-speed/step.ts';
import { wakeTurbineOf } from './wake.ts';
import { airDensity } from './wind/air.ts';
import { createWindField } from './wind/field.ts';
import { integralLengthM } from './wind/iec.ts';
import { createNacelle } from './wind/nacelle.ts';
import { createFarmWakes } from './wind/wake/farm.ts';
import { temperate, weatherAt } from './wind/weather.ts';

const WEATHER_EVERY = 1_200; // steps: a minute
const DAY_OF_YEAR_S = 120 * 86_400; // a run begins on a day in spring

export function variableSpeedBacking(spec: TwinSpec, machine: Extract<TwinMachine, { kind: 'variable-speed' }>): TwinBacking {
  const { rng, wind, layout } = spec;
  const { parameters } = machine;
  const { things, places } = ownRows(spec);
  const { hubHeightM, rotorRadiusM } = parameters;
  const rows = things.length;
  const dt = TWIN_STEP_MS / 1_000;
  const field = createWindField(
    rng,
    things,
    wind,
    {
      hubHeightM,
      diameterM: 2 * rotorRadiusM,
      lengthM: integralLengthM(hubHeightM),
      ...(layout ? { layout, places, wakes: createFarmWakes({ wake: 'gauss', turbines: wakeTurbineOf(machine), ...layout }) } : {}),
    },
    dt,
  );
  const plant = createVariableSpeedPlant(parameters, dt);
  const columns = createVariableSpeedColumns(rows);
  const effects = createVariableSpeedEffects(rows);
  const channels = scadaChannels(parameters);
  const faults = variableSpeedBoard(machine, things, rng, effects);
  const air = rng.fork('weather');
  let step = 0;
  let weather = weatherAt(temperate, air, DAY_OF_YEAR_S);

  field.advance(columns.windMps, 0);
  for (let row = 0; row < rows; row++) plant.settle(columns, row, columns.windMps[row]);
  const nacelle = createNacelle(field.directionDeg); // one for the farm: its turbines see one direction
  const sensors = createScadaSensors(
    columns,
    effects,
    parameters,
    things.map((thing) => rng.fork(thing).fork('sensors')),
  );

  return {
    kind: 'twin',
    machine: machine.name,
    channels,
    things,
    offers: new Set(['mechanical-fault', 'sensor-override', 'brake'] as const),
    faults,
    layout,
    truth: { windMps: columns.windMps, rotorRadPerS: columns.shaftRadPerS, powerW: columns.powerW },
    now: () => step * TWIN_STEP_MS,

    advance(now) {
      while ((step + 1) * TWIN_STEP_MS <= now) {
        if (step % WEATHER_EVERY === 0) {
          weather = weatherAt(temperate, air, DAY_OF_YEAR_S + step * dt);
          if (field.temperatureC !== null) {
            const { pressurePa, humidity } = weather;
            weather = { ...weather, temperatureC: field.temperatureC, airDensity: airDensity(field.temperatureC, pressurePa, humidity) };
          }
        }
        faults.apply((step + 1) * TWIN_STEP_MS, step);
        field.advance(columns.windMps, step + 1);
        columns.yawErrorRad.fill((nacelle.follow(field.directionDeg, dt) * Math.PI) / 180);
        plant.step(columns, effects, weather.airDensity, 0, rows);
        step++;
      }
    },

    sample(into) {
      sensors.write(into, step, {
        ambientC: weather.temperatureC,
        pressurePa: weather.pressurePa,
        humidity: weather.humidity,
        directionDeg: field.directionDeg,
      });
      faults.distort(into);
    },

    command(row, command) {
      if (command.type === 'derate') columns.derateFraction[row] = Math.max(0, Math.min(1, command.fraction));
      else if (command.type === 'stop') columns.mode[row] = Mode.stopped;
      else if (columns.mode[row] === Mode.stopped) columns.mode[row] = Mode.parked; // it starts when the wind allows
    },

    close: async () => {},
  };
}

/** The faults at work on turbines of such a machine. */
export const variableSpeedBoard = (
  { name, parameters }: Extract<TwinMachine, { kind: 'variable-speed' }>,
  things: readonly ThingName[],
  rng: Rng,
  effects: VariableSpeedEffects,
): FaultBoard =>
  createFaultBoard(name, variableSpeedFaults, scadaChannels(parameters), things, (row) => rng.fork(things[row]).fork('faults'), {
    handles: effects,
    seat: (row) => slotFor(effects, row),
    setAtRest: (row) => effects.slotOf[row] > 0 && setSlotAtRest(effects, effects.slotOf[row]),
  });
