/** A run as one picture: a row a turbine with its states, a row a fault with its life, alarms and steps on them. SVG text. */
import type { Millis } from '../../actors/contracts/units.ts';
import { clockTime } from '../expect/clock-time.ts';
import type { ReportedEvent, StoryReport } from './story-report.ts';

const WIDTH = 960;
const LEFT = 190;
const RIGHT = 16;
const TOP = 30;
const ROW = 22;
const BAR = 14;

/** By the first word of a state. */
const STATE_COLOURS: Readonly<Record<string, string>> = {
  idle: '#c8d1da',
  spinning: '#8fb8de',
  inferring: '#7bbf8f',
  'updating-model': '#e3b341',
  faulted: '#d1564b',
};
const SUSPECT = '#e08a3c';
const PHASE_COLOURS: Readonly<Record<string, string>> = { active: '#b3261e', recovering: '#e3a29d' };

/** A stretch of one row. */
interface Stretch {
  readonly from: Millis;
  readonly to: Millis;
  readonly colour: string;
  readonly title: string;
}

/** @param turbines whose rows are drawn, in this order. @param text escapes */
export function drawTimeline(
  report: StoryReport,
  events: readonly ReportedEvent[],
  turbines: readonly string[],
  text: (raw: string) => string,
): string {
  const { endMs, steps, faults, alarms } = report;
  const x = (at: Millis) => (LEFT + (Math.min(at, endMs) / Math.max(1, endMs)) * (WIDTH - LEFT - RIGHT)).toFixed(1);
  const rows = [
    ...turbines.map((thing) => ({
      label: thing,
      stretches: statesOf(events, thing, endMs),
      alarms: alarms.filter((alarm) => alarm.thing === thing),
    })),
    ...faults.map((fault) => ({ label: `${fault.fault} on ${fault.of}`, stretches: lifeOf(fault, endMs), alarms: [] })),
  ];
  const height = TOP + ROW * rows.length + 26;
  const drawn = rows.map(({ label, stretches, alarms: raised }, i) => {
    const y = TOP + i * ROW;
    const bars = stretches.map(
      ({ from, to, colour, title }) =>
        `<rect x="${x(from)}" y="${y}" width="${Math.max(0.7, Number(x(to)) - Number(x(from))).toFixed(1)}" height="${BAR}" fill="${colour}"><title>${text(title)}</title></rect>`,
    );
    const marks = raised.map(({ at, feature }) => {
      const [px, py] = [Number(x(at)), y + BAR];
      return `<path d="M${px} ${py - 8} l5 9 h-10 z" fill="#7a0c06" stroke="#fff"><title>${text(`alarm: ${feature} at ${clockTime(at)}`)}</title></path>`;
    });
    return `<text x="${LEFT - 8}" y="${y + 11}" text-anchor="end">${text(short(label))}</text>${bars.join('')}${marks.join('')}`;
  });
  const ticks = roundTicks(endMs).map(
    (at) =>
      `<line x1="${x(at)}" x2="${x(at)}" y1="${TOP - 4}" y2="${height - 22}" stroke="#e3e8ed"/><text x="${x(at)}" y="${height - 8}" text-anchor="middle">${clockTime(at)}</text>`,
  );
  const flags = steps
    .filter(({ at }) => at <= endMs)
    .map(
      ({ at, label, what }) =>
        `<line x1="${x(at)}" x2="${x(at)}" y1="${TOP - 6}" y2="${height - 22}" stroke="#5b6875" stroke-dasharray="2 3"><title>${text(`${label}: ${what}`)}</title></line>`,
    );
  return `<svg role="img" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui,sans-serif" font-size="11" fill="#1c2733"><title>states, faults and alarms over simulated time</title>
<text x="${LEFT}" y="15" font-size="12">${legend()}</text>${ticks.join('')}${drawn.join('')}${flags.join('')}</svg>`;
}

const legend = () =>
  [...Object.entries(STATE_COLOURS), ['suspect', SUSPECT], ['fault at work', PHASE_COLOURS['active']]]
    .map(([name, colour]) => `<tspan fill="${colour}">■</tspan><tspan> ${name}  </tspan>`)
    .join('');

const short = (label: string) => (label.length > 30 ? `${label.slice(0, 29)}…` : label);

function statesOf(events: readonly ReportedEvent[], thing: string, end: Millis): Stretch[] {
  const changes = events.filter(({ kind, of }) => kind === 'state' && of === thing);
  return changes.map(({ at, what }, i) => {
    const state = String(what['to']);
    const to = changes[i + 1]?.at ?? end;
    const colour = state.endsWith('.suspect') ? SUSPECT : (STATE_COLOURS[state.split('.')[0]] ?? '#888');
    return {
      from: at,
      to,
      colour,
      title: `${thing}: ${state} from ${clockTime(at)} to ${clockTime(to)} (${String(what['cause'])})`,
    };
  });
}

function lifeOf({ fault, of, phases }: StoryReport['faults'][number], end: Millis): Stretch[] {
  return phases.flatMap(({ phase, at }, i) => {
    const colour = PHASE_COLOURS[phase];
    const to = phases[i + 1]?.at ?? end;
    return colour === undefined ? [] : [{ from: at, to, colour, title: `${fault} on ${of}: ${phase} from ${clockTime(at)}` }];
  });
}

/** Four to ten round instants. */
function roundTicks(end: Millis): Millis[] {
  const steps = [1, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400].map((s) => 1_000 * s);
  const step = steps.find((candidate) => end / candidate <= 10) ?? 7 * 86_400_000;
  return Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => i * step);
}
