/** Turbulence that a rotor adds behind itself (Crespo and Hernández 1996, constants as FLORIS' tests have them): 0.5 a^0.8 TI^0.1 (x/D)^−0.32. */
export const TURBULENCE_REACH_DIAMETERS = 15;
export const TURBULENCE_REACH_ACROSS_DIAMETERS = 2;
/** A point lies in a wake when it loses more than this. */
export const OVERLAP_MPS = 0.05;

/** The part that depends on the source alone. @param ambient turbulence intensity of the free wind, 0..1 */
export const addedTurbulenceSource = (axialInduction: number, ambient: number): number => 0.5 * axialInduction ** 0.8 * ambient ** 0.1;

/** @param diameters distance behind the source, > 0 */
export const addedTurbulenceDecay = (diameters: number): number => diameters ** -0.32;
