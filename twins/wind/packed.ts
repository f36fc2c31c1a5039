/** A wind as it crosses to another thread: a series is its columns there, not what reads them. */
import { type WindColumns, windSeries } from './series.ts';
import type { WindSpec } from './field.ts';

export interface PackedWind extends Omit<WindSpec, 'series'> {
  readonly columns?: WindColumns;
}

export function packWind({ series, ...wind }: WindSpec): PackedWind {
  return { ...wind, ...(series ? { columns: series.columns } : {}) };
}

export function unpackWind({ columns, ...wind }: PackedWind): WindSpec {
  return { ...wind, ...(columns ? { series: windSeries(columns) } : {}) };
}
