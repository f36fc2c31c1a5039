/** Bars in uPlot: one a turbine, stacked by feature; and over time, stacked or plain. */
import uPlot from 'uplot';
import type { AggregationRow } from '../../../actors/contracts/index.ts';
import { axis, Chart, isOfDays, timeAxis } from './chart.tsx';
import { stackUp } from './stack.ts';
import { colourOf, seriesColour } from './theme.ts';

/** Whole numbers from nothing up, with air above. */
const countScale: uPlot.Scale = { range: (_, __, most) => [0, Math.max(1, most * 1.08)] };
const wholes = (size: number) => axis({ size, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000] });

/** A stack's series, its top first: what is lower covers it. */
const stackSeries = (features: readonly string[], paths: uPlot.Series.PathBuilder): uPlot.Series[] =>
  features
    .map((label, f) => {
      const colour = colourOf(seriesColour(f));
      return { label, paths, stroke: colour, fill: colour, width: 0, points: { show: false } };
    })
    .toReversed();

export interface StackedProps {
  readonly rows: readonly AggregationRow[];
  readonly features: readonly string[];
  readonly things: readonly string[];
}

/** Which turbine, how often, of what. */
export function StackedByThing({ rows, features, things }: StackedProps) {
  const columns = stackUp(rows, features, things, ({ by }) => String(by['thing']));
  const counts = things.map((thing, i) => `${thing} ${columns.at(-1)?.[i] ?? 0}`);
  return (
    <Chart
      kind={`${features.join()} ${things.join()}`}
      height={220}
      label={`anomalies by turbine: ${counts.join(', ')}`}
      data={[things.map((_, i) => i), ...columns.toReversed()]}
      options={() => ({
        cursor: { show: false },
        scales: { x: { time: false, range: () => [-0.6, things.length - 0.4] }, y: countScale },
        axes: [
          axis({ size: 28, splits: () => things.map((_, i) => i), values: () => [...things], grid: { show: false }, space: 1 }),
          wholes(44),
        ],
        series: [{}, ...stackSeries(features, uPlot.paths.bars!({ size: [0.62, 70], align: 0 }))],
      })}
    />
  );
}

export interface OverTimeProps {
  readonly rows: readonly AggregationRow[];
  /** Empty: the rows are of no feature. */
  readonly features: readonly string[];
  /** Epoch milliseconds; the buckets' width. */
  readonly from: number;
  readonly to: number;
  readonly every: number;
  readonly height: number;
  readonly label: string;
  /** The most that a bar may have; absent: what the tallest has. */
  readonly most?: number;
  readonly hasTimes?: boolean;
}

/** A bar a bucket of time. */
export function BarsOverTime({ rows, features, from, to, every, height, label, most, hasTimes = true }: OverTimeProps) {
  const buckets = Array.from({ length: Math.max(1, Math.ceil((to - from) / every)) }, (_, i) => from + i * every);
  const isPlain = features.length === 0;
  const names = isPlain ? [''] : features;
  const columns = isPlain ? [plain(rows, buckets)] : stackUp(rows, features, buckets, ({ at }) => at ?? 0);
  return (
    <Chart
      kind={`${names.join()} ${most} ${hasTimes} ${every} ${isOfDays(to - from)}`}
      height={height}
      label={label}
      data={[buckets.map((at) => at / 1_000), ...columns.toReversed()]}
      options={() => ({
        cursor: { show: false },
        padding: [4, 8, 0, 0],
        scales: {
          x: { range: (_, first, last) => [first, last + every / 1_000] },
          y: most === undefined ? countScale : { range: () => [0, most * 1.15] },
        },
        axes: [
          hasTimes ? timeAxis(isOfDays(to - from)) : axis({ size: 4, values: () => [] }),
          most === undefined ? wholes(44) : axis({ size: 44, splits: () => [0, most], space: 1 }),
        ],
        series: [{}, ...stackSeries(names, uPlot.paths.bars!({ size: [0.82, Infinity], align: 1 }))],
      })}
    />
  );
}

function plain(rows: readonly AggregationRow[], buckets: readonly number[]): number[] {
  const byBucket = new Map(rows.map(({ at, value }) => [at, value]));
  return buckets.map((at) => byBucket.get(at) ?? 0);
}
