/**
 * Three lumps of heat, each above what it stands in: gearbox and generator in the nacelle, the nacelle in the air,
 *
 *   C dT/dt = share × losses − G T
 */
import type { VariableSpeedColumns } from './columns.ts';
import type { VariableSpeedEffects } from './effects.ts';
import type { VariableSpeedParameters } from './parameters.ts';

const DRAG_HEAT_SHARE = 0.05; // assumption: of what a dragging gearbox loses, this stays in its housing and the oil cooler takes the rest

/** @returns the step over rows `first` up to, not including, `last`. @param dt seconds */
export function createThermal(p: VariableSpeedParameters, dt: number) {
  const t = p.thermal;
  const lossPerPower = 1 / p.drivetrain.generatorEfficiency - 1;

  return (c: VariableSpeedColumns, e: VariableSpeedEffects, first: number, last: number): void => {
    const { powerW, aeroPowerW, gearboxK, generatorK, nacelleK } = c;
    const { slotOf, gearLoss, gearHeat, cooling, windingLoss } = e;
    for (let i = first; i < last; i++) {
      const slot = slotOf[i];
      const lossW = powerW[i] * lossPerPower;
      const gearW = t.gearboxLossShare * lossW + (DRAG_HEAT_SHARE * gearLoss[slot] + gearHeat[slot]) * aeroPowerW[i];
      const fromGearbox = t.gearboxWPerK * cooling[slot] * gearboxK[i];
      const fromGenerator = t.generatorWPerK * generatorK[i];
      gearboxK[i] += (dt / t.gearboxJPerK) * (gearW - fromGearbox);
      generatorK[i] += (dt / t.generatorJPerK) * (t.generatorLossShare * lossW + windingLoss[slot] * powerW[i] - fromGenerator);
      nacelleK[i] += (dt / t.nacelleJPerK) * (fromGearbox + fromGenerator - t.nacelleWPerK * nacelleK[i]);
    }
  };
}
