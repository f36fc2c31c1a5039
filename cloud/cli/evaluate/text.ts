/** An evaluation as a person reads it in a terminal. */
import type { Evaluation } from '../../studio/evaluate/evaluation.ts';
import type { OverallFigures } from '../../studio/evaluate/figures.ts';
import { PREVALENCE } from '../../studio/evaluate/protocol.ts';
import { table } from '../print.ts';

export function evaluationText(evaluation: Evaluation): string {
  const {
    model,
    machine,
    seeds,
    normalTurbineHours,
    overlap,
    hidden,
    heldOut,
    faults,
    overall,
    controls,
    goals,
    falseAlarms,
    falseAlarmFeatures,
    atOneFalseAlarm,
  } = evaluation;
  const hiddenNames = hidden.map(({ fault }) => fault);
  const mark = (fault: string) => (hiddenNames.includes(fault) ? ' *' : heldOut.includes(fault) ? ' +' : '');
  const episodes = faults.reduce((sum, row) => sum + row.episodes, 0);
  return [
    `${model} on ${machine}, seeds ${seedsText(seeds)}: ${normalTurbineHours.toFixed(1)} normal turbine-hours judged, ${episodes} episodes of faults, prevalence ${PREVALENCE}`,
    overlap.length > 0
      ? `WARNING: the model’s lineage names these seeds too: ${seedsText(overlap)}`
      : 'no seed of these is named by the model’s lineage',
    '',
    table(
      ['', 'AUC-PR 1', 'AUC-PR 0.3', 'held out', 'recall 1', 'false/week', 'delay s', 'CARE', 'attribution'],
      [...Object.entries(controls), ['model', overall] as const].map(([name, figures]) => [name, ...overallCells(figures)]),
    ),
    '',
    table(
      ['fault', 'severity', 'AUC-PR', 'prevalence', 'recall', 'delay s', 'p95 s', 'missed', 'false/week', 'CARE', 'attribution'],
      faults.map((row) => [
        `${row.fault}${mark(row.fault)}`,
        String(row.severity),
        cell(row.aucPr, 3),
        cell(row.prevalence, 2),
        cell(row.recall, 3),
        cell(row.delayMedianS, 1),
        cell(row.delayP95S, 1),
        `${row.undetected}/${row.episodes}`,
        cell(row.falseAlarmsPerTurbineWeek, 1),
        cell(row.care, 3),
        cell(row.attribution, 2),
      ]),
    ),
    '+ held out: used for nothing but this table',
    ...hidden.map(({ fault, reason }) => `* ${fault} is in no overall figure: ${reason}`),
    '',
    table(
      ['false alarms in wind', 'on turbines', 'hours', 'alarms'],
      falseAlarms.map(({ wind, habit, hours, alarms }) => [wind, habit, hours.toFixed(1), String(alarms)]),
    ),
    `by worst feature: ${Object.entries(falseAlarmFeatures)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
    atOneFalseAlarm
      ? `at one false alarm a turbine-week (all thresholds × ${atOneFalseAlarm.scale.toFixed(2)}) recall would be ${cell(atOneFalseAlarm.recallSevere, 3)} at severity 1, ${cell(atOneFalseAlarm.recallMild, 3)} at 0.3`
      : 'no thresholds bring the false alarms down to one a turbine-week',
    '',
    table(
      ['goal', 'wanted', 'reached', ''],
      goals.map(({ goal, wanted, figure, holds }) => [
        goal,
        wanted,
        cell(figure, 3),
        holds === null ? 'not measured' : holds ? 'ok' : 'MISSED',
      ]),
    ),
  ].join('\n');
}

const overallCells = (figures: OverallFigures): string[] => [
  cell(figures.aucPrSevere, 3),
  cell(figures.aucPrMild, 3),
  cell(figures.aucPrHeldOut, 3),
  cell(figures.recallSevere, 3),
  cell(figures.falseAlarmsPerTurbineWeek, 2),
  cell(figures.delayMedianS, 1),
  cell(figures.care, 3),
  cell(figures.attribution, 2),
];

export const cell = (value: number | null, digits: number): string => (value === null ? '–' : value.toFixed(digits));

/** `1-3, 7` */
export function seedsText(seeds: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const seed of seeds) {
    const last = runs[runs.length - 1];
    if (last && seed === last[1] + 1) last[1] = seed;
    else runs.push([seed, seed]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ') || 'none';
}
