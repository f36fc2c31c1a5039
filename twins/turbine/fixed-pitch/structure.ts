/** How the nacelle stands: it leans with the gusts, and its heading drifts as a gyro without a compass lets it. */
import type { DeskTurbineParameters } from '../../library/desk-turbine.ts';
import { fillNormals, type KeyColumns } from '../../rng.ts';
import type { Columns } from './columns.ts';

/** @param streams of the sway, a key a row. @param noise [rows] room. @param step number of the time step. @param dt seconds */
export function stepStructure(
  c: Columns,
  p: DeskTurbineParameters,
  streams: KeyColumns,
  step: number,
  dt: number,
  noise: Float64Array,
): void {
  const a = Math.exp(-dt / p.swaySecond);
  const kick = p.swayRad * Math.sqrt(1 - a * a);
  const drift = p.gyroBiasRadPerS * dt;
  const walk = p.gyroWalkRadPerSqrtS * Math.sqrt(dt);
  const rows = streams.low.length;
  fillNormals(noise, streams, 3 * step);
  for (let i = 0; i < rows; i++) c.swayRollRad[i] = a * c.swayRollRad[i] + kick * noise[i];
  fillNormals(noise, streams, 3 * step + 1);
  for (let i = 0; i < rows; i++) c.swayPitchRad[i] = a * c.swayPitchRad[i] + kick * noise[i];
  fillNormals(noise, streams, 3 * step + 2);
  for (let i = 0; i < rows; i++) c.yawRad[i] += drift + walk * noise[i];
}
