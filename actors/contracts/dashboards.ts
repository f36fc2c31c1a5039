/** Queries that are kept so that nobody has to write them, and what one answers. */
import type { Aggregation, AggregationRow } from './index.ts';
import type { Millis } from './units.ts';

interface Described {
  readonly id: string;
  readonly title: string;
  readonly about: string;
  /** How it is drawn: a bar a turbine, a strip of bars a turbine, bars over time, or lines over time. */
  readonly plot: 'stacked' | 'strips' | 'bars' | 'lines';
  /** Of its values. */
  readonly unit: string;
  /** How far back it looks when nobody says. */
  readonly span: Millis;
}

export interface SavedSeries {
  readonly label: string;
  readonly query: Omit<Aggregation, 'from' | 'to'>;
}

export interface SavedQuery extends Described {
  readonly series: readonly SavedSeries[];
}

export interface Dashboard extends Described {
  /** Inclusive, epoch milliseconds. */
  readonly from: Millis;
  /** Exclusive. */
  readonly to: Millis;
  /** Width of a bucket; null where time is one bucket. */
  readonly every: Millis | null;
  readonly series: readonly { readonly label: string; readonly rows: readonly AggregationRow[] }[];
}
