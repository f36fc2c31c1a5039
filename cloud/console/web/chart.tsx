/** A place for one uPlot: drawn anew when what it shows changes its kind or the page its theme, else only given new numbers. */
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { colourOf, theme } from './theme.ts';

export interface ChartProps {
  /** Says what kind of plot this is: another key, another plot. */
  readonly kind: string;
  readonly height: number;
  readonly label: string;
  readonly data: uPlot.AlignedData;
  /** Colours are asked for here, so that they are the theme's. */
  readonly options: () => Omit<uPlot.Options, 'width' | 'height'>;
}

export function Chart({ kind, height, label, data, options }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shown = theme.value;

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const width = () => element.clientWidth || 300;
    plot.current = new uPlot({ legend: { show: false }, ...options(), width: width(), height }, data, element);
    const resize = new ResizeObserver(() => plot.current?.setSize({ width: width(), height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [kind, height, shown]);
  useEffect(() => plot.current?.setData(data), [data]);

  return <div class="plot" ref={place} role="img" aria-label={label} />;
}

/** An axis in the page's colours. */
export const axis = (more: uPlot.Axis = {}): uPlot.Axis => ({
  stroke: colourOf('--quiet'),
  grid: { stroke: colourOf('--grid'), width: 1 },
  ticks: { show: false },
  font: '11px system-ui',
  ...more,
});

/** @param span milliseconds */
export const isOfDays = (span: number): boolean => span > 86_400_000;

/** An axis of the time of day, of the date too where the plot spans days. */
export const timeAxis = (hasDates: boolean): uPlot.Axis =>
  axis({
    size: 26,
    space: hasDates ? 110 : 70,
    values: (_, ticks) =>
      ticks.map((at) => {
        const date = new Date(at * 1_000);
        const time = date.toLocaleTimeString([], { hour12: false, hour: '2-digit', minute: '2-digit' });
        return hasDates ? `${date.toLocaleDateString([], { month: 'short', day: 'numeric' })} ${time}` : time;
      }),
  });
