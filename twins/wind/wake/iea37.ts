/**
 * The simplified Gaussian wake of IEA Wind Task 37's layout case studies (Thomas, Ning et al. 2018), in closed form:
 *
 *   d/U = (1 − √(1 − Ct D²/(8 σ²))) exp(−y²/2σ²),   σ = 0.0324555 x + D/√8,   Ct = 8/9
 *   u = U (1 − √Σ(d/U)²),   P = 3.35 MW ((u − 4)/5.8)³ up to 9.8 m/s
 *
 * Seen at the hub alone, without shear; Ct does not depend on the wind, so the order of the turbines does not matter.
 */
import { ABREAST_M } from './columns.ts';
import { rotateIntoWind } from './frame.ts';

export const iea37 = {
  rotorDiameterM: 130,
  thrustCoefficient: 8 / 9,
  wakeGrowth: 0.0324555,
  cutInMps: 4,
  ratedMps: 9.8,
  cutOutMps: 25,
  ratedKw: 3350,
} as const;

/** d/U, 0..1, `xM` behind a rotor and `yM` beside its axis. */
export function iea37Deficit(xM: number, yM: number): number {
  const sigma = iea37.wakeGrowth * xM + iea37.rotorDiameterM / Math.sqrt(8);
  const peak = 1 - Math.sqrt(1 - iea37.thrustCoefficient / (8 * (sigma / iea37.rotorDiameterM) ** 2));
  return peak * Math.exp(-0.5 * (yM / sigma) ** 2);
}

export function iea37PowerKw(windMps: number): number {
  const { cutInMps, ratedMps, cutOutMps, ratedKw } = iea37;
  if (windMps < cutInMps || windMps >= cutOutMps) return 0;
  return windMps >= ratedMps ? ratedKw : ratedKw * ((windMps - cutInMps) / (ratedMps - cutInMps)) ** 3;
}

/** Power of the whole farm, kW. @param directionDeg where the wind comes from, clockwise from north */
export function iea37FarmKw(xM: Float64Array, yM: Float64Array, windMps: number, directionDeg: number): number {
  const count = xM.length;
  const [downwind, crosswind] = [new Float64Array(count), new Float64Array(count)];
  rotateIntoWind(xM, yM, directionDeg, downwind, crosswind);
  let powerKw = 0;
  for (let t = 0; t < count; t++) {
    let squares = 0;
    for (let s = 0; s < count; s++) {
      const x = downwind[t] - downwind[s];
      if (x > ABREAST_M) squares += iea37Deficit(x, crosswind[t] - crosswind[s]) ** 2;
    }
    powerKw += iea37PowerKw(windMps * (1 - Math.sqrt(squares)));
  }
  return powerKw;
}
