/**
 * How far a yawed rotor pushes its wake aside (Jiménez, Crespo, Migoya 2010), with ξ = cos γ sin γ Ct / 2, in metres at x behind it:
 *
 *   δ = ξ (15 (2 k x/D + 1)⁴ + ξ²) / ((30 k/D)(2 k x/D + 1)⁵) − ξ D (15 + ξ²) / (30 k)
 */
import type { WakeSource } from './model.ts';

const K = 0.05;

/** Positive yaw, counter-clockwise from above, pushes to the right of the wind: the answer is negative. */
export function wakeDeflectionM({ diameterM, thrustCoefficient, cosYaw, sinYaw }: WakeSource, downwindM: number): number {
  const xi = (cosYaw * sinYaw * thrustCoefficient) / 2;
  const grown = (2 * K * downwindM) / diameterM + 1;
  return (xi * (15 * grown ** 4 + xi * xi)) / (((30 * K) / diameterM) * grown ** 5) - (xi * diameterM * (15 + xi * xi)) / (30 * K);
}
