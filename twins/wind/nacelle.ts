/**
 * How a nacelle follows the wind: it turns at 0.3°/s once the smoothed wind has been more than 8° off, until it faces it.
 *
 * Assumptions; the yaw rate is that of the NREL 5-MW baseline.
 */
export interface Nacelle {
  /** @returns the angle from the rotor axis to the wind, degrees, −180..180. @param dt seconds */
  follow(directionDeg: number, dt: number): number;
}

const RATE_DEG_PER_S = 0.3;
const DEADBAND_DEG = 8;
const SMOOTHING_S = 60;

export function createNacelle(startDeg: number): Nacelle {
  let facing = startDeg;
  let smoothed = 0; // of the error
  let turning = false;
  return {
    follow(directionDeg, dt) {
      const error = shortestTurn(directionDeg - facing);
      smoothed += (1 - Math.exp(-dt / SMOOTHING_S)) * (error - smoothed);
      if (Math.abs(smoothed) > DEADBAND_DEG) turning = true;
      if (turning) {
        const step = Math.max(-RATE_DEG_PER_S * dt, Math.min(RATE_DEG_PER_S * dt, smoothed));
        facing += step;
        smoothed -= step;
        if (Math.abs(smoothed) < 0.5) turning = false;
      }
      return shortestTurn(directionDeg - facing);
    },
  };
}

/** Of an angle in degrees, −180..180. */
export const shortestTurn = (deg: number): number => ((((deg + 180) % 360) + 360) % 360) - 180;
