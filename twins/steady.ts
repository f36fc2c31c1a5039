/** Steady operation: a turbine runs in a uniform wind until it has settled, by the same steps as in a farm. */
import type { TwinMachine } from './library/machines.ts';
import { createPlant, PLANT_STEP_S } from './plant.ts';

export interface SteadyPoint {
  readonly windMps: number;
  readonly rotorRpm: number;
  readonly pitchDeg: number;
  readonly powerKw: number;
  readonly thrustKn: number;
}

const SETTLE_S = 600;
const MEAN_S = 60;

/** Means over a minute, ten minutes after the wind began; a point a wind speed. @param airDensity kg/m³ */
export function steadyOperation(machine: TwinMachine, windsMps: readonly number[], airDensity: number): SteadyPoint[] {
  const plant = createPlant(machine, windsMps.length);
  for (const [row, windMps] of windsMps.entries()) plant.settle(row, windMps);
  for (let step = 0; step < SETTLE_S / PLANT_STEP_S; step++) plant.step(windsMps, airDensity);
  const sums = windsMps.map(() => ({ rotorRpm: 0, pitchDeg: 0, powerKw: 0, thrustKn: 0 }));
  const steps = MEAN_S / PLANT_STEP_S;
  for (let step = 0; step < steps; step++) {
    plant.step(windsMps, airDensity);
    for (const [row, sum] of sums.entries()) {
      const { rotorRpm, pitchDeg, powerKw, thrustKn } = plant.read(row);
      sum.rotorRpm += rotorRpm / steps;
      sum.pitchDeg += pitchDeg / steps;
      sum.powerKw += powerKw / steps;
      sum.thrustKn += thrustKn / steps;
    }
  }
  return windsMps.map((windMps, row) => ({ windMps, ...sums[row] }));
}
