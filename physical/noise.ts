/** The original's `--inject-noise`: now and then a reading is replaced by nonsense. Chance comes in as a stream of its own. */
import type { Rng } from '../actors/contracts/rng.ts';
import type { Readings } from './drivers/driver.ts';

/** P = 1/50 the quaternion ← 4 × U(0, 10); P = 1/20 rps ← U(0, 10); P = 1/50 voltage ← whole U(0, 1000). */
export function originalNoise(rng: Rng): (readings: Readings) => Readings {
  let step = 0;
  return (readings) => {
    const at = 8 * step++;
    const u = (k: number) => rng.uniform(at + k);
    return {
      ...readings,
      ...(u(0) < 1 / 50 ? { qw: 10 * u(1), qx: 10 * u(2), qy: 10 * u(3), qz: 10 * u(4) } : {}),
      ...(u(5) < 1 / 20 ? { rps: 10 * u(1) } : {}),
      ...(u(6) < 1 / 50 ? { voltage: Math.floor(1_000 * u(7)) } : {}),
    };
  };
}
