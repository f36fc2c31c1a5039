/**
 * Sideways deflection of a yawed rotor's wake, metres to the left of the wind (Jiménez, Crespo, Migoya 2010, as FLORIS integrates it):
 *
 *   ξ = cos γ sin γ Ct/2
 *   δ(x) = ξ D/(30 k) · ( (15 q⁴ + ξ²)/q⁵ − (15 + ξ²) ),   q = 1 + 2 k x/D
 *
 * γ turns the rotor counter-clockwise seen from above; its wake goes to the right.
 */
const EXPANSION = 0.05; // k_d, dimensionless, FLORIS' default

/** ξ, the deflection angle at the rotor in rad; Ct includes cos γ. */
export const deflectionAngle = (cosYaw: number, sinYaw: number, thrustCoefficient: number): number =>
  (cosYaw * sinYaw * thrustCoefficient) / 2;

/** @param xM metres behind the rotor, ≥ 0 */
export function deflectionM(angle: number, rotorDiameterM: number, xM: number): number {
  const q = 1 + (2 * EXPANSION * xM) / rotorDiameterM;
  const q4 = q * q * q * q;
  const squared = angle * angle;
  return ((angle * rotorDiameterM) / (30 * EXPANSION)) * ((15 * q4 + squared) / (q4 * q) - (15 + squared));
}
