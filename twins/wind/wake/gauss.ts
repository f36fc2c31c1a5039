/**
 * The Gaussian wake of Bastankhah and Porté-Agel (J. Fluid Mech. 806, 2016), in the definitions of FLORIS:
 *
 *   C e^(−y²/2σ_y² − z²/2σ_z²),   C = 1 − √(1 − Ct cos γ / (8 σ_y σ_z / D²)),   σ = σ₀ + (0.38 TI + 0.004)(x − x₀)
 *
 * from x₀ on; before it σ grows in a line from the rotor to σ₀ = D/√8.
 */
import { POINTS, type WakeModel } from './model.ts';

const ALPHA = 0.58;
const BETA = 0.077;
const GROWTH_BY_TURBULENCE = 0.38;
const GROWTH = 0.004;
const NEAR_WIDTH = 0.501; // of D √(Ct/2), at the rotor
const REACH_SIGMAS = 6; // beyond it the deficit is below 2e-8 of the wind
const NEAR_SIGMA_MAX = 0.36; // of D: no wake is wider before it grows

export const gaussWake: WakeModel = {
  deficits({ diameterM, thrustCoefficient: ct, turbulenceIntensity, cosYaw }, downwindM, acrossM, upM, spanM, into) {
    const growth = GROWTH_BY_TURBULENCE * turbulenceIntensity + GROWTH;
    if (Math.abs(acrossM) - spanM > REACH_SIGMAS * (NEAR_SIGMA_MAX * diameterM + growth * downwindM)) return false;
    const s = Math.sqrt(1 - ct);
    const onset = (diameterM * cosYaw * (1 + s)) / (Math.SQRT2 * (4 * ALPHA * turbulenceIntensity + 2 * BETA * (1 - s)));
    const sigma0 = diameterM * Math.sqrt(1 / 8);
    let sigmaY: number;
    let sigmaZ: number;
    if (downwindM >= onset) {
      const grown = growth * (downwindM - onset);
      sigmaY = sigma0 * cosYaw + grown;
      sigmaZ = sigma0 + grown;
    } else {
      const share = downwindM / onset;
      const near = (1 - share) * NEAR_WIDTH * diameterM * Math.sqrt(ct / 2);
      sigmaY = near + share * sigma0 * cosYaw;
      sigmaZ = near + share * sigma0;
    }
    const depth = 1 - Math.sqrt(Math.max(0, 1 - (ct * cosYaw * diameterM * diameterM) / (8 * sigmaY * sigmaZ)));
    const y = -1 / (2 * sigmaY * sigmaY);
    const z = -1 / (2 * sigmaZ * sigmaZ);
    const level = Math.exp(z * upM * upM);
    const above = Math.exp(z * (upM + spanM) * (upM + spanM));
    const below = upM === 0 ? above : Math.exp(z * (upM - spanM) * (upM - spanM));
    for (let j = 0; j < POINTS; j++) {
      const across = acrossM + (j - 1) * spanM;
      const beside = depth * Math.exp(y * across * across);
      into[j * POINTS] = beside * below;
      into[j * POINTS + 1] = beside * level;
      into[j * POINTS + 2] = beside * above;
    }
    return true;
  },
};
