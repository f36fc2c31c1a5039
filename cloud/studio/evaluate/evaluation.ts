/** All figures of a model over the seeds that were played: what `evaluate` prints, and what its report draws. */
import { channelsTold } from '../../../actors/signal/operations.ts';
import type { Channel } from '../../../actors/contracts/channels.ts';
import type { FaultKind } from '../../../actors/contracts/faults.ts';
import { modelId } from '../../../actors/contracts/ids.ts';
import type { ModelManifest } from '../../../actors/contracts/model.ts';
import type { AnnounceRule, ControlKind } from './detector.ts';
import {
  calibration,
  type EpisodeOutcome,
  type Evaluated,
  evaluate,
  type FalseAlarmCause,
  falseAlarmCauses,
  falseAlarmFeatures,
  type FaultFigures,
  faultFigures,
  type OverallFigures,
  overallFigures,
  type ScoredSeed,
  scoresOf,
  type WindBin,
} from './figures.ts';
import { protocolOf } from './fleet.ts';
import { type OperatingPoint, operatingPoint } from './operating-point.ts';
import { type PrecisionPoint, precisionCurve } from './precision.ts';
import { type GoalFigures, goals, type HiddenFault, type MachineProtocol, NORMAL_FAULTS, PREVALENCE, SEVERITIES } from './protocol.ts';
import { Label } from './score.ts';

/** The public shape: `evaluate --json` prints it as it is. */
export interface Evaluation {
  readonly model: string;
  readonly machine: string;
  /** Those that are complete. */
  readonly seeds: readonly number[];
  readonly seedsAsked: number;
  readonly normalTurbineHours: number;
  /** Seeds of the evaluation that the model's own lineage names. */
  readonly overlap: readonly number[];
  readonly heldOut: readonly string[];
  readonly hidden: readonly HiddenFault[];
  readonly faults: readonly FaultFigures[];
  readonly overall: OverallFigures;
  readonly controls: Readonly<Record<string, OverallFigures>>;
  readonly goals: readonly {
    readonly goal: string;
    readonly wanted: string;
    readonly figure: number | null;
    readonly holds: boolean | null;
  }[];
  readonly calibration: readonly WindBin[];
  readonly falseAlarms: readonly FalseAlarmCause[];
  /** Features that were the worst when a false alarm was announced. */
  readonly falseAlarmFeatures: Readonly<Record<string, number>>;
  /** With thresholds for one false alarm a turbine-week. */
  readonly atOneFalseAlarm: OperatingPoint | null;
}

export interface EvaluationInput {
  readonly manifest: ModelManifest;
  readonly catalogue: readonly FaultKind[];
  readonly channels: readonly Channel[];
  readonly controls: readonly ControlKind[];
  readonly seeds: readonly ScoredSeed[];
  /** More than there are when the run was ended early. */
  readonly seedsAsked: number;
  readonly announceRule: AnnounceRule;
}

const WIND_BINS = 10;

/** What the report draws beyond the figures. */
export interface Evidence {
  readonly evaluation: Evaluation;
  /** Precision over recall at severity 1 of the model, and then of each control that works on the machine. */
  readonly curves: readonly { readonly name: string; readonly points: readonly PrecisionPoint[] }[];
  /** The model's alone, by what they are over. */
  readonly modelCurves: readonly { readonly name: string; readonly points: readonly PrecisionPoint[] }[];
  /** Seconds from step onsets to their alarms, by severity. */
  readonly delays: readonly { readonly severity: number; readonly seconds: readonly number[]; readonly undetected: number }[];
  readonly abouts: readonly { readonly name: string; readonly about: string }[];
}

export function summarise({ manifest, catalogue, controls, seeds, seedsAsked, announceRule }: EvaluationInput): Evidence {
  const protocol = protocolOf(manifest.machine);
  const stepS = manifest.signal.window.hop / manifest.signal.rateHz;
  const features = manifest.signal.features.map((feature) => ({ name: feature.name, channels: channelsTold(feature) }));
  const model = evaluate(seeds, 0, features, catalogue, stepS);
  const others = controls.map(({ name, features: itsFeatures }, c) => {
    if (seeds.length === 0 || !seeds[0].windows.detectors[c + 1].works) return { name, overall: nothing, points: [] };
    const evaluated = evaluate(seeds, c + 1, itsFeatures, catalogue, stepS); // one at a time: they are large
    return { name, overall: overallFigures(evaluated, protocol), points: curveOf(evaluated, shownAt(protocol, 1)) };
  });
  const byControl = Object.fromEntries(others.map(({ name, overall }) => [name, overall]));
  const overall = overallFigures(model, protocol);
  const names = catalogue.map(({ name }) => name).filter((name) => !NORMAL_FAULTS.includes(name));
  const against = goalFigures(overall, byControl);
  const evaluation: Evaluation = {
    model: modelId(manifest.name, manifest.version),
    machine: manifest.machine,
    seeds: seeds.map(({ fleet }) => fleet.seed),
    seedsAsked,
    normalTurbineHours:
      (stepS * model.lives.filter(({ episode }) => episode === null).reduce((sum, { endMs }) => sum + endMs.length, 0)) / 3_600,
    overlap: overlapOf(
      manifest,
      seeds.map(({ fleet }) => fleet.seed),
    ),
    heldOut: protocol.heldOut,
    hidden: protocol.hidden,
    faults: names.flatMap((fault) => SEVERITIES.map((severity) => faultFigures(model, fault, severity))),
    overall,
    controls: byControl,
    goals: goals.map((goal) => ({ goal: goal.name, wanted: goal.wanted, figure: goal.figure(against), holds: goal.holds(against) })),
    calibration: calibration(model, WIND_BINS),
    falseAlarms: falseAlarmCauses(model),
    falseAlarmFeatures: falseAlarmFeatures(model, features),
    atOneFalseAlarm: operatingPoint(
      model,
      model.lives.filter(({ episode }) => episode !== null && !protocol.hidden.some(({ fault }) => fault === episode.fault)),
      announceRule,
      manifest.persistence,
      1,
    ),
  };
  return {
    evaluation,
    curves: [{ name: 'model', points: curveOf(model, shownAt(protocol, 1)) }, ...others.filter(({ points }) => points.length > 0)],
    modelCurves: [
      ...SEVERITIES.map((severity) => ({ name: `severity ${severity}`, points: curveOf(model, shownAt(protocol, severity)) })),
      { name: 'held out, 1', points: curveOf(model, ({ fault, severity }) => severity === 1 && protocol.heldOut.includes(fault)) },
    ].filter(({ points }) => points.length > 0),
    delays: SEVERITIES.map((severity) => {
      const steps = model.lives.flatMap(({ episode }) => (episode?.severity === severity && episode.overMs === 0 ? [episode.delayS] : []));
      const seconds = steps.filter((delay) => delay !== null).sort((a, b) => a - b);
      return { severity, seconds, undetected: steps.length - seconds.length };
    }),
    abouts: controls.map(({ name, about }) => ({ name, about })),
  };
}

const CURVE_POINTS = 200;

const curveOf = ({ lives, negatives }: Evaluated, isMeant: (episode: EpisodeOutcome) => boolean): PrecisionPoint[] =>
  precisionCurve(
    scoresOf(
      lives.filter(({ episode }) => episode !== null && isMeant(episode)),
      Label.faulty,
    ),
    negatives,
    PREVALENCE,
    CURVE_POINTS,
  );

/** Faults that the six features can show. */
const shownAt =
  ({ hidden }: MachineProtocol, wanted: number) =>
  ({ fault, severity }: EpisodeOutcome): boolean =>
    severity === wanted && !hidden.some((entry) => entry.fault === fault);

/** Of a control that cannot work on the machine. */
const nothing: OverallFigures = {
  aucPrSevere: null,
  aucPrMild: null,
  aucPrHeldOut: null,
  recallSevere: null,
  falseAlarmsPerTurbineWeek: null,
  delayMedianS: null,
  care: null,
  attribution: null,
};

function goalFigures(overall: OverallFigures, controls: Readonly<Record<string, OverallFigures>>): GoalFigures {
  const gain = (over: OverallFigures) =>
    overall.aucPrSevere === null || over.aucPrSevere === null ? null : overall.aucPrSevere - over.aucPrSevere;
  const { rangeCheck = nothing, originalRule = nothing } = controls;
  return {
    ...overall,
    rangeCheckRecall: rangeCheck.recallSevere,
    gainOverRangeCheck: gain(rangeCheck),
    gainOverOriginalRule: gain(originalRule),
  };
}

/** Numbers and ranges `a-b` of every entry of the lineage whose name says that it is a seed. */
function overlapOf({ lineage }: ModelManifest, seeds: readonly number[]): number[] {
  const used = Object.entries(lineage)
    .filter(([name]) => /seed/i.test(name))
    .flatMap(([, value]) =>
      [...String(value).matchAll(/(\d+)(?:\s*(?:-|\.\.)\s*(\d+))?/g)].map(([, from, to]) => [Number(from), Number(to ?? from)]),
    );
  return seeds.filter((seed) => used.some(([from, to]) => seed >= from && seed <= to));
}
