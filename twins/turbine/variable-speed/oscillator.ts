/**
 * A damped oscillator under a force that stands still during a step, stepped exactly:
 *
 *   x″ + 2 ζ ω x′ + ω² x = f   ⇒   (x − f/ω², x′) ← M (x − f/ω², x′),   M = e^(A dt)
 *
 * So neither the torsion of the shaft nor the tower limits the time step.
 */
export interface Oscillator {
  readonly m00: number;
  readonly m01: number;
  readonly m10: number;
  readonly m11: number;
  /** 1/ω², s². */
  readonly compliance: number;
}

/** @param radPerS undamped angular frequency ω. @param dampingRatio ζ, 0 ≤ ζ < 1. @param dt seconds */
export function createOscillator(radPerS: number, dampingRatio: number, dt: number): Oscillator {
  const decay = dampingRatio * radPerS;
  const damped = radPerS * Math.sqrt(1 - dampingRatio * dampingRatio);
  const e = Math.exp(-decay * dt);
  const c = Math.cos(damped * dt);
  const s = Math.sin(damped * dt) / damped;
  return {
    m00: e * (c + decay * s),
    m01: e * s,
    m10: -e * radPerS * radPerS * s,
    m11: e * (c - decay * s),
    compliance: 1 / (radPerS * radPerS),
  };
}
