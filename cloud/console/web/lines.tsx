/** Averages over time in uPlot: a line a channel, broken where nothing was read. */
import type uPlot from 'uplot';
import type { Dashboard } from '../../../actors/contracts/dashboards.ts';
import { axis, Chart, isOfDays, timeAxis } from './chart.tsx';
import { colourOf, seriesColour } from './theme.ts';

export function Lines({ dashboard, height }: { readonly dashboard: Dashboard; readonly height: number }) {
  const { title, unit, from, to, series } = dashboard;
  const every = dashboard.every ?? to - from;
  const buckets = Array.from({ length: Math.max(1, Math.ceil((to - from) / every)) }, (_, i) => from + i * every);
  const columns = series.map(({ rows }) => {
    const byBucket = new Map(rows.map(({ at, value }) => [at, value]));
    return buckets.map((at) => byBucket.get(at) ?? null);
  });
  const last = series.map(({ label, rows }) => `${label} ${rows.at(-1)?.value.toFixed(2) ?? '–'} ${unit}`);
  const middles: uPlot.AlignedData = [buckets.map((at) => (at + every / 2) / 1_000), ...columns];
  return (
    <Chart
      kind={`${series.map(({ label }) => label).join()} ${every} ${isOfDays(to - from)}`}
      height={height}
      label={`${title}: ${last.join(', ')}`}
      data={middles}
      options={() => ({
        cursor: { show: false },
        padding: [8, 8, 0, 0],
        scales: {
          x: { range: (_, first, last) => [first - every / 2_000, last + every / 2_000] },
          y: { range: (_, least, most) => withAir(least, most) },
        },
        axes: [timeAxis(isOfDays(to - from)), axis({ size: 48 })],
        series: [
          {},
          ...series.map(({ label }, i) => {
            const colour = colourOf(seriesColour(i));
            // a line of one bucket would be nothing to see
            return { label, stroke: colour, width: 1.8, points: { size: 5, fill: colour } };
          }),
        ],
      })}
    />
  );
}

/** From nothing, or below it, to a little above the most. */
const withAir = (least: number, most: number): uPlot.Range.MinMax => {
  const [low, high] = [Math.min(0, least ?? 0), Math.max(0, most ?? 1)];
  const air = (high - low || 1) * 0.1;
  return [low < 0 ? low - air : 0, high + air];
};
