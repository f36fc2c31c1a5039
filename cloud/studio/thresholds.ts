/**
 * Thresholds by feature for a stated rate of false alarms, from windows that training never saw.
 *
 * An alarm takes `persistence` windows in a row, so what counts is the smallest error of so many neighbours. Of that series the peaks
 * over a high level are taken, one a run of neighbours that exceed it; their excess is exponential in its tail (Pickands, Balkema and
 * de Haan with shape 0), so the level that is passed as rarely as wanted lies at
 *
 *   level + mean excess · ln(peaks a week / alarms wanted a week)
 */
import type { SignalSpec, ThresholdSpec } from '../../actors/contracts/model.ts';

export interface AlarmRate {
  /** Windows in a row that must exceed a threshold. */
  readonly persistence: number;
  /** Of all features together, on a healthy turbine that always turns. */
  readonly alarmsPerWeek: number;
}

export const USUAL_ALARM_RATE: AlarmRate = { persistence: 2, alarmsPerWeek: 0.25 };

const WEEK_S = 7 * 86_400;

const LEVELS = [0.995, 0.99, 0.975, 0.95, 0.9]; // the highest with enough peaks
const ENOUGH_PEAKS = 15;
/** With too few windows for a tail nobody can state a rate: so much above the largest that was seen. */
const MARGIN = 1.5;

/** @param errors [windows × features], mean absolute reconstruction errors of held-out normal windows in their order */
export function thresholdsOf(
  errors: Float32Array,
  { features, rateHz, window }: SignalSpec,
  { persistence, alarmsPerWeek }: AlarmRate,
): ThresholdSpec[] {
  const count = features.length;
  const windowsPerWeek = (WEEK_S * rateHz) / window.hop;
  return features.map(({ name }, f) => {
    const series = Float64Array.from({ length: errors.length / count }, (_, i) => errors[i * count + f]);
    return { feature: name, mae: rareLevel(lasting(series, persistence), windowsPerWeek, alarmsPerWeek / count) };
  });
}

/** The smallest of each `persistence` neighbours. */
function lasting(series: Float64Array, persistence: number): Float64Array {
  return Float64Array.from({ length: Math.max(1, series.length - persistence + 1) }, (_, i) =>
    series.subarray(i, i + persistence).reduce((least, x) => Math.min(least, x), Number.POSITIVE_INFINITY),
  );
}

function rareLevel(series: Float64Array, perWeek: number, alarms: number): number {
  const sorted = series.slice().sort();
  const largest = sorted[sorted.length - 1];
  for (const quantile of LEVELS) {
    const level = sorted[Math.floor(quantile * (sorted.length - 1))];
    const peaks = peaksOver(series, level);
    if (peaks.length < ENOUGH_PEAKS) continue;
    const meanExcess = peaks.reduce((sum, peak) => sum + peak - level, 0) / peaks.length;
    const peaksPerWeek = (peaks.length / series.length) * perWeek;
    const rare = level + meanExcess * Math.max(0, Math.log(peaksPerWeek / alarms));
    const isRarerThanSeen = (series.length / perWeek) * alarms < 1; // then what was seen is no alarm
    return isRarerThanSeen ? Math.max(largest, rare) : rare;
  }
  return MARGIN * largest;
}

/** The largest of each run of neighbours above a level. */
function peaksOver(series: Float64Array, level: number): number[] {
  const peaks: number[] = [];
  let peak = Number.NEGATIVE_INFINITY;
  for (const x of series) {
    if (x > level) peak = Math.max(peak, x);
    else if (peak > level) {
      peaks.push(peak);
      peak = Number.NEGATIVE_INFINITY;
    }
  }
  if (peak > level) peaks.push(peak);
  return peaks;
}
