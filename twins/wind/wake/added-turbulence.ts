/**
 * Turbulence that a wake adds (Crespo, Hernández 1996, as FLORIS applies it):
 *
 *   I⁺ = 0.5 a^0.8 I₀^0.1 (x/D)^−0.32,   I = max over sources of √((overlap I⁺)² + I₀²)
 *
 * with the ambient I₀, and the overlap the share of the rotor's nine points whose deficit exceeds 0.05 m/s. It ends 15 D behind the
 * source and 2 D beside it.
 */
const CONSTANT = 0.5; // of FLORIS' regression cases; the library's own default is 0.9
const INDUCTION_EXPONENT = 0.8;
const AMBIENT_EXPONENT = 0.1;
const DISTANCE_EXPONENT = -0.32;

export const REACH_DOWNWIND = 15; // rotor diameters
export const REACH_CROSSWIND = 2; // rotor diameters
/** m/s: a point with less than this of deficit is not in the wake. */
export const OVERLAP_MPS = 0.05;

/** What is left to multiply by (x/D)^−0.32: the same for all turbines behind one source. */
export const addedTurbulenceScale = (axialInduction: number, ambient: number): number =>
  CONSTANT * axialInduction ** INDUCTION_EXPONENT * ambient ** AMBIENT_EXPONENT;

/** I at a turbine `x` rotor diameters behind the source, 0..1. @param overlap 0..1 */
export function turbulenceBehind(scale: number, ambient: number, xOverD: number, overlap: number): number {
  const added = overlap * scale * xOverD ** DISTANCE_EXPONENT;
  return Math.sqrt(added * added + ambient * ambient);
}
