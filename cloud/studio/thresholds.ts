/**
 * Thresholds by feature, from windows that training never saw: the largest error that normal windows show but for one in a
 * thousand, times a margin. With a persistence of two windows a false alarm needs two such windows in a row.
 */
import type { ThresholdSpec } from '../../actors/contracts/model.ts';

const QUANTILE = 0.999;
const MARGIN = 1.6; // neighbouring windows share most of what the low-passes remember: two in a row are not independent

/** @param errors [windows × features], mean absolute reconstruction errors of held-out normal windows */
export function thresholdsOf(errors: Float32Array, features: readonly string[]): ThresholdSpec[] {
  const windows = errors.length / features.length;
  return features.map((feature, f) => {
    const sorted = Float64Array.from({ length: windows }, (_, i) => errors[i * features.length + f]).sort();
    return { feature, mae: MARGIN * sorted[Math.min(windows - 1, Math.ceil(QUANTILE * windows) - 1)] };
  });
}
