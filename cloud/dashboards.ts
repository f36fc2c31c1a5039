/**
 * What people look at without writing a query: the original's two dashboards and its saved averages, as data. Each can be asked
 * for as it stands, and says of every series the query that it makes.
 *
 * Sources: its dashboards of detected anomalies (by turbine, stacked by feature; over time in buckets of 30 s), and its saved searches
 * over one minute each: rotation, voltage and vibration on average, anomalies counted.
 */
import { didYouMean, NotFound } from '../actors/contracts/errors.ts';
import type { Dashboard, SavedQuery, SavedSeries } from '../actors/contracts/dashboards.ts';
import type { Aggregation, DocumentIndex } from '../actors/contracts/index.ts';
import type { ThingName } from '../actors/contracts/ids.ts';
import type { Millis } from '../actors/contracts/units.ts';

const MINUTE = 60_000;

const average = (field: string, label = field): SavedSeries => ({
  label,
  query: { index: 'logs', agg: 'mean', field, every: MINUTE, by: [] },
});
const anomalies = (query: Pick<Aggregation, 'by' | 'every'>): readonly SavedSeries[] => [
  { label: 'anomalies', query: { index: 'verdicts', agg: 'count', where: { anomalous: true }, ...query } },
];

export const SAVED_QUERIES: readonly SavedQuery[] = [
  {
    id: 'detected-anomalies',
    title: 'Detected anomalies',
    about: 'How often each turbine’s model found a window anomalous, stacked by the feature that was.',
    plot: 'stacked',
    unit: 'anomalies',
    span: 10 * MINUTE,
    series: anomalies({ by: ['thing', 'feature'] }),
  },
  {
    id: 'anomalies-over-time',
    title: 'Anomalies over time',
    about: 'The same in buckets of 30 s, a strip a turbine.',
    plot: 'strips',
    unit: 'anomalies',
    span: 10 * MINUTE,
    series: anomalies({ by: ['thing', 'feature'], every: 30_000 }),
  },
  {
    id: 'rotation-average',
    title: 'Rotor and wind, average',
    about: 'Rotor speed and the anemometer’s, by the minute.',
    plot: 'lines',
    unit: '1/s',
    span: 60 * MINUTE,
    series: [average('rps', 'rotor'), average('wind_speed_rps', 'wind')],
  },
  {
    id: 'voltage-average',
    title: 'Voltage, average',
    about: 'The generator’s voltage as the sensor counts it, by the minute.',
    plot: 'lines',
    unit: 'counts',
    span: 60 * MINUTE,
    series: [average('voltage')],
  },
  {
    id: 'vibration-average',
    title: 'Vibration, average',
    about: 'The four parts of the nacelle’s attitude, by the minute.',
    plot: 'lines',
    unit: 'quaternion',
    span: 60 * MINUTE,
    series: ['qw', 'qx', 'qy', 'qz'].map((field) => average(field)),
  },
  {
    id: 'anomaly-count',
    title: 'Anomalies, count',
    about: 'Of all features together, by the minute.',
    plot: 'bars',
    unit: 'anomalies',
    span: 60 * MINUTE,
    series: anomalies({ by: [], every: MINUTE }),
  },
];

/** @throws NotFound */
export function savedQuery(id: string): SavedQuery {
  const found = SAVED_QUERIES.find((saved) => saved.id === id);
  if (found) return found;
  const known = SAVED_QUERIES.map((saved) => saved.id);
  throw new NotFound(`no saved query ${id}.${didYouMean(id, known)}`, { hint: `saved queries: ${known.join(', ')}` });
}

export interface DashboardRange {
  /** Epoch milliseconds at which it ends. */
  readonly to: Millis;
  /** Absent: as far as the saved query says. */
  readonly span?: Millis;
  /** Width of a bucket; absent, or where time is one bucket: as the saved query says. */
  readonly every?: Millis;
  /** Of this turbine alone. */
  readonly thing?: ThingName;
}

/** Asks every series at once; the first bucket is whole. @throws StoreUnavailable */
export async function askDashboard(
  index: Pick<DocumentIndex, 'aggregate'>,
  saved: SavedQuery,
  { to, span = saved.span, every: wanted, thing }: DashboardRange,
): Promise<Dashboard> {
  const usual = saved.series[0].query.every;
  const every = usual === undefined ? null : (wanted ?? usual);
  const start = Math.max(0, to - span);
  const from = every === null ? start : Math.floor(start / every) * every;
  const narrowed = { from, to, ...(every === null ? {} : { every }) };
  const series = await Promise.all(
    saved.series.map(async ({ label, query }) => {
      const where = thing === undefined ? query.where : { ...query.where, thing };
      return { label, rows: await index.aggregate({ ...query, ...narrowed, ...(where ? { where } : {}) }) };
    }),
  );
  return { ...saved, from, to, every, series };
}
