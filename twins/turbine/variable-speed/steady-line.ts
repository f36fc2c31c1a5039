/**
 * The published steady operation of a turbine at 1.225 kg/m³, at any wind speed from cut-in to cut-out: Cp and Ct linear between the
 * rows of its table, the rotor's speed from the power through the torque law, the pitch from its own rows.
 *
 * Above rated the power is the rated one, not the interpolated Cp, which overshoots it between two rows.
 */
import type { VariableSpeedParameters } from './parameters.ts';
import { speedAtPower, type TorqueLaw } from './torque-law.ts';

export const REFERENCE_DENSITY = 1.225; // kg/m³, ISA sea level

export interface OperatingPoint {
  readonly windMps: number;
  /** Of the rotor, slow shaft. */
  readonly rotorRadPerS: number;
  readonly pitchRad: number;
  /** Shaft power and thrust coefficients on the rotor's own area. */
  readonly powerCoefficient: number;
  readonly thrustCoefficient: number;
}

/** Just above rated speed the pitch climbs steeply, as the table's thrust shows; exponent and start are assumptions. */
const PITCH_KNEE = { exponent: 0.6, beforeRatedMps: 0.02 };

export function steadyLine(p: VariableSpeedParameters, law: TorqueLaw): (windMps: number) => OperatingPoint {
  const { rows, pitchRows, diameterM } = p.steadyTable;
  const area = Math.PI * p.rotorRadiusM ** 2;
  const tableArea = (Math.PI * diameterM ** 2) / 4;
  const rated = rows.find(([, powerKw]) => powerKw * 1_000 >= (1 - 1e-6) * p.torque.ratedMechanicalW * p.drivetrain.generatorEfficiency);
  const ratedMps = rated?.[0] ?? Number.POSITIVE_INFINITY;
  const powerCoefficients = rows.map(([v, kw]) => [v, v > 0 ? (kw * 1_000) / (0.5 * REFERENCE_DENSITY * tableArea * v ** 3) : 0] as const);
  const thrustCoefficients = rows.map(([v, , ct]) => [v, ct] as const);

  return (windMps) => {
    const pressureW = 0.5 * REFERENCE_DENSITY * windMps ** 3;
    const isRated = windMps >= ratedMps;
    const shaftW = isRated
      ? p.torque.ratedMechanicalW
      : (between(powerCoefficients, windMps) * tableArea * pressureW) / p.drivetrain.generatorEfficiency;
    return {
      windMps,
      rotorRadPerS: (isRated ? p.pitch.referenceRadPerS : speedAtPower(p, law, shaftW)) / p.drivetrain.gearRatio,
      pitchRad: isRated ? (pitchDeg(pitchRows, ratedMps, windMps) * Math.PI) / 180 : 0,
      powerCoefficient: shaftW / (pressureW * area),
      thrustCoefficient: (between(thrustCoefficients, windMps) * tableArea) / area,
    };
  };
}

function pitchDeg(rows: readonly (readonly [number, number])[], ratedMps: number, windMps: number): number {
  const [firstMps, firstDeg] = rows[0];
  if (windMps >= firstMps) return between(rows, windMps);
  const from = ratedMps - PITCH_KNEE.beforeRatedMps;
  return firstDeg * ((windMps - from) / (firstMps - from)) ** PITCH_KNEE.exponent;
}

/** Linear between rows, held beyond them; rows ascend. */
export function between(rows: readonly (readonly [number, number])[], x: number): number {
  let low = 0;
  let high = rows.length - 1;
  if (x <= rows[low][0]) return rows[low][1];
  if (x >= rows[high][0]) return rows[high][1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (rows[middle][0] < x) low = middle;
    else high = middle;
  }
  const [x0, y0] = rows[low];
  const [x1, y1] = rows[high];
  return y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
}
