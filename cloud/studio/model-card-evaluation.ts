/** The card's figures of detection: what `windfleet evaluate --json` prints, as Markdown. */
import { FileInvalid } from '../../actors/contracts/errors.ts';
import type { Evaluation } from './evaluate/evaluation.ts';
import { table } from './model-card-table.ts';

export type EvaluationFigures = Pick<Evaluation, 'faults' | 'overall' | 'controls' | 'seeds' | 'normalTurbineHours'>;

const TITLE = '## Detection';
const NEXT = '\n\n## ';

export function evaluationSection(evaluation: EvaluationFigures | undefined): string {
  if (!evaluation)
    return `${TITLE}\n\nNot evaluated yet: \`windfleet evaluate --card\` plays labelled fleets against it and says how much of which fault it finds, and what it costs in false alarms.`;
  const { faults, overall, controls, seeds, normalTurbineHours } = evaluation;
  const fleets =
    seeds.length === 1
      ? `a labelled fleet of twins (seed ${seeds[0]})`
      : `${seeds.length} labelled fleets of twins (seeds ${seeds[0]} to ${seeds.at(-1)})`;
  return [
    TITLE,
    '',
    `On ${fleets} with ${normalTurbineHours.toFixed(0)} normal turbine-hours.`,
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

/** The card with these figures in the place of those it had. @throws FileInvalid when it has no such place */
export function withEvaluation(card: string, evaluation: EvaluationFigures): string {
  const [from, to] = evaluationPlace(card);
  return card.slice(0, from) + evaluationSection(evaluation) + card.slice(to);
}

/** Where a card tells of detection. @throws FileInvalid when it does not */
export function evaluationPlace(card: string): readonly [from: number, to: number] {
  const from = card.indexOf(`${TITLE}\n`);
  const to = card.indexOf(NEXT, from);
  if (from >= 0 && to >= 0) return [from, to];
  throw new FileInvalid(`the card has no section “${TITLE}”`, { hint: 'give a MODEL_CARD.md as `windfleet train` writes it' });
}
