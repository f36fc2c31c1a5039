/** What a wake model answers: how much slower the wind is behind a turbine, at the nine points of another rotor. */

/** A turbine that casts a wake. */
export interface WakeSource {
  diameterM: number;
  /** Across the wind: thrust coefficient times the cosine of the yaw. */
  thrustCoefficient: number;
  axialInduction: number;
  /** Of the air that meets it, 0..1. */
  turbulenceIntensity: number;
  cosYaw: number;
  sinYaw: number;
}

/** Points of a rotor across and up: −¼, 0, +¼ of its diameter. */
export const POINTS = 3;

export interface WakeModel {
  /**
   * Writes the deficits, shares of the free wind, at the points of a rotor; [across × up].
   *
   * @param downwindM distance behind the source, > 0. @param acrossM of the rotor's middle from the deflected wake's. @param upM as well.
   * @param spanM distance of the points from each other. @returns false when all are 0; `into` is then untouched.
   */
  deficits(source: WakeSource, downwindM: number, acrossM: number, upM: number, spanM: number, into: Float64Array): boolean;
}
