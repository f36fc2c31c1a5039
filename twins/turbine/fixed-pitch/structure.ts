/** How the nacelle stands: it leans with the gusts, and its heading drifts as a gyro without a compass lets it. */
import type { DeskTurbineParameters } from '../../library/desk-turbine.ts';
import { type keyColumns, normalAt } from '../../rng.ts';
import type { Columns } from './columns.ts';

/** @param streams of the sway, a key a row. @param step number of the time step. @param dt seconds */
export function stepStructure(
  c: Columns,
  p: DeskTurbineParameters,
  { low, high }: ReturnType<typeof keyColumns>,
  step: number,
  dt: number,
): void {
  const a = Math.exp(-dt / p.swaySecond);
  const kick = p.swayRad * Math.sqrt(1 - a * a);
  const drift = p.gyroBiasRadPerS * dt;
  const walk = p.gyroWalkRadPerSqrtS * Math.sqrt(dt);
  for (let i = 0; i < low.length; i++) {
    c.swayRollRad[i] = a * c.swayRollRad[i] + kick * normalAt(low[i], high[i], 3 * step);
    c.swayPitchRad[i] = a * c.swayPitchRad[i] + kick * normalAt(low[i], high[i], 3 * step + 1);
    c.yawRad[i] += drift + walk * normalAt(low[i], high[i], 3 * step + 2);
  }
}
