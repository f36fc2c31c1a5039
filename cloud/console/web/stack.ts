/** Rows of an aggregation as columns that stand on each other: which features are told apart, and the sums from the bottom up. */
import type { AggregationRow } from '../../../actors/contracts/index.ts';
import { DISTINCT } from './theme.ts';

const REST = 'others';

/** The features with the most, told apart by colour; the others are one. @param rows by feature */
export function rankFeatures(rows: readonly AggregationRow[]): readonly string[] {
  const totals = new Map<string, number>();
  for (const { by, value } of rows) totals.set(String(by['feature']), (totals.get(String(by['feature'])) ?? 0) + value);
  const ranked = [...totals].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).map(([feature]) => feature);
  return ranked.length > DISTINCT + 1 ? [...ranked.slice(0, DISTINCT), REST] : ranked;
}

/**
 * @param places where a bar may stand, in order
 * @param placeOf of a row
 * @returns `[features × places]`, each feature's bar with those below it; a taller one is drawn first
 */
export function stackUp<P>(
  rows: readonly AggregationRow[],
  features: readonly string[],
  places: readonly P[],
  placeOf: (row: AggregationRow) => P,
): number[][] {
  const at = new Map(places.map((place, i) => [place, i]));
  const columns = features.map(() => places.map(() => 0));
  for (const row of rows) {
    const place = at.get(placeOf(row));
    const known = features.indexOf(String(row.by['feature']));
    const column = columns[known >= 0 ? known : features.indexOf(REST)];
    if (column && place !== undefined) column[place] += row.value;
  }
  for (let f = 1; f < columns.length; f++) for (let p = 0; p < places.length; p++) columns[f][p] += columns[f - 1][p];
  return columns;
}
