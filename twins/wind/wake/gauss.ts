/**
 * Gaussian wake (Bastankhah, Porté-Agel 2014 and 2016) in the form and with the constants of FLORIS' `gauss`:
 *
 *   d/U = C exp(−y²/2σy² − z²/2σz²),   C = 1 − √(1 − Ct cos γ D²/(8 σy σz))
 *   far wake, x ≥ x₀:  σ = σ₀ + k (x − x₀),   k = 0.38 I + 0.004,   σ₀ = D/√8 (times cos γ for σy)
 *   near wake:         σ = 0.501 D √(Ct/2) (1 − x/x₀) + σ₀ x/x₀
 *   x₀ = D cos γ (1 + s)/(√2 (4·0.58 I + 2·0.077 (1 − s))),   s = √(1 − Ct)
 *
 * The paper's σ₀ = D/2 √(u_R/(u + u s)) with u_R = u Ct/(2(1 − s)) is D/√8 for every Ct, since (1 − s)(1 + s) = Ct.
 */
import { addedTurbulenceScale, OVERLAP_MPS, REACH_CROSSWIND, REACH_DOWNWIND, turbulenceBehind } from './added-turbulence.ts';
import { ABREAST_M, type CastWake } from './columns.ts';
import { deflectionAngle, deflectionM } from './deflection.ts';

const ALPHA = 0.58; // near-wake length, turbulence of the air
const BETA = 0.077; // near-wake length, turbulence of the shear layer
const GROWTH_OF_TURBULENCE = 0.38; // ka
const GROWTH = 0.004; // kb
/** Beyond 8 σ a deficit is below 1.3e-14 of the wind: no speed changes by 1e-12 m/s. */
const REACH_SIGMA = 8;

export const gaussWake: CastWake = (c, source) => {
  const { count, downwindM, crosswindM, hubHeightM, rotorDiameterM, freeMps, deficitSquared, turbulenceIntensity } = c;
  const diameter = rotorDiameterM[source];
  const cosYaw = c.cosYaw[source];
  const thrust = c.thrustCoefficient[source];
  const intensity = turbulenceIntensity[source];
  const s = Math.sqrt(1 - thrust);
  const x0 = (diameter * cosYaw * (1 + s)) / (Math.SQRT2 * (4 * ALPHA * intensity + 2 * BETA * (1 - s)));
  const growth = GROWTH_OF_TURBULENCE * intensity + GROWTH;
  const sigmaZ0 = diameter / Math.sqrt(8);
  const sigmaY0 = sigmaZ0 * cosYaw;
  const sigmaNear = 0.501 * diameter * Math.sqrt(thrust / 2);
  const load = (thrust * cosYaw * diameter * diameter) / 8;
  const angle = deflectionAngle(cosYaw, c.sinYaw[source], thrust);
  const ambient = c.ambientTurbulence;
  const scale = addedTurbulenceScale(c.axialInduction[source], ambient);
  const [xs, ys, zs] = [downwindM[source], crosswindM[source], hubHeightM[source]];

  for (let t = source + 1; t < count; t++) {
    const x = downwindM[t] - xs;
    if (x <= ABREAST_M) continue;
    const far = x >= x0;
    const f = x / x0;
    const sigmaY = far ? sigmaY0 + growth * (x - x0) : sigmaNear * (1 - f) + sigmaY0 * f;
    const beside = crosswindM[t] - ys;
    const y = angle === 0 ? beside : beside - deflectionM(angle, diameter, x);
    const quarter = rotorDiameterM[t] / 4;
    if (Math.abs(y) - quarter > REACH_SIGMA * sigmaY) continue;

    const sigmaZ = far ? sigmaZ0 + growth * (x - x0) : sigmaNear * (1 - f) + sigmaZ0 * f;
    const peak = 1 - Math.sqrt(Math.max(0, 1 - load / (sigmaY * sigmaZ)));
    const perY = -0.5 / (sigmaY * sigmaY);
    const perZ = -0.5 / (sigmaZ * sigmaZ);
    const z = hubHeightM[t] - zs;
    const low = z - quarter;
    const high = z + quarter;
    const expLow = Math.exp(perZ * low * low);
    const atLow = peak * freeMps[3 * t] * expLow;
    const atHub = peak * freeMps[3 * t + 1] * (z === 0 ? 1 : Math.exp(perZ * z * z));
    const atHigh = peak * freeMps[3 * t + 2] * (z === 0 ? expLow : Math.exp(perZ * high * high));
    let inside = 0;
    for (let column = 0; column < 3; column++) {
      const dy = y + (column - 1) * quarter;
      const e = Math.exp(perY * dy * dy);
      const at = 9 * t + 3 * column;
      const dLow = atLow * e;
      const dHub = atHub * e;
      const dHigh = atHigh * e;
      deficitSquared[at] += dLow * dLow;
      deficitSquared[at + 1] += dHub * dHub;
      deficitSquared[at + 2] += dHigh * dHigh;
      inside += (dLow > OVERLAP_MPS ? 1 : 0) + (dHub > OVERLAP_MPS ? 1 : 0) + (dHigh > OVERLAP_MPS ? 1 : 0);
    }
    if (inside === 0 || x > REACH_DOWNWIND * diameter || Math.abs(beside) >= REACH_CROSSWIND * diameter) continue;
    const behind = turbulenceBehind(scale, ambient, x / diameter, inside / 9);
    if (behind > turbulenceIntensity[t]) turbulenceIntensity[t] = behind;
  }
};
