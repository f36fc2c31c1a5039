/**
 * Analytic torque and thrust coefficients of a three-bladed multi-megawatt rotor over tip-speed ratio λ and pitch β.
 *
 *   Cp = c₀ (c₁/λᵢ − c₂ β − c₃ |β|^c₁₀ sgn β − c₄) e^(−c₅/λᵢ) + c₆ λ,   1/λᵢ = 1/(λ + c₇ β + c₈) − c₉/(c₁₁ β² + 1)
 *   Ct = Σ kᵢⱼ (λ/8)ⁱ (β/10)ʲ
 *
 * Fitted to the Cp/Ct tables of the NREL 5-MW rotor that NREL/ROSCO fc11f43 computes (Apache-2.0) over λ 2.5–13 and β −1–26°;
 * rms error on the operating line 0.005 and 0.002. Outside that range it is continued, and that is an assumption: torque falls to a
 * small positive one at standstill, thrust is held, and from 30° to feather at 90° both fade.
 */

const C = [0.303434, 83.6527, -2.60028, 2.3624, 7.71541, 14.4251, 0.0415668, 0.0364714, -0.423502, 0.0108845, 1.16216, 0.155763];
/** [i][j], of (λ/8)ⁱ (β/10)ʲ. */
const K = [
  [-0.54807, 0.36913, -0.084606, 0.0013753, -0.00090841],
  [2.6916, -0.82258, 0.14816, 0.021482],
  [-1.9146, -0.17155, -0.24243],
  [0.66328, 0.059655],
  [-0.082006],
];
const LAMBDA_MIN = 2.5; // the power fit has a pole below
const LAMBDA_MAX_THRUST = 13;
const PITCH_MAX_DEG = 26;
const FADE_FROM_DEG = 30;
const FEATHER_DEG = 90;
const TORQUE_AT_REST = 0.012; // assumption: enough to start in 4 m/s
const THRUST_AT_REST = 0.05; // assumption: the drag of blades that stand
const THRUST_MIN = 0.02; // a rotor that brakes pushes back; its sign is not followed

/** Cq = Cp / λ, dimensionless, for λ ≥ 0 and pitch in degrees from −5 to 90. */
export function baseTorqueCoefficient(lambda: number, pitchDeg: number): number {
  const fade = fading(pitchDeg);
  const beta = Math.min(pitchDeg, FADE_FROM_DEG);
  if (lambda >= LAMBDA_MIN) return (fade * fittedPower(lambda, beta)) / lambda;
  const edge = fittedPower(LAMBDA_MIN, beta) / LAMBDA_MIN;
  return fade * (TORQUE_AT_REST + smooth(lambda / LAMBDA_MIN) * (edge - TORQUE_AT_REST));
}

/** Ct, dimensionless, as above. */
export function baseThrustCoefficient(lambda: number, pitchDeg: number): number {
  const beta = Math.min(pitchDeg, PITCH_MAX_DEG);
  const held = Math.min(LAMBDA_MAX_THRUST, Math.max(LAMBDA_MIN, lambda));
  let thrust = 0;
  for (const [i, row] of K.entries()) for (const [j, k] of row.entries()) thrust += k * (held / 8) ** i * (beta / 10) ** j;
  const rest = THRUST_AT_REST * Math.cos((pitchDeg * Math.PI) / 180) ** 2;
  const turning = Math.max(fading(pitchDeg) * thrust, THRUST_MIN);
  return lambda >= LAMBDA_MIN ? turning : rest + smooth(lambda / LAMBDA_MIN) * (turning - rest);
}

function fittedPower(lambda: number, beta: number): number {
  const inverse = 1 / (lambda + C[7] * beta + C[8]) - C[9] / (C[11] * beta * beta + 1);
  const bracket = C[1] * inverse - C[2] * beta - C[3] * Math.abs(beta) ** C[10] * Math.sign(beta) - C[4];
  return C[0] * bracket * Math.exp(-C[5] * inverse) + C[6] * lambda;
}

const fading = (pitchDeg: number) =>
  pitchDeg <= FADE_FROM_DEG ? 1 : Math.max(0, (FEATHER_DEG - pitchDeg) / (FEATHER_DEG - FADE_FROM_DEG));

/** 0 at 0, 1 at 1, level at both ends. */
const smooth = (x: number) => x * x * (3 - 2 * x);
