/** Steady operation: a turbine runs in a uniform wind until it has settled, by the same steps as in a farm. */
import { createVariableSpeedColumns } from './turbine/variable-speed/columns.ts';
import { createVariableSpeedEffects } from './turbine/variable-speed/effects.ts';
import type { VariableSpeedParameters } from './turbine/variable-speed/parameters.ts';
import { createVariableSpeedPlant } from './turbine/variable-speed/step.ts';

export interface SteadyPoint {
  readonly windMps: number;
  readonly rotorRpm: number;
  readonly pitchDeg: number;
  readonly powerKw: number;
  readonly thrustKn: number;
}

const DT = 0.05; // s
const SETTLE_S = 600;
const MEAN_S = 60;

/** Means over a minute, ten minutes after the wind began; a point a wind speed. @param airDensity kg/m³ */
export function steadyOperation(p: VariableSpeedParameters, windsMps: readonly number[], airDensity: number): SteadyPoint[] {
  const plant = createVariableSpeedPlant(p, DT);
  const rows = windsMps.length;
  const c = createVariableSpeedColumns(rows);
  const e = createVariableSpeedEffects(rows);
  for (const [row, windMps] of windsMps.entries()) plant.settle(c, row, windMps);
  for (let step = 0; step < SETTLE_S / DT; step++) plant.step(c, e, airDensity, 0, rows);
  const sums = windsMps.map(() => ({ rotorRpm: 0, pitchDeg: 0, powerKw: 0, thrustKn: 0 }));
  const steps = MEAN_S / DT;
  for (let step = 0; step < steps; step++) {
    plant.step(c, e, airDensity, 0, rows);
    for (const [row, sum] of sums.entries()) {
      sum.rotorRpm += (c.shaftRadPerS[row] * 30) / Math.PI / steps;
      sum.pitchDeg += (c.pitchRad[row] * 180) / Math.PI / steps;
      sum.powerKw += c.powerW[row] / 1_000 / steps;
      sum.thrustKn += c.thrustN[row] / 1_000 / steps;
    }
  }
  return windsMps.map((windMps, row) => ({ windMps, ...sums[row] }));
}
