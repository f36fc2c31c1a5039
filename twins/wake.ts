/** A farm of one machine in steady wind, and the energy of its year: what `twin wake` and `twin aep` print. */
import { ConfigInvalid, didYouMean, UsageError } from '../actors/contracts/errors.ts';
import type { TwinMachine } from './library/machines.ts';
import type { Layout } from './wind/layout.ts';
import type { RoseBin } from './wind/rose.ts';
import { createFarmWakes, type SteadyWind, solveWakes, type WakeName, wakeModels } from './wind/wake/farm.ts';
import { iea37, iea37FarmKw } from './wind/wake/iea37.ts';
import { tabulatedTurbine, type WakeTurbine } from './wind/wake/turbine.ts';

export interface WokenTurbine {
  readonly x: number;
  readonly y: number;
  /** Mean of the rotor. */
  readonly windMps: number;
  readonly ct: number;
  readonly powerKw: number;
}

export interface AnnualEnergy {
  readonly mwh: number;
  /** In the rose's order. */
  readonly bins: readonly number[];
}

const HOURS_A_YEAR = 8_760;

/** @throws ConfigInvalid when the machine has no published thrust. */
export function wakeTurbineOf(machine: TwinMachine): WakeTurbine {
  if (machine.kind !== 'variable-speed')
    throw new ConfigInvalid(`${machine.name} has no table of power and thrust: wakes need one`, { hint: 'as --machine nrel-5mw' });
  const { steadyTable, hubHeightM } = machine.parameters;
  return tabulatedTurbine({ rotorDiameterM: steadyTable.diameterM, hubHeightM }, steadyTable.rows);
}

/** @throws ConfigInvalid for a wake or a machine that is none, UsageError for yaw angles that are not one a turbine. */
export function wokenFarm(wake: string, machine: TwinMachine, { xM, yM }: Layout, wind: SteadyWind): WokenTurbine[] {
  if (wind.yawDeg && wind.yawDeg.length !== xM.length)
    throw new UsageError(`${wind.yawDeg.length} yaw angles for ${xM.length} turbines`, {
      hint: 'one for each turbine of the layout, as 5,0,0',
    });
  const state = solveWakes({ wake: wakeNamed(wake), turbines: wakeTurbineOf(machine), xM, yM, ...wind });
  return Array.from(xM, (x, i) => ({ x, y: yM[i], windMps: state.windMps[i], ct: state.ct[i], powerKw: state.powerKw[i] }));
}

/** The wake `iea37` has a turbine and a wind of its own; the others take a machine, and a rose with wind speeds. */
export function energyOfYear(wake: string, machine: TwinMachine | null, { xM, yM }: Layout, rose: readonly RoseBin[]): AnnualEnergy {
  let farmKw: (windMps: number | null, directionDeg: number) => number;
  if (wake === 'iea37') farmKw = (windMps, from) => iea37FarmKw(xM, yM, windMps ?? iea37.ratedMps, from);
  else {
    const model = wakeNamed(wake, ['iea37']);
    if (machine === null) throw new UsageError(`the wake ${wake} wants a machine`, { hint: '--machine nrel-5mw' });
    const calm = rose.find(({ windMps }) => windMps === null);
    if (calm) throw new UsageError('the rose says how often the wind blows and not how fast', { hint: 'add a column windMps' });
    const farm = createFarmWakes({ wake: model, turbines: wakeTurbineOf(machine), xM, yM });
    farmKw = (windMps, directionDeg) =>
      farm.solve({ windMps: windMps ?? 0, directionDeg, turbulenceIntensity: 0.1, shear: 0.12 }).powerKw.reduce((sum, kw) => sum + kw, 0);
  }
  const bins = rose.map(({ directionDeg, probability, windMps }) => (farmKw(windMps, directionDeg) * probability * HOURS_A_YEAR) / 1_000);
  return { mwh: bins.reduce((sum, mwh) => sum + mwh, 0), bins };
}

function wakeNamed(name: string, others: readonly string[] = []): WakeName {
  if (Object.hasOwn(wakeModels, name)) return name as WakeName;
  const names = [...Object.keys(wakeModels), ...others];
  throw new ConfigInvalid(`no wake model ${name}.${didYouMean(name, names)}`, { hint: `wake models: ${names.join(', ')}` });
}
