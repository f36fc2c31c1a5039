/**
 * Normal draws for the hot path: quantiles of the standard normal in a table, picked by hashed bits.
 *
 * 4096 equally likely values of variance 1 within ±3.7: a table of single precision that stays in the first cache. Whatever is built
 * on it sums many draws.
 */

export const NORMAL_CELLS = 4_096;

export function normalTable(): Float32Array {
  const raw = Float64Array.from({ length: NORMAL_CELLS }, (_, i) => normalQuantile((i + 0.5) / NORMAL_CELLS));
  const scale = Math.sqrt(NORMAL_CELLS / raw.reduce((sum, x) => sum + x * x, 0));
  return Float32Array.from(raw, (x) => x * scale);
}

/** Inverse of the normal distribution, by Newton's method on Φ. @param p within 0..1, exclusive */
export function normalQuantile(p: number): number {
  let x = 0;
  for (let i = 0; i < 60; i++) {
    const step = (normalDistribution(x) - p) / (Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI));
    x -= Math.max(-0.5, Math.min(0.5, step));
    if (Math.abs(step) < 1e-14) break;
  }
  return x;
}

/** Φ(x) by its Taylor series about 0 (Marsaglia 2004); |x| ≤ 8. */
function normalDistribution(x: number): number {
  let sum = x;
  let term = x;
  for (let i = 3; Math.abs(term) > 1e-17; i += 2) {
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + sum * (Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI));
}
