/**
 * CARE: coverage, accuracy, reliability, earliness (Gück et al. 2024; definitions as in AEFDI's EnergyFaultDetector, care_score.py).
 *
 *   Coverage = mean F½ of the points of an anomaly event,  Accuracy = mean tn/(tn+fp) of the normal events,
 *   Reliability = F½ over events,  Earliness = mean Σ w p / Σ w, w = 1 in the first quarter of an event and then in a line to 0
 *   CARE = (Coverage + Earliness + 2 Accuracy + Reliability) / 5;  0 when no event is detected;  Accuracy when that is ½ at most
 */
export interface CareEvent {
  readonly kind: 'anomaly' | 'normal';
  /** Of an anomaly event, 0..1; not read of a normal one. */
  readonly earliness: number;
  /** F½ of an anomaly event's points; not read of a normal one. */
  readonly coverage: number;
  /** tn/(tn+fp) of a normal event; not read of an anomaly one. */
  readonly accuracy: number;
  readonly isDetected: boolean;
}

const BETA = 0.5;

/** F½ = (1 + ¼) P R / (¼ P + R); 0 when nothing is right. */
export function fHalf(truePositives: number, falsePositives: number, falseNegatives: number): number {
  const weighted = (1 + BETA ** 2) * truePositives;
  return truePositives === 0 ? 0 : weighted / (weighted + BETA ** 2 * falseNegatives + falsePositives);
}

/** 0..1; null without an event of either kind. */
export function careScore(events: readonly CareEvent[]): number | null {
  const anomalies = events.filter(({ kind }) => kind === 'anomaly');
  const normals = events.filter(({ kind }) => kind === 'normal');
  if (anomalies.length === 0 || normals.length === 0) return null;
  if (!events.some(({ isDetected }) => isDetected)) return 0;
  const accuracy = mean(normals.map((event) => event.accuracy));
  if (accuracy <= 0.5) return accuracy;
  const detected = anomalies.filter(({ isDetected }) => isDetected).length;
  const reliability = fHalf(detected, normals.filter(({ isDetected }) => isDetected).length, anomalies.length - detected);
  const coverage = mean(anomalies.map((event) => event.coverage));
  const earliness = mean(anomalies.map((event) => event.earliness));
  return (coverage + earliness + 2 * accuracy + reliability) / 5;
}

/** Whether the criticality ever rises above `aboveS`: so many seconds up for each anomalous point, down for a normal one, never below 0 or above `capS`. */
export function isCritical(anomalous: ArrayLike<number>, stepS: number, aboveS: number, capS: number): boolean {
  let criticality = 0;
  for (let i = 0; i < anomalous.length; i++) {
    criticality = Math.max(0, Math.min(capS, criticality + (anomalous[i] ? stepS : -stepS)));
    if (criticality > aboveS) return true;
  }
  return false;
}

/** Σ w p / Σ w over the points of an event, in the order of time: full weight in its first quarter, then in a line to 0 at its end. */
export function earlinessOf(anomalous: ArrayLike<number>): number {
  let found = 0;
  let all = 0;
  for (let i = 0; i < anomalous.length; i++) {
    const at = anomalous.length === 1 ? 0 : i / (anomalous.length - 1);
    const weight = at <= 0.25 ? 1 : (1 - at) / 0.75;
    all += weight;
    if (anomalous[i]) found += weight;
  }
  return all === 0 ? 0 : found / all;
}

const mean = (values: readonly number[]): number => values.reduce((sum, x) => sum + x, 0) / values.length;
