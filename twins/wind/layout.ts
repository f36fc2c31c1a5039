/** Where the turbines of a farm stand: rows, grids, chance with a spacing, or a file. East is x, north is y, in metres. */
import { UsageError } from '../../actors/contracts/errors.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import { parseNumberTable, refuse } from './csv.ts';

export interface Layout {
  /** [turbines] */
  readonly xM: Float64Array;
  readonly yM: Float64Array;
}

const ABOUT = 'a layout has the columns x,y in metres, a turbine a line';
const SAME_PLACE_M = 1;
const FARTHEST_M = 2e7; // half of the earth's circumference: map coordinates are within it
const SPACING_MAX_M = 10_000;
const TRIES = 10_000;

/** Eastward, at equal distances. */
export const rowLayout = (count: number, spacingM: number): Layout => ({
  xM: Float64Array.from({ length: count }, (_, i) => i * spacingM),
  yM: new Float64Array(count),
});

/**
 * As square as the count allows, grown east and then north around what stands already: a turbine keeps its place when others are added,
 * and in a wind from the west each stands behind or beside those before it.
 *
 *   6 7 8
 *   2 3 5
 *   0 1 4
 */
export function gridLayout(count: number, spacingM: number): Layout {
  const xM = new Float64Array(count);
  const yM = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const shell = Math.floor(Math.sqrt(i)); // holds i from shell² on: a column of `shell`, then a row of one more
    const at = i - shell * shell;
    xM[i] = spacingM * (at < shell ? shell : at - shell);
    yM[i] = spacingM * Math.min(at, shell);
  }
  return { xM, yM };
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

/**
 * A layout by its shape and its spacing in metres: `row:630`, `grid:880`, `random:700`. Null: the text is no shape, but a file's name.
 *
 * @throws UsageError for a spacing that is none
 */
export function shapedLayout(text: string, count: number, rng: Rng): Layout | null {
  const [shape, spacing] = /^(row|grid|random):(.*)$/.exec(text)?.slice(1) ?? [];
  if (shape === undefined) return null;
  const spacingM = /^\d+(\.\d+)?$/.test(spacing) ? Number(spacing) : Number.NaN;
  if (!(spacingM >= SAME_PLACE_M && spacingM <= SPACING_MAX_M))
    throw new UsageError(`${text}: ${spacing === '' ? 'nothing' : spacing} is no spacing within ${SAME_PLACE_M}..${SPACING_MAX_M} m`, {
      hint: 'as row:630, grid:880, random:700',
    });
  if (shape === 'row') return rowLayout(count, spacingM);
  return shape === 'grid' ? gridLayout(count, spacingM) : randomLayout(count, spacingM, rng);
}

/** @throws FileInvalid by file, line and column: a missing column, no number, two turbines in one place. */
export function parseLayout(text: string, file: string): Layout {
  const table = parseNumberTable(text, file, { required: ['x', 'y'], about: ABOUT });
  const xM = table.column('x') as Float64Array;
  const yM = table.column('y') as Float64Array;
  const faults: string[] = [];
  for (let i = 0; i < table.rows; i++) {
    for (const [name, at] of [
      ['x', xM[i]],
      ['y', yM[i]],
    ] as const)
      if (Math.abs(at) > FARTHEST_M)
        faults.push(`${table.place(i, name)} ${name} ${at} is more than ${FARTHEST_M / 1_000} km: is it in metres?`);
    for (let j = 0; j < i; j++) {
      if (Math.hypot(xM[i] - xM[j], yM[i] - yM[j]) >= SAME_PLACE_M) continue;
      faults.push(`${table.place(i, 'x')} turbine ${i + 1} stands where turbine ${j + 1} stands (${xM[i]}, ${yM[i]})`);
      break;
    }
  }
  const degrees = table.rows > 1 && xM.every((x) => Math.abs(x) <= 180) && yM.every((y) => Math.abs(y) <= 90);
  refuse(faults, faults.length > 0 && degrees ? `${ABOUT}; are these degrees of longitude and latitude?` : ABOUT);
  return { xM, yM };
}

function nearest(xM: Float64Array, yM: Float64Array, count: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let j = 0; j < count; j++) least = Math.min(least, Math.hypot(xM[count] - xM[j], yM[count] - yM[j]));
  return least;
}
