/** Turbines of one machine without a fleet around them: what `twin steady`, `respond` and `validate` ask, stepped as a farm steps them. */
import { createEffects } from './turbine/fixed-pitch/effects.ts';
import type { TwinMachine } from './library/machines.ts';
import { createRng, keyColumns } from './rng.ts';
import { createColumns } from './turbine/fixed-pitch/columns.ts';
import { stepFixedPitch } from './turbine/fixed-pitch/step.ts';
import { thrustCoefficient, torqueCoefficient } from './turbine/fixed-pitch/rotor.ts';
import { createVariableSpeedColumns } from './turbine/variable-speed/columns.ts';
import { createVariableSpeedEffects } from './turbine/variable-speed/effects.ts';
import { createVariableSpeedPlant } from './turbine/variable-speed/step.ts';

export const PLANT_STEP_S = 0.05;

export interface PlantReading {
  readonly rotorRpm: number;
  readonly generatorRpm: number;
  readonly pitchDeg: number;
  /** Electrical. */
  readonly powerKw: number;
  readonly thrustKn: number;
  readonly towerTopM: number;
  readonly towerSideM: number;
  /** Taken from the wind by the rotor. */
  readonly aeroKw: number;
  readonly torqueKnm: number;
  readonly yawErrorDeg: number;
  /** Above the air around: gearbox and generator (fixed pitch: the bearing). */
  readonly gearboxK: number;
  readonly generatorK: number;
}

export interface Plant {
  /** Puts a turbine where it would stand after long in this wind. */
  settle(row: number, windMps: number): void;
  /** One step of PLANT_STEP_S. @param windMps [rows]. @param airDensity kg/m³. @param yawErrorDeg of all rows */
  step(windMps: ArrayLike<number>, airDensity: number, yawErrorDeg?: number): void;
  read(row: number): PlantReading;
}

const RPM = 30 / Math.PI;
const DEG = 180 / Math.PI;

export function createPlant(machine: TwinMachine, rows: number): Plant {
  return machine.kind === 'variable-speed' ? variableSpeedPlant(machine, rows) : fixedPitchPlant(machine, rows);
}

function variableSpeedPlant({ parameters: p }: Extract<TwinMachine, { kind: 'variable-speed' }>, rows: number): Plant {
  const plant = createVariableSpeedPlant(p, PLANT_STEP_S);
  const c = createVariableSpeedColumns(rows);
  const e = createVariableSpeedEffects(rows);
  const generatorShare = 1 / (1 + (p.drivetrain.generatorInertiaKgM2 * p.drivetrain.gearRatio ** 2) / p.drivetrain.rotorInertiaKgM2);
  return {
    settle: (row, windMps) => plant.settle(c, row, windMps),
    step(windMps, airDensity, yawErrorDeg = 0) {
      c.windMps.set(windMps);
      c.yawErrorRad.fill(yawErrorDeg / DEG);
      plant.step(c, e, airDensity, 0, rows);
    },
    read(row) {
      const twisting = c.twistRadPerS[row];
      return {
        rotorRpm: RPM * (c.shaftRadPerS[row] + (1 - generatorShare) * twisting),
        generatorRpm: RPM * p.drivetrain.gearRatio * (c.shaftRadPerS[row] - generatorShare * twisting),
        pitchDeg: c.pitchRad[row] * DEG,
        powerKw: c.powerW[row] / 1_000,
        thrustKn: c.thrustN[row] / 1_000,
        towerTopM: c.foreAftM[row],
        towerSideM: c.sideSideM[row],
        aeroKw: c.aeroPowerW[row] / 1_000,
        torqueKnm: c.torqueNm[row] / 1_000,
        yawErrorDeg: c.yawErrorRad[row] * DEG,
        gearboxK: c.nacelleK[row] + c.gearboxK[row],
        generatorK: c.nacelleK[row] + c.generatorK[row],
      };
    },
  };
}

function fixedPitchPlant({ parameters: p }: Extract<TwinMachine, { kind: 'fixed-pitch' }>, rows: number): Plant {
  const c = createColumns(rows);
  const e = createEffects(rows);
  const still = keyColumns(Array.from({ length: rows }, (_, row) => createRng(row))); // the nacelle's sway moves no rotor
  let step = 0;
  let density = 1.225;
  return {
    settle(row, windMps) {
      c.windSpeedMps[row] = windMps;
      c.rotorSpeedRadPerS[row] = 0; // it starts by itself within seconds
    },
    step(windMps, airDensity) {
      density = airDensity;
      c.windSpeedMps.set(windMps);
      stepFixedPitch(c, e, p, still, { airDensity, ambientC: 0 }, step++, PLANT_STEP_S);
    },
    read(row) {
      const v = c.windSpeedMps[row];
      const omega = c.rotorSpeedRadPerS[row];
      const lambda = v > 0 ? (omega * p.rotorRadiusM) / v : 0;
      const pressureN = 0.5 * density * Math.PI * p.rotorRadiusM ** 2 * v * v;
      const torqueNm = pressureN * p.rotorRadiusM * torqueCoefficient(p, lambda);
      return {
        rotorRpm: RPM * omega,
        generatorRpm: RPM * omega, // the servo's gears are part of the generator
        pitchDeg: 0,
        powerKw: 0, // its generator works into an open circuit
        thrustKn: (pressureN * thrustCoefficient(lambda * torqueCoefficient(p, lambda))) / 1_000,
        towerTopM: 0,
        towerSideM: 0,
        aeroKw: (torqueNm * omega) / 1_000,
        torqueKnm: torqueNm / 1_000,
        yawErrorDeg: 0,
        gearboxK: c.dieTemperatureC[row],
        generatorK: c.dieTemperatureC[row],
      };
    },
  };
}
