/** The hacked servo as a generator into an open circuit: U = ke ω − Ub, never below 0 (the controller's diodes clamp it). */
import type { Effects } from './effects.ts';
import type { DeskTurbineParameters } from '../../library/desk-turbine.ts';
import type { Columns } from './columns.ts';

export function stepGenerator(c: Columns, e: Effects, p: DeskTurbineParameters, first: number, last: number): void {
  for (let i = first; i < last; i++) {
    const emf = p.generatorConstantVS * e.generatorFactor[i] * c.rotorSpeedRadPerS[i] - p.brushDropV;
    c.generatorV[i] = e.brushOpen[i] ? 0 : Math.max(0, emf);
  }
}
