/** The report of an evaluation: one HTML file that needs nothing else. */
import type { Evaluation, Evidence } from './evaluation.ts';
import type { FaultFigures, OverallFigures } from './figures.ts';
import { PREVALENCE, SEVERITIES } from './protocol.ts';

/** Lines over two axes. */
export interface ReportPlot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly curves: readonly { readonly label: string; readonly x: readonly number[]; readonly y: readonly number[] }[];
}

/** What draws and escapes: the one that the other reports have. */
export interface Drawing {
  plot(plot: ReportPlot): string;
  text(text: string): string;
}

export function reportHtml({ evaluation, curves, modelCurves, delays, abouts }: Evidence, drawing: Drawing): string {
  const { text } = drawing;
  const { model, machine, seeds, seedsAsked, normalTurbineHours, overlap, goals } = evaluation;
  const held = goals.filter(({ holds }) => holds === true).length;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>windfleet: evaluation of ${text(model)}</title>
<style>${STYLE}</style></head><body>
<h1>Evaluation of ${text(model)}</h1>
<p>On labelled fleets of ${text(machine)}, ${seeds.length} seed${seeds.length === 1 ? '' : 's'}${seeds.length === 0 ? '' : ` (${seeds[0]}${seeds.length > 1 ? ` to ${seeds[seeds.length - 1]}` : ''})`};
${figure(normalTurbineHours, 1)} normal turbine-hours judged. The unit is a verdict window; fault windows and normal windows are weighed so that ${100 * PREVALENCE} % are faulty.</p>
${seeds.length < seedsAsked ? `<p class="bad"><b>Ended early: ${seeds.length} of ${seedsAsked} seeds are complete, and the figures are theirs alone.</b></p>` : ''}
${overlap.length > 0 ? `<p class="bad"><b>The model’s lineage names ${overlap.length} of these seeds: ${overlap.join(', ')}.</b></p>` : ''}
<p class="${held === goals.length ? 'ok' : 'bad'}"><b>${held} of ${goals.length} goals are reached.</b></p>
${goalTable(evaluation, text)}
<h2>Beside the controls</h2>
${controlTable(evaluation)}
<ul>${abouts.map(({ name, about }) => `<li><b>${text(name)}</b>: ${text(about)}.</li>`).join('')}</ul>
<h2>Precision over recall</h2>
<div class="plots">${precisionFigure('The model, by severity', modelCurves, drawing)}${precisionFigure('Beside the controls, at severity 1', curves, drawing)}</div>
<h2>Faults by severity</h2>
<p>Held out, used in no training and no tuning but in this table: ${evaluation.heldOut.map(text).join(', ')}.</p>
${heatMap(evaluation, text)}
<h2>Delay of step faults</h2>
<div class="plots">${delays
    .filter(({ seconds }) => seconds.length > 0)
    .map(({ severity, seconds, undetected }) => histogram(severity, seconds, undetected))
    .join('')}</div>
<h2>What it cannot see</h2>
${cannotSee(evaluation, text)}
<h2>Calibration by wind</h2>
${calibrationTable(evaluation)}
<h2>False alarms by wind and life</h2>
${causeTable(evaluation, text)}
<p>By the worst feature of each: ${Object.entries(evaluation.falseAlarmFeatures)
    .map(([name, count]) => `${text(name)} ${count}`)
    .join(', ')}.</p>
<p>${operatingText(evaluation)}</p>
</body></html>
`;
}

const STYLE = `
body{font:15px/1.5 system-ui,sans-serif;max-width:1000px;margin:2rem auto;padding:0 1rem;color:#1c2733;background:#fff}
h1{font-size:1.6rem}h2{margin-top:2.2rem;border-bottom:1px solid #d5dce3;font-size:1.2rem}
table{border-collapse:collapse;font-size:.92rem}th,td{padding:.2rem .6rem;text-align:right;white-space:nowrap}th:first-child,td:first-child{text-align:left}
th{font-weight:600;color:#5b6875;border-bottom:1px solid #d5dce3}tbody tr:nth-child(even){background:#fafbfc}.first{font-weight:600}
.ok{color:#17734a}.bad{color:#b3261e}small{color:#5b6875}.wide{overflow-x:auto}
.heat td{border:1px solid #fff}.heat td,.heat th{padding:.2rem .45rem}figure{margin:0}figcaption{font-weight:600;font-size:.92rem}.plots{display:flex;flex-wrap:wrap;gap:1rem}svg{background:#fafbfc;border:1px solid #e3e8ed;border-radius:6px}`;

const goalTable = ({ goals }: Evaluation, text: Drawing['text']): string =>
  table(
    ['goal', 'wanted', 'reached', ''],
    goals.map(({ goal, wanted, figure: value, holds }) => [
      text(goal),
      text(wanted),
      figure(value, 3),
      holds === null ? '<small>not measured</small>' : holds ? '<span class="ok">✓</span>' : '<span class="bad">✗</span>',
    ]),
  );

const controlTable = ({ controls, overall }: Evaluation): string =>
  table(
    ['', 'AUC-PR 1', 'AUC-PR 0.3', 'held out', 'recall 1', 'false alarms a week', 'delay s', 'CARE', 'attribution'],
    [...Object.entries(controls), ['<span class="first">model</span>', overall] as const].map(([name, figures]) => [
      name,
      ...overallCells(figures),
    ]),
  );

const overallCells = (figures: OverallFigures): string[] => [
  figure(figures.aucPrSevere, 3),
  figure(figures.aucPrMild, 3),
  figure(figures.aucPrHeldOut, 3),
  figure(figures.recallSevere, 3),
  figure(figures.falseAlarmsPerTurbineWeek, 2),
  figure(figures.delayMedianS, 1),
  figure(figures.care, 3),
  figure(figures.attribution, 2),
];

/** The title stands above the plot, whose own top is full of names. */
function precisionFigure(title: string, curves: Evidence['curves'], { plot, text }: Drawing): string {
  if (curves.length === 0) return '';
  const drawn = curves.map(({ name, points }) => ({
    label: name,
    x: points.flatMap(({ recall }, i) => [i === 0 ? 0 : points[i - 1].recall, recall]), // steps, as average precision sums them
    y: points.flatMap(({ precision }) => [precision, precision]),
  }));
  return `<figure><figcaption>${text(title)}</figcaption>${plot({ title: '', xLabel: 'recall', yLabel: 'precision', curves: drawn })}</figure>`;
}

/** A fault a row; each severity its figures, the area under precision over recall as colour. */
function heatMap({ faults, hidden, heldOut }: Evaluation, text: Drawing['text']): string {
  const names = [...new Set(faults.map(({ fault }) => fault))];
  const head = SEVERITIES.map((severity) => `<th colspan="4" style="text-align:center">severity ${severity}</th>`).join('');
  const columns = SEVERITIES.map(() => '<th>AUC-PR</th><th>recall</th><th>delay, p95 s</th><th>missed</th>').join('');
  const rows = names.map((name) => {
    const mark = hidden.some(({ fault }) => fault === name)
      ? ' <small>cannot be shown</small>'
      : heldOut.includes(name)
        ? ' <small>held out</small>'
        : '';
    const cells = SEVERITIES.map((severity) => heatCells(faults.find((row) => row.fault === name && row.severity === severity)));
    return `<tr><td>${text(name)}${mark}</td>${cells.join('')}</tr>`;
  });
  return `<div class="wide"><table class="heat"><thead><tr><th></th>${head}</tr><tr><th></th>${columns}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function heatCells(row: FaultFigures | undefined): string {
  if (!row) return '<td colspan="4"></td>';
  return `<td style="background:${heat(row.aucPr)}">${figure(row.aucPr, 3)}</td><td style="background:${heat(row.recall)}">${figure(row.recall, 2)}</td><td>${row.delayMedianS === null ? '–' : `${figure(row.delayMedianS, 0)}, ${figure(row.delayP95S, 0)}`}</td><td>${row.undetected}/${row.episodes}</td>`;
}

/** From red over yellow to green; pale enough for dark figures on it. */
const heat = (value: number | null): string => (value === null ? '#eef1f4' : `hsl(${Math.round(130 * value)} 65% 82%)`);

const BAR_PX = 22;
const BAR_HEIGHT = 150;
/** Upper ends of the bars, seconds; the last is open. */
const DELAY_BINS = [10, 15, 20, 25, 30, 45, 60, 120, 300, 600, 1_200, Number.POSITIVE_INFINITY];

/** Bars of how many step faults were found within so many seconds, and how many never. */
function histogram(severity: number, seconds: readonly number[], undetected: number): string {
  const bars = DELAY_BINS.map((until, i) => ({
    label: Number.isFinite(until) ? `≤${until}` : '>',
    count: seconds.filter((s) => s <= until && s > (i === 0 ? Number.NEGATIVE_INFINITY : DELAY_BINS[i - 1])).length,
    colour: '#1f6feb',
  }));
  bars.push({ label: 'never', count: undetected, colour: '#b3261e' });
  const most = bars.reduce((high, { count }) => Math.max(high, count), 1);
  const step = BAR_PX + 11;
  const width = 20 + step * bars.length;
  const drawn = bars.map(({ label, count, colour }, i) => {
    const x = 12 + i * step;
    const height = (BAR_HEIGHT * count) / most;
    const y = 50 + BAR_HEIGHT - height;
    const middle = x + BAR_PX / 2;
    return `<rect x="${x}" y="${y.toFixed(1)}" width="${BAR_PX}" height="${height.toFixed(1)}" fill="${colour}"/><text x="${middle}" y="${(y - 4).toFixed(1)}" text-anchor="middle">${count || ''}</text><text x="${middle}" y="${66 + BAR_HEIGHT}" text-anchor="middle">${label}</text>`;
  });
  return `<svg role="img" width="${width}" height="${BAR_HEIGHT + 94}" viewBox="0 0 ${width} ${BAR_HEIGHT + 94}" font-family="system-ui,sans-serif" font-size="10" fill="#1c2733"><title>Delay at severity ${severity}</title><text x="12" y="20" font-size="13" font-weight="600">Severity ${severity}: step faults by delay</text>${drawn.join('')}<text x="${width / 2}" y="${BAR_HEIGHT + 86}" text-anchor="middle" font-size="11">seconds from onset to alarm</text></svg>`;
}

/** Named, with the reason where it is known, and otherwise with the figure: nothing is left out of the table. */
function cannotSee({ hidden, faults }: Evaluation, text: Drawing['text']): string {
  const said = hidden.map(({ fault, reason }) => `<li><b>${text(fault)}</b> is in no overall figure: ${text(reason)}.</li>`);
  const poor = faults.filter(({ fault, recall }) => recall !== null && recall < 0.5 && !hidden.some((entry) => entry.fault === fault));
  const missed = poor.map(
    ({ fault, severity, recall, aucPr }) =>
      `<li>${text(fault)} at ${severity}: ${figure(100 * (recall ?? 0), 0)} % of its windows are above the threshold, AUC-PR ${figure(aucPr, 2)}.</li>`,
  );
  return `${said.length > 0 ? `<ul>${said.join('')}</ul>` : '<p>Every fault of this machine moves a channel that its features read.</p>'}
${missed.length > 0 ? `<p>Counted in every figure, and missed in more than half of their windows:</p><ul>${missed.join('')}</ul>` : ''}`;
}

const calibrationTable = ({ calibration }: Evaluation): string =>
  table(
    ['wind m/s', 'normal windows', 'above threshold', 'mean score'],
    calibration.map(({ fromMps, toMps, windows, falseShare, meanScore }) => [
      `${fromMps.toFixed(2)} – ${toMps.toFixed(2)}`,
      String(windows),
      falseShare === null ? '–' : `${figure(100 * falseShare, 2)} %`,
      figure(meanScore, 3),
    ]),
  );

const causeTable = ({ falseAlarms }: Evaluation, text: Drawing['text']): string =>
  table(
    ['wind, and the turbine’s life', 'hours', 'alarms', 'a turbine-week'],
    falseAlarms.map(({ wind, habit, hours, alarms }) => [
      `${text(wind)}: ${text(habit)}`,
      figure(hours, 1),
      String(alarms),
      hours > 0 ? figure((alarms * 168) / hours, 1) : '–',
    ]),
  );

const operatingText = ({ atOneFalseAlarm: point }: Evaluation): string =>
  point === null
    ? 'No thresholds bring the false alarms down to one a turbine-week.'
    : `With all thresholds × ${figure(point.scale, 2)} there would be one false alarm a turbine-week at most, and recall ${figure(point.recallSevere, 3)} at severity 1, ${figure(point.recallMild, 3)} at 0.3.`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<div class="wide"><table><thead><tr>${head.map((cell) => `<th>${cell}</th>`).join('')}</tr></thead><tbody>${rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('')}</tbody></table></div>`;

const figure = (value: number | null, digits: number): string => (value === null ? '–' : value.toFixed(digits));
