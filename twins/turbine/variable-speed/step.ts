/**
 * One step of variable-speed turbines: controller, rotor, drivetrain, tower, heat. The farm and a single answer to a wind series both
 * call this, and nothing else moves such a twin.
 */
import { Mode, type VariableSpeedColumns } from './columns.ts';
import { createController } from './controller.ts';
import { createDrivetrain } from './drivetrain.ts';
import type { VariableSpeedEffects } from './effects.ts';
import type { VariableSpeedParameters } from './parameters.ts';
import { createRotor } from './rotor.ts';
import { REFERENCE_DENSITY } from './steady-line.ts';
import { createSurface, type Surface } from './surface.ts';
import { createThermal } from './thermal.ts';
import { torqueLaw, torqueNm } from './torque-law.ts';
import { createTower } from './tower.ts';

export interface VariableSpeedPlant {
  readonly parameters: VariableSpeedParameters;
  readonly surface: Surface;
  /** Puts a turbine where it would stand after long in this wind: the start of a run. */
  settle(c: VariableSpeedColumns, row: number, windMps: number): void;
  /** Advances rows `first` up to, not including, `last` by one step in the wind of their column. @param airDensity kg/m³ */
  step(c: VariableSpeedColumns, e: VariableSpeedEffects, airDensity: number, first: number, last: number): void;
}

const BLOCK = 256; // rows whose columns stay in the cache from one part to the next

/** @param dt seconds */
export function createVariableSpeedPlant(p: VariableSpeedParameters, dt: number): VariableSpeedPlant {
  const { drivetrain: d, thermal: t } = p;
  const generatorInertia = d.generatorInertiaKgM2 * d.gearRatio ** 2;
  const surface = createSurface(p);
  const law = torqueLaw(p);
  const control = createController(p, dt);
  const rotor = createRotor(p, surface, generatorInertia / (d.rotorInertiaKgM2 + generatorInertia));
  const drivetrain = createDrivetrain(p, dt);
  const tower = createTower(p, dt);
  const thermal = createThermal(p, dt);

  return {
    parameters: p,
    surface,
    settle(c, row, windMps) {
      c.windMps[row] = windMps;
      c.smoothedWindMps[row] = windMps;
      if (windMps < p.cutInMps || windMps > p.cutOutMps) {
        c.mode[row] = Mode.parked;
        c.pitchRad[row] = p.pitch.maximumRad;
        return;
      }
      const { rotorRadPerS, pitchRad, powerCoefficient, thrustCoefficient } = surface.operatingPoint(windMps);
      const speed = rotorRadPerS * d.gearRatio;
      const torque = torqueNm(p, law, speed);
      const pressureN = 0.5 * REFERENCE_DENSITY * Math.PI * p.rotorRadiusM ** 2 * windMps * windMps;
      const shaftW = torque * speed;
      c.aeroPowerW[row] = pressureN * windMps * powerCoefficient;
      c.aeroTorqueNm[row] = c.aeroPowerW[row] / rotorRadPerS;
      c.thrustN[row] = pressureN * thrustCoefficient;
      c.powerW[row] = shaftW * d.generatorEfficiency;
      c.foreAftM[row] = c.thrustN[row] / (p.tower.topMassKg * (2 * Math.PI * p.tower.foreAftHz) ** 2);
      const lossW = shaftW * (1 - d.generatorEfficiency);
      c.gearboxK[row] = (t.gearboxLossShare * lossW) / t.gearboxWPerK;
      c.generatorK[row] = (t.generatorLossShare * lossW) / t.generatorWPerK;
      c.nacelleK[row] = ((t.gearboxLossShare + t.generatorLossShare) * lossW) / t.nacelleWPerK;
      c.mode[row] = Mode.running;
      c.shaftRadPerS[row] = rotorRadPerS;
      c.filteredRadPerS[row] = speed;
      c.pitchRad[row] = pitchRad;
      c.pitchIntegralRad[row] = (pitchRad * (1 + pitchRad / p.pitch.halvingRad)) / p.pitch.integral;
      c.torqueNm[row] = torque;
      c.twistRad[row] = (torque * d.gearRatio) / d.stiffnessNmPerRad;
    },
    step(c, e, airDensity, first, last) {
      for (let from = first; from < last; from += BLOCK) {
        const to = Math.min(last, from + BLOCK);
        control(c, e, from, to);
        rotor(c, e, airDensity, from, to);
        drivetrain(c, e, from, to);
        tower(c, e, from, to);
        thermal(c, e, from, to);
      }
    },
  };
}
