/** The card's figures of detection: what `windfleet evaluate --json` prints, as Markdown. */
import { table } from './model-card-table.ts';

/** Null where nothing was there to take it from. */
export interface OverallFigures {
  readonly aucPrSevere: number | null;
  readonly aucPrMild: number | null;
  readonly aucPrHeldOut: number | null;
  readonly recallSevere: number | null;
  readonly falseAlarmsPerTurbineWeek: number | null;
  readonly delayMedianS: number | null;
  readonly care: number | null;
  readonly attribution: number | null;
}

export interface EvaluationFigures {
  readonly faults: readonly {
    readonly fault: string;
    readonly severity: number;
    readonly aucPr: number | null;
    readonly prevalence: number | null;
    readonly recall: number | null;
    readonly delayMedianS: number | null;
    readonly delayP95S: number | null;
    readonly attribution: number | null;
  }[];
  readonly overall: OverallFigures;
  /** `originalRule`, `random`, `constant`, `rangeCheck`. */
  readonly controls: Readonly<Record<string, OverallFigures>>;
}

export function evaluationSection(evaluation: EvaluationFigures | undefined): string {
  if (!evaluation)
    return '## Detection\n\nNot evaluated yet: `windfleet evaluate` plays labelled fleets against it and says how much of which fault it finds, and what it costs in false alarms.';
  const { faults, overall, controls } = evaluation;
  return [
    '## Detection',
    '',
    table(
      ['', 'AUC-PR severe', 'mild', 'held-out faults', 'recall severe', 'false alarms a turbine-week', 'delay', 'CARE', 'right feature'],
      [['this model', overall] as const, ...Object.entries(controls)].map(([name, of]) => [
        name,
        ratio(of.aucPrSevere),
        ratio(of.aucPrMild),
        ratio(of.aucPrHeldOut),
        ratio(of.recallSevere),
        ratio(of.falseAlarmsPerTurbineWeek),
        delay(of.delayMedianS),
        ratio(of.care),
        ratio(of.attribution),
      ]),
    ),
    '',
    table(
      ['fault', 'severity', 'AUC-PR', 'prevalence', 'recall', 'delay, median', 'p95', 'right feature'],
      faults.map((of) => [
        of.fault,
        String(of.severity),
        ratio(of.aucPr),
        ratio(of.prevalence),
        ratio(of.recall),
        delay(of.delayMedianS),
        delay(of.delayP95S),
        ratio(of.attribution),
      ]),
    ),
  ].join('\n');
}

const ratio = (value: number | null) => (value === null || !Number.isFinite(value) ? '–' : value.toFixed(2));
const delay = (value: number | null) => (value === null || !Number.isFinite(value) ? '–' : `${value.toFixed(0)} s`);
