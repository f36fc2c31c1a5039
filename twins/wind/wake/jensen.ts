/**
 * Top-hat wake (N. O. Jensen, A note on wind generator interaction, Risø-M-2411, 1983), as FLORIS samples it:
 *
 *   d/U = 2 a (R/(R + k x))²   inside r < R + k x,   a = (1 − √(1 − Ct))/2
 */
import { ABREAST_M, type CastWake } from './columns.ts';
import { deflectionAngle, deflectionM } from './deflection.ts';

const WAKE_DECAY = 0.05; // k, dimensionless, FLORIS' default; Jensen's own case has 0.1

/** d/U on the wake's whole width, 0..1. @param xM metres behind the rotor */
export function jensenDeficit(axialInduction: number, rotorRadiusM: number, xM: number, decay: number = WAKE_DECAY): number {
  const narrowing = rotorRadiusM / (rotorRadiusM + decay * xM);
  return 2 * axialInduction * narrowing * narrowing;
}

export const jensenWake = (decay: number = WAKE_DECAY): CastWake =>
  function castJensen(c, source) {
    const { count, downwindM, crosswindM, hubHeightM, rotorDiameterM, freeMps, deficitSquared } = c;
    const radius = rotorDiameterM[source] / 2;
    const induction = c.axialInduction[source];
    const angle = deflectionAngle(c.cosYaw[source], c.sinYaw[source], c.thrustCoefficient[source]);

    for (let t = source + 1; t < count; t++) {
      const x = downwindM[t] - downwindM[source];
      if (x <= ABREAST_M) continue;
      const width = radius + decay * x;
      const off = angle === 0 ? 0 : deflectionM(angle, 2 * radius, x);
      const y = crosswindM[t] - crosswindM[source] - off;
      const quarter = rotorDiameterM[t] / 4;
      if (Math.abs(y) - quarter >= width) continue;
      const deficit = jensenDeficit(induction, radius, x, decay);
      const z = hubHeightM[t] - hubHeightM[source];
      for (let row = 0; row < 3; row++) {
        const dz = z + (row - 1) * quarter;
        const d = deficit * freeMps[3 * t + row];
        for (let column = 0; column < 3; column++) {
          const dy = y + (column - 1) * quarter;
          if (dy * dy + dz * dz < width * width) deficitSquared[9 * t + 3 * column + row] += d * d;
        }
      }
    }
  };
