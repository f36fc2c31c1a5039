/** Plots as SVG text: axes with round ticks, the twin as lines, a reference as rings. */
import type { Curve, Plot } from './check.ts';

const WIDTH = 450;
const HEIGHT = 280;
const LEFT = 58;
const RIGHT = 12;
const TOP = 28;
const LEGEND_HEIGHT = 18; // a line of its own: beside a long title there is no room
const BOTTOM = 42;
const COLOURS = ['#1f6feb', '#d9730d', '#17734a', '#8250df', '#b3261e'];
const RING = '#5b6875';
const RINGS_MAX = 60;

export function drawPlot({ title, xLabel, yLabel, curves, logarithmic = false }: Plot): string {
  const top = curves.length < 2 ? TOP : TOP + LEGEND_HEIGHT;
  const place = logarithmic ? Math.log10 : (value: number) => value;
  const xs = curves.flatMap(({ x }) => x).map(place);
  const ys = curves.flatMap(({ y }) => y).map(place);
  const [x0, x1] = [least(xs), most(xs)];
  const [y0, y1] = padded(least(ys), most(ys));
  const px = (x: number) => LEFT + ((place(x) - x0) / (x1 - x0 || 1)) * (WIDTH - LEFT - RIGHT);
  const py = (y: number) => HEIGHT - BOTTOM - ((place(y) - y0) / (y1 - y0 || 1)) * (HEIGHT - top - BOTTOM);
  const value = (tick: number) => (logarithmic ? 10 ** tick : tick);

  const grid = [
    ...ticks(x0, x1, logarithmic).map((tick) => {
      const x = px(value(tick)).toFixed(1);
      return `<line x1="${x}" x2="${x}" y1="${top}" y2="${HEIGHT - BOTTOM}" stroke="#e3e8ed"/><text x="${x}" y="${HEIGHT - BOTTOM + 15}" text-anchor="middle">${print(value(tick))}</text>`;
    }),
    ...ticks(y0, y1, logarithmic).map((tick) => {
      const y = py(value(tick)).toFixed(1);
      return `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}" stroke="#e3e8ed"/><text x="${LEFT - 6}" y="${Number(y) + 4}" text-anchor="end">${print(value(tick))}</text>`;
    }),
  ];
  const drawn = curves.map((curve, i) => (curve.isReference ? rings(curve, px, py) : line(curve, COLOURS[i % COLOURS.length], px, py)));
  const legend = curves.length < 2 ? [] : legendOf(curves);
  return `<svg role="img" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui,sans-serif" font-size="11" fill="#1c2733"><title>${escapeText(title)}</title>
<text x="${LEFT}" y="17" font-size="13" font-weight="600">${escapeText(title)}</text>${grid.join('')}${drawn.join('')}${legend.join('')}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 8}" text-anchor="middle">${escapeText(xLabel)}</text><text transform="translate(13 ${(top + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escapeText(yLabel)}</text></svg>`;
}

export const escapeText = (text: string): string =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

const line = ({ x, y }: Curve, colour: string, px: (x: number) => number, py: (y: number) => number) =>
  `<polyline fill="none" stroke="${colour}" stroke-width="1.6" points="${x.map((at, i) => `${px(at).toFixed(1)},${py(y[i]).toFixed(1)}`).join(' ')}"/>`;

function rings({ x, y }: Curve, px: (x: number) => number, py: (y: number) => number): string {
  const every = Math.max(1, Math.ceil(x.length / RINGS_MAX));
  return x
    .map((at, i) =>
      i % every === 0 ? `<circle cx="${px(at).toFixed(1)}" cy="${py(y[i]).toFixed(1)}" r="3" fill="none" stroke="${RING}"/>` : '',
    )
    .join('');
}

/** In a row below the title. */
function legendOf(curves: readonly Curve[]): string[] {
  const widths = curves.map(({ label }) => 26 + 6.2 * label.length);
  let x = LEFT;
  return curves.map(({ label, isReference }, i) => {
    const colour = isReference ? RING : COLOURS[i % COLOURS.length];
    const entry = `<circle cx="${x + 6}" cy="31" r="3.5" fill="${isReference ? 'none' : colour}" stroke="${colour}"/><text x="${x + 13}" y="35">${escapeText(label)}</text>`;
    x += widths[i];
    return entry;
  });
}

/** Round values between two ends, four to eight of them; of logarithms whole decades, and 2 and 5 in between when there are few. */
function ticks(from: number, to: number, logarithmic: boolean): number[] {
  if (logarithmic) {
    const steps = to - from > 3 ? [1] : [1, 2, 5];
    const decades = Array.from({ length: Math.ceil(to) - Math.floor(from) + 1 }, (_, i) => Math.floor(from) + i);
    return decades.flatMap((decade) => steps.map((step) => decade + Math.log10(step))).filter((tick) => tick >= from && tick <= to);
  }
  const raw = (to - from || 1) / 6;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((candidate) => candidate >= raw) ?? 10 * power;
  const first = Math.ceil(from / step - 1e-9);
  const last = Math.floor(to / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
}

const print = (value: number): string => String(Number(value.toPrecision(3)));
const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
const padded = (low: number, high: number): [number, number] => [low - 0.04 * (high - low || 1), high + 0.04 * (high - low || 1)];
