/** A line plot of one turbine's recent past, drawn by uPlot and redrawn with the stream. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { axis } from './chart.tsx';
import { beat, type Trace, traceOf } from './store.ts';
import { colourOf, theme } from './theme.ts';

export interface PlotProps {
  readonly thing: string;
  readonly column: Exclude<keyof Trace, 'at'>;
  readonly label: string;
  /** A custom property of the style sheet. */
  readonly color: string;
  readonly height: number;
  /** Axes and all, or only the line. */
  readonly isFull?: boolean;
  /** A level to be marked. */
  readonly limit?: number;
}

export function Plot({ thing, column, label, color, height, isFull = false, limit }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const shown = theme.value;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const trace = traceOf(thing);
    const data = (): uPlot.AlignedData => [trace.at, trace[column], ...(limit === undefined ? [] : [trace.at.map(() => limit)])];
    const plot = new uPlot(
      {
        width: element.clientWidth || 200,
        height,
        legend: { show: false },
        cursor: { show: isFull },
        scales: {
          y: { range: (_, min, max) => [Math.min(0, min ?? 0), Math.max(limit === undefined ? 0.1 : limit * 1.2, (max ?? 1) * 1.1)] },
        },
        axes: isFull
          ? [
              axis({
                size: 26,
                values: (_: uPlot, ticks: number[]) => ticks.map((at) => new Date(at * 1_000).toLocaleTimeString([], { hour12: false })),
                space: 80,
              }),
              axis({ size: 40 }),
            ]
          : [{ show: false }, { show: false }],
        series: [
          {},
          { label, stroke: colourOf(color), width: 1.5, points: { show: false }, spanGaps: true },
          ...(limit === undefined ? [] : [{ label: 'limit', stroke: colourOf('--bad'), width: 1, dash: [4, 4], points: { show: false } }]),
        ],
      },
      data(),
      element,
    );
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    resize.observe(element);
    const stop = beat.subscribe(() => plot.setData(data()));
    return () => {
      stop();
      resize.disconnect();
      plot.destroy();
    };
  }, [thing, column, label, color, height, isFull, limit, shown]);

  return <div class="plot" ref={place} role="img" aria-label={`${label} of ${thing}`} />;
}
