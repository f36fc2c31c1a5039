/**
 * What the wind does to the rotor: torque ½ρAR v² Cq(λ, β) and thrust ½ρA v² Ct(λ, β), v the wind relative to the moving tower top,
 * reduced by cos^(1.88/3) of the angle to it (power then falls with cos^1.88, FLORIS).
 *
 * The anchors k(λ) correct the *steady* curve, so they are looked up without the tower's motion: else the sharp knee of the published
 * thrust at rated wind would push a nodding tower further.
 */
import type { VariableSpeedColumns } from './columns.ts';
import type { VariableSpeedEffects } from './effects.ts';
import type { VariableSpeedParameters } from './parameters.ts';
import {
  LAMBDA_ANCHORS_PER_UNIT,
  LAMBDA_MAX,
  LAMBDA_STEP,
  PITCH_ANCHORS_PER_DEG,
  PITCH_CELLS,
  PITCHED_DEG,
  PITCH_MIN_DEG,
  type Surface,
} from './surface.ts';

const YAW_EXPONENT = 1.88 / 3;
const RELATIVE_WIND_MIN = 0.1; // m/s: below it λ means nothing
const DEG = 180 / Math.PI;

/** @returns the step over rows `first` up to, not including, `last`, in air of a density in kg/m³. */
export function createRotor(p: VariableSpeedParameters, surface: Surface, generatorInertiaShare: number) {
  const area = Math.PI * p.rotorRadiusM ** 2;
  const radius = p.rotorRadiusM;
  const { base, byLambda, byPitch } = surface;
  const row = 2 * (PITCH_CELLS + 1);

  return (c: VariableSpeedColumns, e: VariableSpeedEffects, airDensity: number, first: number, last: number): void => {
    const { windMps, yawErrorRad, foreAftMps, shaftRadPerS, twistRadPerS, pitchRad, aeroTorqueNm, thrustN } = c;
    const { slotOf, power, thrust, pitchBiasRad, yawErrorRad: addedYaw } = e;
    const half = 0.5 * airDensity * area;
    for (let i = first; i < last; i++) {
      const slot = slotOf[i];
      const yaw = yawErrorRad[i] + addedYaw[slot];
      const across = yaw === 0 ? 1 : Math.cos(yaw) ** YAW_EXPONENT;
      const free = windMps[i] * across;
      const relative = free - foreAftMps[i];
      const v = Math.max(relative, RELATIVE_WIND_MIN);
      const tipMps = (shaftRadPerS[i] + generatorInertiaShare * twistRadPerS[i]) * radius;
      const ratio = tipMps / v;
      const steady = tipMps / Math.max(free, RELATIVE_WIND_MIN);
      const lambda = ratio < 0 ? 0 : Math.min(ratio, LAMBDA_MAX);
      const degrees = (pitchRad[i] + pitchBiasRad[slot]) * DEG;
      const beta = degrees < PITCH_MIN_DEG ? PITCH_MIN_DEG : Math.min(degrees, 90);

      // bilinear in the base table, linear in the two anchors: as `readSurface`, inlined
      const x = lambda / LAMBDA_STEP;
      const y = beta - PITCH_MIN_DEG;
      const xi = x >= LAMBDA_MAX / LAMBDA_STEP ? LAMBDA_MAX / LAMBDA_STEP - 1 : x | 0;
      const yi = y >= PITCH_CELLS ? PITCH_CELLS - 1 : y | 0;
      const fx = x - xi;
      const fy = y - yi;
      const n = xi * row + 2 * yi;
      const f = n + row;
      const a = (steady < 0 ? 0 : Math.min(steady, LAMBDA_MAX)) * LAMBDA_ANCHORS_PER_UNIT;
      const ai = (a | 0) << 2;
      const af = a - (a | 0);
      const b = beta > 0 ? beta * PITCH_ANCHORS_PER_DEG : 0;
      const bi = (b | 0) << 1;
      const bf = b - (b | 0);
      const q0 = base[n] + fy * (base[n + 2] - base[n]);
      const q1 = base[f] + fy * (base[f + 2] - base[f]);
      const t0 = base[n + 1] + fy * (base[n + 3] - base[n + 1]);
      const t1 = base[f + 1] + fy * (base[f + 3] - base[f + 1]);
      const pitched = beta <= 0 ? 0 : beta >= PITCHED_DEG ? 1 : beta / PITCHED_DEG;
      const fineQ = byLambda[ai] + af * (byLambda[ai + 4] - byLambda[ai]);
      const fineT = byLambda[ai + 1] + af * (byLambda[ai + 5] - byLambda[ai + 1]);
      const pitchedQ = byLambda[ai + 2] + af * (byLambda[ai + 6] - byLambda[ai + 2]);
      const pitchedT = byLambda[ai + 3] + af * (byLambda[ai + 7] - byLambda[ai + 3]);
      const kq = (fineQ + pitched * (pitchedQ - fineQ)) * (byPitch[bi] + bf * (byPitch[bi + 2] - byPitch[bi]));
      const kt = (fineT + pitched * (pitchedT - fineT)) * (byPitch[bi + 1] + bf * (byPitch[bi + 3] - byPitch[bi + 1]));

      const pressure = half * v * v;
      aeroTorqueNm[i] = pressure * radius * (q0 + fx * (q1 - q0)) * kq * power[slot];
      thrustN[i] = pressure * (t0 + fx * (t1 - t0)) * kt * thrust[slot];
    }
  };
}
