/**
 * Precision over recall. Average precision is Σ (Rₙ − Rₙ₋₁) Pₙ over the distinct scores, from the highest down: tied windows come in together,
 * so a constant score is worth the prevalence and no more.
 *
 * Positives and negatives are weighted so that the positives are a stated share of all: the expectation of thinning one of them by chance.
 */
export interface PrecisionPoint {
  readonly recall: number;
  readonly precision: number;
  /** Windows with at least this score are called anomalous. */
  readonly score: number;
}

/** @param positives, @param negatives sorted ascending. @param prevalence 0..1 exclusive. @returns null when there are none of either */
export function averagePrecision(positives: Float32Array, negatives: Float32Array, prevalence: number): number | null {
  let sum = 0;
  let before = 0;
  const any = visitScores(positives, negatives, prevalence, (recall, precision) => {
    sum += (recall - before) * precision;
    before = recall;
  });
  return any ? sum : null;
}

/** At most about `points` of the curve, evenly over recall. */
export function precisionCurve(positives: Float32Array, negatives: Float32Array, prevalence: number, points: number): PrecisionPoint[] {
  const curve: PrecisionPoint[] = [];
  visitScores(positives, negatives, prevalence, (recall, precision, score) => {
    const last = curve[curve.length - 1];
    if (!last || recall - last.recall >= 1 / points || recall === 1) curve.push({ recall, precision, score });
    if (recall === 1 && last?.recall === 1) curve.pop();
  });
  return curve;
}

/** Distinct scores, from the highest down. @returns false when there is nothing to rank */
function visitScores(
  positives: Float32Array,
  negatives: Float32Array,
  prevalence: number,
  visit: (recall: number, precision: number, score: number) => void,
): boolean {
  if (positives.length === 0 || negatives.length === 0) return false;
  const weight = ((1 - prevalence) / prevalence) * (positives.length / negatives.length); // of a negative; a positive weighs 1
  let p = positives.length - 1;
  let n = negatives.length - 1;
  while (p >= 0 || n >= 0) {
    const score = Math.max(p >= 0 ? positives[p] : Number.NEGATIVE_INFINITY, n >= 0 ? negatives[n] : Number.NEGATIVE_INFINITY);
    while (p >= 0 && positives[p] >= score) p--;
    while (n >= 0 && negatives[n] >= score) n--;
    const hits = positives.length - 1 - p;
    const misses = weight * (negatives.length - 1 - n);
    visit(hits / positives.length, hits / (hits + misses), score);
  }
  return true;
}
