/** One step of fixed-pitch turbines: rotor, generator, anemometer, structure, heat. The farm and `twin respond` both call this. */
import type { Effects } from './effects.ts';
import type { DeskTurbineParameters } from '../../library/desk-turbine.ts';
import type { KeyColumns } from '../../rng.ts';
import { stepAnemometer } from './anemometer.ts';
import type { Columns } from './columns.ts';
import { stepGenerator } from './generator.ts';
import { stepRotor } from './rotor.ts';
import { stepStructure } from './structure.ts';
import { stepThermal } from './thermal.ts';

export interface FixedPitchSurroundings {
  /** kg/m³ */
  readonly airDensity: number;
  readonly ambientC: number;
}

/** Advances all rows by one step in the wind of their column. @param structure streams of the nacelle's sway, a key a row. @param dt seconds */
export function stepFixedPitch(
  c: Columns,
  e: Effects,
  p: DeskTurbineParameters,
  structure: KeyColumns,
  { airDensity, ambientC }: FixedPitchSurroundings,
  step: number,
  dt: number,
): void {
  const rows = structure.low.length;
  stepRotor(c, e, p, airDensity, 0, rows, dt);
  stepGenerator(c, e, p, 0, rows);
  stepAnemometer(c, e, p, 0, rows, dt);
  stepStructure(c, p, structure, step, dt, c.noise);
  stepThermal(c, e, p, ambientC, 0, rows, dt);
}
