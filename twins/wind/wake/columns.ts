/**
 * The columns of a farm while its wakes are solved, turbines sorted from upwind to downwind.
 *
 * Every rotor is seen at 3 × 3 points, 0 and ±D/4 around its hub (FLORIS' turbine grid), where
 * U(z) = U (z/z_ref)^α is the free wind and the wakes' deficits d combine to u = U(z) − √Σd².
 */

export interface WakeColumns {
  readonly count: number;
  /** [turbines] metres downwind, rising, and metres to the left of the wind. */
  readonly downwindM: Float64Array;
  readonly crosswindM: Float64Array;
  readonly hubHeightM: Float64Array;
  readonly rotorDiameterM: Float64Array;
  readonly cosYaw: Float64Array;
  readonly sinYaw: Float64Array;
  /** [turbines], known for a turbine once all upwind of it have cast their wakes. */
  readonly thrustCoefficient: Float64Array;
  readonly axialInduction: Float64Array;
  /** [turbines] 0..1, ambient and what upwind turbines add. */
  readonly turbulenceIntensity: Float64Array;
  /** [turbines × 3] m/s at −D/4, 0 and +D/4 from the hub's height. */
  readonly freeMps: Float64Array;
  /** [turbines × 3 lateral × 3 vertical] Σd² in m²/s², right to left, low to high. */
  readonly deficitSquared: Float64Array;
  ambientTurbulence: number;
}

/** Adds the wake of turbine `source` to all turbines behind it. A function a wake model; called in order, once a turbine. */
export type CastWake = (columns: WakeColumns, source: number) => void;

/** Nearer than this downwind, two turbines stand abreast: neither is in the other's wake. As in FLORIS, larger than rounding in a rotated layout. */
export const ABREAST_M = 0.1;

export function createWakeColumns(count: number): WakeColumns {
  const column = (width = 1) => new Float64Array(count * width);
  return {
    count,
    downwindM: column(),
    crosswindM: column(),
    hubHeightM: column(),
    rotorDiameterM: column(),
    cosYaw: column(),
    sinYaw: column(),
    thrustCoefficient: column(),
    axialInduction: column(),
    turbulenceIntensity: column(),
    freeMps: column(3),
    deficitSquared: column(9),
    ambientTurbulence: 0,
  };
}
