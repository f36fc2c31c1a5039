/** Where the turbines of a farm stand: rows, grids, chance with a spacing, or a file. East is x, north is y, in metres. */
import type { Rng } from '../../actors/contracts/rng.ts';
import { parseNumberTable, refuse } from './csv.ts';

export interface Layout {
  /** [turbines] */
  readonly xM: Float64Array;
  readonly yM: Float64Array;
}

const ABOUT = 'a layout has the columns x,y in metres, a turbine a line';
const SAME_PLACE_M = 1;
const TRIES = 10_000;

/** Eastward, at equal distances. */
export const rowLayout = (count: number, spacingM: number): Layout => ({
  xM: Float64Array.from({ length: count }, (_, i) => i * spacingM),
  yM: new Float64Array(count),
});

/** As square as the count allows, filled row by row. */
export function gridLayout(count: number, spacingM: number): Layout {
  const width = Math.ceil(Math.sqrt(count));
  return {
    xM: Float64Array.from({ length: count }, (_, i) => (i % width) * spacingM),
    yM: Float64Array.from({ length: count }, (_, i) => Math.floor(i / width) * spacingM),
  };
}

/**
 * Anywhere in a square that holds twice the count at that spacing, never nearer than the spacing.
 *
 * @throws RangeError when no place is found for a turbine; the square is large enough for any count.
 */
export function randomLayout(count: number, spacingM: number, rng: Rng): Layout {
  const side = spacingM * Math.sqrt(2 * Math.max(1, count));
  const xM = new Float64Array(count);
  const yM = new Float64Array(count);
  let step = 0;
  for (let i = 0; i < count; i++) {
    const last = step + 2 * TRIES;
    do {
      if (step >= last) throw new RangeError(`no place for turbine ${i + 1} of ${count}`);
      xM[i] = side * rng.uniform(step++);
      yM[i] = side * rng.uniform(step++);
    } while (nearest(xM, yM, i) < spacingM);
  }
  return { xM, yM };
}

/** @throws FileInvalid by file, line and column: a missing column, no number, two turbines in one place. */
export function parseLayout(text: string, file: string): Layout {
  const table = parseNumberTable(text, file, { required: ['x', 'y'], about: ABOUT });
  const xM = table.column('x') as Float64Array;
  const yM = table.column('y') as Float64Array;
  const faults: string[] = [];
  for (let i = 0; i < table.rows; i++) {
    for (let j = 0; j < i; j++) {
      if (Math.hypot(xM[i] - xM[j], yM[i] - yM[j]) >= SAME_PLACE_M) continue;
      faults.push(`${table.place(i, 'x')} turbine ${i + 1} stands where turbine ${j + 1} stands (${xM[i]}, ${yM[i]})`);
      break;
    }
  }
  refuse(faults, ABOUT);
  return { xM, yM };
}

function nearest(xM: Float64Array, yM: Float64Array, count: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let j = 0; j < count; j++) least = Math.min(least, Math.hypot(xM[count] - xM[j], yM[count] - yM[j]));
  return least;
}
