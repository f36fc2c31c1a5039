/** How the nacelle stands: it leans with the gusts, and its heading drifts as a gyro without a compass lets it. */
import type { Rng } from '../../../actors/contracts/rng.ts';
import type { DeskTurbineParameters } from '../../library/desk-turbine.ts';
import type { Columns } from './columns.ts';

/** @param streams one a row. @param step number of the time step. @param dt seconds */
export function stepStructure(c: Columns, p: DeskTurbineParameters, streams: readonly Rng[], step: number, dt: number): void {
  const a = Math.exp(-dt / p.swaySecond);
  const kick = p.swayRad * Math.sqrt(1 - a * a);
  for (let i = 0; i < streams.length; i++) {
    c.swayRollRad[i] = a * c.swayRollRad[i] + kick * streams[i].normal(3 * step);
    c.swayPitchRad[i] = a * c.swayPitchRad[i] + kick * streams[i].normal(3 * step + 1);
    c.yawRad[i] += p.gyroBiasRadPerS * dt + p.gyroWalkRadPerSqrtS * Math.sqrt(dt) * streams[i].normal(3 * step + 2);
  }
}
