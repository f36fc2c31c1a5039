/** The cup anemometer on the nacelle: its cups follow the wind with a lag. */
import type { Effects } from './effects.ts';
import type { DeskTurbineParameters } from '../../library/desk-turbine.ts';
import type { Columns } from './columns.ts';

export function stepAnemometer(c: Columns, e: Effects, p: DeskTurbineParameters, first: number, last: number, dt: number): void {
  const share = 1 - Math.exp(-dt / p.anemometerLagS);
  for (let i = first; i < last; i++) {
    const target = (c.windSpeedMps[i] * e.anemometerFactor[i]) / (p.anemometerFactor * p.anemometerRadiusM);
    c.anemometerSpeedRadPerS[i] += share * (target - c.anemometerSpeedRadPerS[i]);
    c.anemometerAngleRad[i] += c.anemometerSpeedRadPerS[i] * dt;
  }
}
