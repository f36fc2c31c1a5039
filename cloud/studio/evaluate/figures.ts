/** From scored windows to the figures of a report: per fault and severity, over all of them, and by wind. */
import type { FaultKind } from '../../../actors/contracts/faults.ts';
import { type CareEvent, careScore, earlinessOf, fHalf, isCritical } from './care.ts';
import type { NamedFeature } from './detector.ts';
import type { Episode, LabelledFleet, LabelledGroup, LabelledTurbine } from './fleet.ts';
import { averagePrecision } from './precision.ts';
import { CRITICALITY_CAP_S, CRITICALITY_S, isSensorFault, type MachineProtocol, PREVALENCE } from './protocol.ts';
import { Label, type ScoredWindows } from './score.ts';

/** A seed that has been played. */
export interface ScoredSeed {
  readonly fleet: LabelledFleet;
  readonly windows: ScoredWindows;
}

/** Null: there was nothing to measure. */
export interface FaultFigures {
  readonly fault: string;
  readonly severity: number;
  readonly aucPr: number | null;
  readonly prevalence: number;
  /** Of windows, above the threshold. */
  readonly recall: number | null;
  /** Of step onsets that were found. */
  readonly delayMedianS: number | null;
  readonly delayP95S: number | null;
  /** Of announced detections, the share whose worst feature is one that the fault moves. */
  readonly attribution: number | null;
  /** On these turbines before the onset. */
  readonly falseAlarmsPerTurbineWeek: number | null;
  readonly care: number | null;
  readonly windows: number;
  readonly episodes: number;
  readonly undetected: number;
}

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

/** One turbine's life under one detector. */
export interface Life {
  readonly turbine: LabelledTurbine;
  /** Of its group. */
  readonly wind: LabelledGroup['kind'];
  /** [windows] of this turbine, in the order of time. */
  readonly endMs: Float64Array;
  readonly label: Uint8Array;
  readonly score: Float32Array;
  readonly announced: Uint8Array;
  readonly windMps: Float32Array;
  /** Instants at which the announced verdict turned anomalous. */
  readonly alarmsMs: readonly number[];
  /** [alarms], index of the worst feature of each. */
  readonly alarmFeatures: readonly number[];
  /** On a faulted turbine. */
  readonly episode: EpisodeOutcome | null;
}

export interface EpisodeOutcome extends Episode {
  /** From the onset to the first alarm after it; null: none came. */
  readonly delayS: number | null;
  /** Whether the worst feature of that alarm is one that the fault moves; null: none came. */
  readonly isAttributed: boolean | null;
}

export interface Evaluated {
  readonly lives: readonly Life[];
  /** Seconds between two windows of a turbine. */
  readonly stepS: number;
  /** Ascending scores of all normal windows. */
  readonly negatives: Float32Array;
}

const WEEK_S = 7 * 24 * 3_600;

/** @param detector index among the windows' detectors. @param features of that detector */
export function evaluate(
  seeds: readonly ScoredSeed[],
  detector: number,
  features: readonly NamedFeature[],
  catalogue: readonly FaultKind[],
  stepS: number,
): Evaluated {
  const lives = seeds.flatMap((seed) => livesOf(seed, detector, features, catalogue));
  return { lives, stepS, negatives: scoresOf(lives, Label.normal) };
}

export function faultFigures({ lives, stepS, negatives }: Evaluated, fault: string, severity: number): FaultFigures {
  const own = lives.filter(({ episode }) => episode?.fault === fault && episode.severity === severity);
  const positives = scoresOf(own, Label.faulty);
  const normals = lives.filter(({ episode }) => episode === null);
  const leadIns = own.map((life) => life.alarmsMs.filter((at) => at < life.episode!.onsetMs).length);
  const leadInS = stepS * own.reduce((sum, { label }) => sum + count(label, Label.normal), 0);
  return {
    fault,
    severity,
    aucPr: averagePrecision(positives, negatives, PREVALENCE),
    prevalence: PREVALENCE,
    recall: recallOf(positives),
    ...delays(own),
    attribution: attributionOf(own),
    falseAlarmsPerTurbineWeek: leadInS > 0 ? (leadIns.reduce((sum, n) => sum + n, 0) * WEEK_S) / leadInS : null,
    care: careScore([...own, ...normals].flatMap((life) => careEvent(life, stepS))),
    windows: positives.length,
    episodes: own.length,
    undetected: own.filter(({ episode }) => episode?.delayS === null).length,
  };
}

export function overallFigures(
  { lives, stepS, negatives }: Evaluated,
  { hidden, heldOut }: Pick<MachineProtocol, 'hidden' | 'heldOut'>,
): OverallFigures {
  const hiddenNames = hidden.map(({ fault }) => fault);
  const normals = lives.filter(({ episode }) => episode === null);
  const shown = lives.filter(({ episode }) => episode !== null && !hiddenNames.includes(episode.fault));
  const at = (severity: number) => shown.filter(({ episode }) => episode?.severity === severity);
  const severe = scoresOf(at(1), Label.faulty);
  const heldOutSevere = at(1).filter(({ episode }) => heldOut.includes(episode!.fault));
  const alarms = normals.reduce((sum, { alarmsMs }) => sum + alarmsMs.length, 0);
  const judgedS = stepS * normals.reduce((sum, { endMs }) => sum + endMs.length, 0);
  return {
    aucPrSevere: averagePrecision(severe, negatives, PREVALENCE),
    aucPrMild: averagePrecision(scoresOf(at(0.3), Label.faulty), negatives, PREVALENCE),
    aucPrHeldOut: averagePrecision(scoresOf(heldOutSevere, Label.faulty), negatives, PREVALENCE),
    recallSevere: recallOf(severe),
    falseAlarmsPerTurbineWeek: judgedS > 0 ? (alarms * WEEK_S) / judgedS : null,
    delayMedianS: delays(shown).delayMedianS,
    care: careScore([...shown, ...normals].flatMap((life) => careEvent(life, stepS))),
    attribution: attributionOf(shown),
  };
}

/** Alarms on normal turbines by the wind they stand in and the life they lead. */
export interface FalseAlarmCause {
  readonly wind: string;
  readonly habit: string;
  readonly hours: number;
  readonly alarms: number;
}

export function falseAlarmCauses({ lives, stepS }: Evaluated): FalseAlarmCause[] {
  const causes = new Map<string, { wind: string; habit: string; windows: number; alarms: number }>();
  for (const { turbine, wind, episode, endMs, alarmsMs } of lives) {
    if (episode !== null) continue;
    const key = `${wind} ${turbine.habit}`;
    const cause = causes.get(key) ?? { wind, habit: turbine.habit, windows: 0, alarms: 0 };
    causes.set(key, cause);
    cause.windows += endMs.length;
    cause.alarms += alarmsMs.length;
  }
  return [...causes.values()].map(({ wind, habit, windows, alarms }) => ({ wind, habit, hours: (windows * stepS) / 3_600, alarms }));
}

/** How often each feature was the worst when an alarm was announced on a normal turbine. */
export function falseAlarmFeatures({ lives }: Evaluated, features: readonly NamedFeature[]): Record<string, number> {
  const counts = Object.fromEntries(features.map(({ name }) => [name, 0]));
  for (const { episode, alarmFeatures } of lives) if (episode === null) for (const f of alarmFeatures) counts[features[f].name]++;
  return counts;
}

/** Figures of the normal windows whose wind lies within a bin. */
export interface WindBin {
  readonly fromMps: number;
  readonly toMps: number;
  readonly windows: number;
  readonly falseShare: number | null;
  readonly meanScore: number | null;
}

export function calibration({ lives }: Evaluated, bins: number): WindBin[] {
  let low = Number.POSITIVE_INFINITY;
  let high = 0;
  const visitNormal = (visit: (windMps: number, score: number) => void) => {
    for (const { label, windMps, score } of lives)
      for (let i = 0; i < label.length; i++) if (label[i] === Label.normal) visit(windMps[i], score[i]);
  };
  visitNormal((wind) => {
    low = Math.min(low, wind);
    high = Math.max(high, wind);
  });
  if (!(high > low)) return [];
  const out = Array.from({ length: bins }, () => ({ windows: 0, above: 0, score: 0 }));
  visitNormal((wind, score) => {
    const bin = out[Math.min(bins - 1, Math.floor(((wind - low) / (high - low)) * bins))];
    bin.windows++;
    bin.score += score;
    if (score > 1) bin.above++;
  });
  return out.map((bin, b) => ({
    fromMps: low + ((high - low) * b) / bins,
    toMps: low + ((high - low) * (b + 1)) / bins,
    windows: bin.windows,
    falseShare: bin.windows > 0 ? bin.above / bin.windows : null,
    meanScore: bin.windows > 0 ? bin.score / bin.windows : null,
  }));
}

/** Scores of the windows with a label, ascending. */
export function scoresOf(lives: readonly Life[], label: number): Float32Array {
  const scores = new Float32Array(lives.reduce((sum, life) => sum + count(life.label, label), 0));
  let n = 0;
  for (const life of lives) for (let i = 0; i < life.label.length; i++) if (life.label[i] === label) scores[n++] = life.score[i];
  return scores.sort();
}

function livesOf(
  { fleet, windows }: ScoredSeed,
  detector: number,
  features: readonly NamedFeature[],
  catalogue: readonly FaultKind[],
): Life[] {
  const turbines = fleet.groups.flatMap((group) => group.turbines);
  const winds = fleet.groups.flatMap(({ kind, turbines: members }) => members.map(() => kind));
  const places: number[][] = turbines.map(() => []);
  for (let i = 0; i < windows.turbine.length; i++) places[windows.turbine[i]].push(i);
  const { score, worst, announced } = windows.detectors[detector];
  return turbines.map((turbine, t): Life => {
    const own = places[t];
    const alarms = own.filter((at, i) => announced[at] === 1 && (i === 0 || announced[own[i - 1]] === 0));
    const { episode } = turbine;
    const found = episode === null ? undefined : alarms.find((at) => windows.endMs[at] > episode.onsetMs);
    return {
      turbine,
      wind: winds[t],
      endMs: Float64Array.from(own, (at) => windows.endMs[at]),
      label: Uint8Array.from(own, (at) => windows.label[at]),
      score: Float32Array.from(own, (at) => score[at]),
      announced: Uint8Array.from(own, (at) => announced[at]),
      windMps: Float32Array.from(own, (at) => windows.windMps[at]),
      alarmsMs: alarms.map((at) => windows.endMs[at]),
      alarmFeatures: alarms.map((at) => worst[at]),
      episode:
        episode === null
          ? null
          : {
              ...episode,
              delayS: found === undefined ? null : (windows.endMs[found] - episode.onsetMs) / 1_000,
              isAttributed:
                found === undefined
                  ? null
                  : features[worst[found]].channels.some((channel) => movedBy(episode, fleet.machine, catalogue).includes(channel)),
            },
    };
  });
}

/** The channels that an episode moves on a machine. */
function movedBy({ fault, channel }: Episode, machine: string, catalogue: readonly FaultKind[]): readonly string[] {
  if (isSensorFault(fault) && channel !== null) return [channel];
  return Object.keys(catalogue.find(({ name }) => name === fault)?.moves?.[machine] ?? {});
}

const recallOf = (positives: Float32Array): number | null =>
  positives.length === 0 ? null : positives.filter((score) => score > 1).length / positives.length;

function delays(lives: readonly Life[]): { delayMedianS: number | null; delayP95S: number | null } {
  const found = lives
    .flatMap(({ episode }) => (episode && episode.overMs === 0 && episode.delayS !== null ? [episode.delayS] : []))
    .sort((a, b) => a - b);
  return { delayMedianS: quantile(found, 0.5), delayP95S: quantile(found, 0.95) };
}

function attributionOf(lives: readonly Life[]): number | null {
  const named = lives.flatMap(({ episode }) => (episode && episode.isAttributed !== null ? [episode.isAttributed] : []));
  return named.length === 0 ? null : named.filter((right) => right).length / named.length;
}

/** A turbine's life as CARE sees it; points are its announced verdicts, those that straddle the onset left out. */
function careEvent({ label, announced, episode }: Life, stepS: number): CareEvent[] {
  const before = announced.filter((_, i) => label[i] === Label.normal);
  const after = announced.filter((_, i) => label[i] === Label.faulty);
  if (episode === null)
    return before.length === 0
      ? []
      : [
          {
            kind: 'normal',
            accuracy: count(before, 0) / before.length,
            earliness: 0,
            coverage: 0,
            isDetected: isCritical(announced, stepS, CRITICALITY_S, CRITICALITY_CAP_S),
          },
        ];
  if (after.length === 0) return []; // it stood still all the time
  const hits = count(after, 1);
  return [
    {
      kind: 'anomaly',
      accuracy: 0,
      earliness: earlinessOf(after),
      coverage: fHalf(hits, count(before, 1), after.length - hits),
      isDetected: isCritical(after, stepS, CRITICALITY_S, CRITICALITY_CAP_S),
    },
  ];
}

/** Nearest rank. @param sorted ascending */
export const quantile = (sorted: readonly number[], share: number): number | null =>
  sorted.length === 0 ? null : sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];

function count(values: Uint8Array, wanted: number): number {
  let n = 0;
  for (let i = 0; i < values.length; i++) if (values[i] === wanted) n++;
  return n;
}
