/**
 * The simplified Gaussian wake and turbine of IEA Wind Task 37's case studies (Baker et al. 2019), in closed form:
 *
 *   (1 − √(1 − Ct / (8 σ²/D²))) e^(−½ (y/σ)²),   σ = 0.0324555 x + D/√8,   Ct = 8/9
 */
import type { Layout } from '../layout.ts';
import type { RoseBin } from '../rose.ts';

const DIAMETER_M = 130;
const THRUST_COEFFICIENT = 8 / 9;
const GROWTH = 0.0324555;
const RATED_MW = 3.35;
const CUT_IN_MPS = 4;
const RATED_MPS = 9.8;
const CUT_OUT_MPS = 25;
const HOURS_A_YEAR = 8_760;

export const IEA37_WIND_MPS = 9.8;

/** Energy of a year, MWh: all, and by the bins of the rose. */
export function iea37Energy({ xM, yM }: Layout, rose: readonly RoseBin[]): { readonly mwh: number; readonly bins: readonly number[] } {
  const bins = rose.map(({ directionDeg, probability, windMps }) => {
    const free = windMps ?? IEA37_WIND_MPS;
    const towards = ((270 - directionDeg) * Math.PI) / 180;
    const [cos, sin] = [Math.cos(towards), Math.sin(towards)];
    let megawatts = 0;
    for (let t = 0; t < xM.length; t++) {
      let squares = 0;
      for (let s = 0; s < xM.length; s++) {
        const behind = cos * (xM[t] - xM[s]) + sin * (yM[t] - yM[s]);
        if (behind > 1e-9) squares += deficit(behind, -sin * (xM[t] - xM[s]) + cos * (yM[t] - yM[s])) ** 2;
      }
      megawatts += iea37PowerMw(free * (1 - Math.sqrt(squares)));
    }
    return megawatts * probability * HOURS_A_YEAR;
  });
  return { mwh: bins.reduce((sum, bin) => sum + bin, 0), bins };
}

export function iea37PowerMw(windMps: number): number {
  if (windMps < CUT_IN_MPS || windMps >= CUT_OUT_MPS) return 0;
  return windMps >= RATED_MPS ? RATED_MW : RATED_MW * ((windMps - CUT_IN_MPS) / (RATED_MPS - CUT_IN_MPS)) ** 3;
}

function deficit(behindM: number, acrossM: number): number {
  const sigma = GROWTH * behindM + DIAMETER_M / Math.sqrt(8);
  return (
    (1 - Math.sqrt(1 - THRUST_COEFFICIENT / ((8 * sigma * sigma) / (DIAMETER_M * DIAMETER_M)))) * Math.exp(-0.5 * (acrossM / sigma) ** 2)
  );
}
