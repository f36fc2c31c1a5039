/** Reports as one HTML page that needs nothing else: what was expected, what happened when, plots, and the command that repeats it. */
import { clockTime } from '../expect/clock-time.ts';
import type { ReportedEvent, ReportedExpectation, ReportSeries, StoryReport } from './story-report.ts';
import { drawTimeline } from './timeline.ts';

/** What draws and escapes: the one that the other reports have. */
export interface Drawing {
  plot(plot: {
    readonly title: string;
    readonly xLabel: string;
    readonly yLabel: string;
    readonly curves: readonly { readonly label: string; readonly x: readonly number[]; readonly y: readonly number[] }[];
  }): string;
  text(text: string): string;
}

export interface PlayedStory {
  readonly report: StoryReport;
  /** Of all kinds, oldest first. */
  readonly events: readonly ReportedEvent[];
  readonly series: readonly ReportSeries[];
}

const TURBINES_MAX = 24; // rows of the picture
const CURVES_MAX = 5; // of one plot
const EVENTS_MAX = 400; // lines of the log
const PAGE_BYTES = 2_000_000;

/** @returns at most 2 MB: the logs of the last stories are left out when there are too many. */
export function reportPage(stories: readonly PlayedStory[], { plot, text: escaped }: Drawing): string {
  // What a page cannot show is no reason not to show the rest.
  const drawing: Drawing = { plot, text: (raw) => escaped(raw.replace(/[^\P{Cc}\n\t]/gu, '\uFFFD')) };
  const failed = stories.filter(({ report }) => !report.passed).length;
  const head = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>windfleet: ${stories.length} stories</title>
<style>${STYLE}</style></head><body>
<h1>${stories.length === 1 ? drawing.text(stories[0].report.name) : `${stories.length} stories`}</h1>
<p class="${failed === 0 ? 'ok' : 'bad'}"><b>${failed === 0 ? 'Every expectation held.' : `${failed} of ${stories.length} ${stories.length === 1 ? 'story' : 'stories'} failed.`}</b></p>
${stories.length > 1 ? contents(stories, drawing) : ''}`;
  let left = PAGE_BYTES - Buffer.byteLength(head) - 100;
  const sections = stories.map((story, i) => {
    const room = left - BARE_BYTES * (stories.length - i - 1); // every later story gets its verdict at least
    const section = (['all', 'pictures', 'verdict'] as const)
      .map((detail) => storySection(story, i, drawing, detail))
      .find((candidate) => Buffer.byteLength(candidate) <= room);
    left -= Buffer.byteLength(section ?? '');
    return section ?? '';
  });
  return `${head}${sections.join('')}</body></html>\n`;
}

/** How much of a story is told. */
type Detail = 'verdict' | 'pictures' | 'all';

const BARE_BYTES = 3_000;

const contents = (stories: readonly PlayedStory[], { text }: Drawing) =>
  `<table><thead><tr><th>story</th><th>seed</th><th></th><th>expectations</th><th>simulated</th><th>wall</th></tr></thead><tbody>${stories
    .map(
      ({ report }, i) =>
        `<tr><td><a href="#s${i}">${text(report.name)}</a></td><td>${report.seed}</td><td>${mark(report.passed)}</td><td>${held(report)}</td><td>${clockTime(report.endMs)}</td><td>${report.wallSeconds.toFixed(1)} s</td></tr>`,
    )
    .join('')}</tbody></table>`;

const held = ({ expectations }: StoryReport) => `${expectations.filter(({ passed }) => passed).length} of ${expectations.length}`;
const mark = (passed: boolean) => (passed ? '<span class="ok">✓</span>' : '<span class="bad">✗</span>');

function storySection({ report, events, series }: PlayedStory, i: number, drawing: Drawing, detail: Detail): string {
  const { text } = drawing;
  const turbines = mostTelling(report).slice(0, TURBINES_MAX);
  const left = report.things.length - turbines.length;
  return `<section id="s${i}"><h2>${text(report.name)} <small>seed ${report.seed}</small></h2>
<p>${text(report.about.replace(/\s+/g, ' '))}</p>
${report.broke === null ? '' : `<p class="bad"><b>It broke: ${text(report.broke)}</b></p>`}
<table class="expect"><tbody>${report.expectations.map((expected) => expectationRow(expected, text)).join('')}</tbody></table>
<p><code>${text(report.command)}</code><br><small>digest ${report.digest} (${text(report.vectorFeatures)}); ${clockTime(report.endMs)} simulated in ${report.wallSeconds.toFixed(1)} s; ${report.counts.windows} windows judged by ${report.workers.length || 1} thread${report.workers.length > 1 ? 's' : ''}</small></p>
${detail === 'verdict' ? '' : `<div class="wide">${drawTimeline(report, events, turbines, text)}</div>${left > 0 ? `<p><small>${left} more turbines are not drawn.</small></p>` : ''}${plots(series, turbines, drawing)}`}
${detail !== 'all' ? '<p><small>The log of this story is left out: the page would be too large. <code>--out</code> keeps it.</small></p>' : eventLog(events, text)}
</section>
`;
}

function expectationRow({ expectation, passed, where, wanted, got, at, nearby, look }: ReportedExpectation, text: Drawing['text']): string {
  if (passed) return `<tr><td>${mark(true)}</td><td>${text(expectation)}</td></tr>`;
  const lines = nearby.map((event) => `${clockTime(event.at).padEnd(10)} ${event.kind} ${event.of} ${factsOf(event)}`);
  return `<tr><td>${mark(false)}</td><td><b>${text(expectation)}</b>${where === null ? '' : ` <small>${text(where)}</small>`}<br>wanted ${text(wanted)}<br>got ${text(got)}${
    at === null ? '' : `<br>first wrong at ${clockTime(at)}`
  }${lines.length === 0 ? '' : `<pre>${text(lines.join('\n'))}</pre>`}${look === null ? '' : `<code>${text(look)}</code>`}</td></tr>`;
}

/** Those that something happened to come first, in the order of the fleet. */
function mostTelling({ things, faults, alarms }: StoryReport): string[] {
  const touched = new Set([...faults.map(({ of }) => of), ...alarms.map(({ thing }) => thing)]);
  const names = things.map(({ name }) => name);
  return [...names.filter((name) => touched.has(name)), ...names.filter((name) => !touched.has(name))];
}

function plots(series: readonly ReportSeries[], turbines: readonly string[], drawing: Drawing): string {
  const quantities = [...new Set(series.map(({ quantity }) => quantity))];
  const drawn = quantities.map((quantity) => {
    const curves = turbines
      .flatMap((thing) => series.filter((s) => s.thing === thing && s.quantity === quantity && s.at.length > 1))
      .slice(0, CURVES_MAX);
    if (curves.length === 0) return '';
    return drawing.plot({
      title: quantity === 'score' ? 'error over threshold (above 1 is anomalous)' : quantity,
      xLabel: 'simulated minutes',
      yLabel: curves[0].unit,
      curves: curves.map(({ thing, at, value }) => ({ label: thing, x: at.map((ms) => ms / 60_000), y: value })),
    });
  });
  return `<div class="plots">${drawn.join('')}</div>`;
}

function eventLog(events: readonly ReportedEvent[], text: Drawing['text']): string {
  if (events.length === 0) return '<p><small>Nothing happened.</small></p>';
  const shown = events.slice(0, EVENTS_MAX);
  const rows = shown.map(
    (event) =>
      `<tr><td>${clockTime(event.at)}</td><td>${text(event.kind)}</td><td>${text(event.of)}</td><td>${text(factsOf(event))}</td></tr>`,
  );
  const more = events.length > shown.length ? `<p><small>${events.length - shown.length} more events are not listed.</small></p>` : '';
  return `<details><summary>${events.length} events</summary><table class="log"><tbody>${rows.join('')}</tbody></table>${more}</details>`;
}

const factsOf = ({ what }: ReportedEvent): string =>
  Object.entries(what)
    .map(([name, value]) => `${name}: ${String(value)}`)
    .join(', ')
    .slice(0, 400);

const STYLE = `
body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem;color:#1c2733;background:#fff}
h1{font-size:1.6rem}h2{margin-top:2.2rem;border-bottom:1px solid #d5dce3;font-size:1.2rem}h2 small{font-weight:400}
table{border-collapse:collapse;font-size:.92rem}th,td{padding:.2rem .6rem;text-align:left;vertical-align:top}th{font-weight:600;color:#5b6875;border-bottom:1px solid #d5dce3}
.ok{color:#17734a}.bad{color:#b3261e}small{color:#5b6875}small code{font-size:1em}.wide{overflow-x:auto}.plots{display:flex;flex-wrap:wrap;gap:1rem;margin-top:1rem}
pre,code{font:12.5px/1.5 ui-monospace,monospace}pre{background:#f6f8fa;padding:.5rem .8rem;border-radius:6px;overflow-x:auto;margin:.4rem 0}code{background:#f6f8fa;padding:.1rem .3rem;border-radius:4px}
svg{background:#fafbfc;border:1px solid #e3e8ed;border-radius:6px}.log td{font-size:.82rem;border-bottom:1px solid #eef1f4}summary{cursor:pointer}`;
