/**
 * Attitude from a unit quaternion (x, y, z, w), ZYX, in radians, as the original computes it: no normalisation, no unwrapping.
 *
 *   roll = atan2(2(wx + yz), 1 − 2(x² + y²)),  pitch = asin clamp(2(wy − zx)),  yaw = atan2(2(wz + xy), 1 − 2(y² + z²))
 */
export const roll = (x: number, y: number, z: number, w: number): number => Math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y));

export const pitch = (x: number, y: number, z: number, w: number): number => Math.asin(Math.max(-1, Math.min(1, 2 * (w * y - z * x))));

export const yaw = (x: number, y: number, z: number, w: number): number => Math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z));
