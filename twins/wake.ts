/** A farm of one machine in steady wind: what `twin wake` prints. */
import { ConfigInvalid, didYouMean } from '../actors/contracts/errors.ts';
import type { TwinMachine } from './library/machines.ts';
import { between } from './turbine/variable-speed/steady-line.ts';
import { createWakeFarm, type SteadyWind } from './wind/wake/farm.ts';
import { gaussWake } from './wind/wake/gauss.ts';
import { jensenWake } from './wind/wake/jensen.ts';
import type { WakeModel } from './wind/wake/model.ts';
import type { Layout } from './wind/layout.ts';

export interface WokenTurbine {
  readonly x: number;
  readonly y: number;
  /** Mean of the rotor. */
  readonly windMps: number;
  readonly ct: number;
  readonly powerKw: number;
}

const POWER_BY_YAW = 1.88; // exponent of the cosine

export const wakeModels: Readonly<Record<string, WakeModel>> = { jensen: jensenWake(), gauss: gaussWake };

/** @throws ConfigInvalid with near names. */
export function wakeModelNamed(name: string): WakeModel {
  const found = wakeModels[name];
  if (found) return found;
  const names = Object.keys(wakeModels);
  throw new ConfigInvalid(`no wake model ${name}.${didYouMean(name, names)}`, { hint: `wake models: ${names.join(', ')}` });
}

/** @param yawDeg [turbines]. @throws ConfigInvalid when the machine has no published thrust. */
export function wokenFarm(
  model: WakeModel,
  machine: TwinMachine,
  { xM, yM }: Layout,
  wind: SteadyWind,
  yawDeg: Float64Array | null,
): WokenTurbine[] {
  if (machine.kind !== 'variable-speed')
    throw new ConfigInvalid(`${machine.name} has no table of power and thrust: wakes need one`, { hint: 'as --machine nrel-5mw' });
  const { steadyTable, hubHeightM } = machine.parameters;
  const thrust = steadyTable.rows.map(([v, , ct]) => [v, ct] as const);
  const power = steadyTable.rows.map(([v, kw]) => [v, kw] as const);
  const turbine = { diameterM: steadyTable.diameterM, hubHeightM, thrustCoefficient: (v: number) => between(thrust, v) };
  const farm = createWakeFarm(model, turbine, xM, yM);
  farm.solve(wind, yawDeg);
  return Array.from(xM, (x, i) => ({
    x,
    y: yM[i],
    windMps: farm.windMps[i],
    ct: farm.thrustCoefficient[i],
    powerKw: between(power, farm.windMps[i]) * Math.cos(((yawDeg?.[i] ?? 0) * Math.PI) / 180) ** POWER_BY_YAW,
  }));
}
