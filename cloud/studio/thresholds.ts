/**
 * Thresholds by feature, from windows that training never saw: the largest error that normal windows show but for one in a
 * thousand, times a margin. With a persistence of two windows a false alarm needs two such windows in a row.
 */
import type { ThresholdSpec } from '../../actors/contracts/model.ts';

const QUANTILE = 0.999;
const MARGIN = 1.25;
/** Beyond what training saw an autoencoder's error grows with the excursion itself: so much of it, in standard deviations, is let pass. */
const EXCURSION = 0.35;

/** @param errors [windows × features], mean absolute reconstruction errors of held-out normal windows */
export function thresholdsOf(errors: Float32Array, features: readonly string[]): ThresholdSpec[] {
  const windows = errors.length / features.length;
  return features.map((feature, f) => {
    const sorted = Float64Array.from({ length: windows }, (_, i) => errors[i * features.length + f]).sort();
    const usual = sorted[Math.min(windows - 1, Math.ceil(QUANTILE * windows) - 1)];
    return { feature, mae: Math.max(MARGIN * usual, usual + EXCURSION) };
  });
}
