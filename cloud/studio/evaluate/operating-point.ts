/**
 * Recall at a stated rate of false alarms: by how much all thresholds would have to grow (or might shrink) for so many alarms a turbine-week
 * on normal turbines, and what share of the fault windows would then still be found. It says how far a model's thresholds are from their best.
 */
import type { AnnounceRule } from './detector.ts';
import type { Evaluated, Life } from './figures.ts';
import { Label } from './score.ts';

export interface OperatingPoint {
  /** All thresholds times this. */
  readonly scale: number;
  readonly falseAlarmsPerTurbineWeek: number;
  readonly recallSevere: number | null;
  readonly recallMild: number | null;
}

const WEEK_S = 7 * 24 * 3_600;
/** Scales are tried on a grid of 2 %, from a quarter to twenty times. */
const SCALES = Array.from({ length: 222 }, (_, i) => 0.25 * 1.02 ** i);

/**
 * The smallest scale with at most `perWeek` false alarms, found by halving: the rarer an alarm's windows, the fewer the alarms.
 * @param shown the lives with a fault that counts. @returns null without normal time, or when no scale is enough
 */
export function operatingPoint(
  { lives, stepS }: Evaluated,
  shown: readonly Life[],
  announceRule: AnnounceRule,
  persistence: number,
  perWeek: number,
): OperatingPoint | null {
  const normals = lives.filter(({ episode }) => episode === null);
  const weeks = (stepS * normals.reduce((sum, { score }) => sum + score.length, 0)) / WEEK_S;
  if (weeks === 0) return null;
  const rate = (scale: number) => normals.reduce((sum, life) => sum + alarmsAt(life, scale, announceRule, persistence), 0) / weeks;

  let [low, high] = [0, SCALES.length - 1];
  if (rate(SCALES[high]) > perWeek) return null;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rate(SCALES[middle]) <= perWeek) high = middle;
    else low = middle + 1;
  }
  const scale = SCALES[high];
  const recall = (severity: number) =>
    shareAbove(
      shown.filter(({ episode }) => episode?.severity === severity),
      scale,
    );
  return { scale, falseAlarmsPerTurbineWeek: rate(scale), recallSevere: recall(1), recallMild: recall(0.3) };
}

function alarmsAt({ score }: Life, scale: number, announceRule: AnnounceRule, persistence: number): number {
  const announce = announceRule(1, persistence);
  let alarms = 0;
  let before = false;
  for (let i = 0; i < score.length; i++) {
    const now = announce(0, score[i] / scale);
    if (now && !before) alarms++;
    before = now;
  }
  return alarms;
}

function shareAbove(lives: readonly Life[], scale: number): number | null {
  let above = 0;
  let all = 0;
  for (const { label, score } of lives)
    for (let i = 0; i < label.length; i++) {
      if (label[i] !== Label.faulty) continue;
      all++;
      if (score[i] > scale) above++;
    }
  return all === 0 ? null : above / all;
}
