/** The temperature beside the bearings: ambient, the sensor's own heat, and what friction leaves there. */
import type { Effects } from './effects.ts';
import type { DeskTurbineParameters } from '../../library/desk-turbine.ts';
import type { Columns } from './columns.ts';

/** @param ambientC one value for the room. @param dt seconds */
export function stepThermal(
  c: Columns,
  e: Effects,
  p: DeskTurbineParameters,
  ambientC: number,
  first: number,
  last: number,
  dt: number,
): void {
  const share = 1 - Math.exp(-dt / p.thermalSecond);
  for (let i = first; i < last; i++) {
    const omega = c.rotorSpeedRadPerS[i];
    const frictionW = (p.coulombTorqueNm + p.viscousTorqueNmS * omega) * omega * e.frictionFactor[i];
    const restC = ambientC + p.dieAboveAmbientK + p.bearingHeatKPerW * frictionW + e.heatK[i];
    c.dieTemperatureC[i] += share * (restC - c.dieTemperatureC[i]);
  }
}
