/** Spectra of samples by Welch's method, and Kaimal's to hold them against. */

/** One-sided density, m²/s² a Hz: 4 σ² (L/V) / (1 + 6 f L/V)^(5/3). */
export const kaimalDensity = (f: number, sigmaMps: number, lengthM: number, meanMps: number): number =>
  (4 * sigmaMps ** 2 * (lengthM / meanMps)) / (1 + (6 * f * lengthM) / meanMps) ** (5 / 3);

export interface Band {
  readonly low: number;
  readonly high: number;
  /** Its middle on a logarithmic axis. */
  readonly f: number;
}

/** Bands between two frequencies, equally wide in the logarithm. */
export function logBands(from: number, to: number, count: number): Band[] {
  const ratio = (to / from) ** (1 / count);
  return Array.from({ length: count }, (_, i) => ({ low: from * ratio ** i, high: from * ratio ** (i + 1), f: from * ratio ** (i + 0.5) }));
}

const SEGMENT = 1 << 15; // samples

/**
 * One-sided density at the middle of each band, mean over all series and their segments under a Hann window.
 *
 * @param dt seconds. @param shape a density that falls as the wanted one does: it straightens a steep spectrum within a band
 */
export function meanSpectrum(series: readonly Float64Array[], dt: number, bands: readonly Band[], shape: (f: number) => number): number[] {
  const hann = Float64Array.from({ length: SEGMENT }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * i) / SEGMENT));
  const norm = hann.reduce((sum, w) => sum + w * w, 0) / dt;
  const power = new Float64Array(SEGMENT / 2);
  let segments = 0;
  for (const x of series) {
    for (let from = 0; from + SEGMENT <= x.length; from += SEGMENT) {
      const re = Float64Array.from({ length: SEGMENT }, (_, i) => x[from + i] * hann[i]);
      const im = new Float64Array(SEGMENT);
      fourier(re, im);
      for (let k = 0; k < SEGMENT / 2; k++) power[k] += (2 * (re[k] ** 2 + im[k] ** 2)) / norm;
      segments++;
    }
  }
  return bands.map(({ low, high, f }) => {
    let sum = 0;
    let count = 0;
    for (let k = Math.max(1, Math.ceil(low * SEGMENT * dt)); k / (SEGMENT * dt) < high && k < SEGMENT / 2; k++) {
      sum += (power[k] * shape(f)) / shape(k / (SEGMENT * dt));
      count++;
    }
    return sum / count / segments;
  });
}

/** Discrete Fourier transform in place; lengths are powers of two (Cooley and Tukey, 1965). */
export function fourier(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    [re[i], re[j]] = [re[j], re[i]];
    [im[i], im[j]] = [im[j], im[i]];
  }
  for (let size = 2; size <= n; size <<= 1) {
    for (let k = 0; k < size / 2; k++) {
      const c = Math.cos((-2 * Math.PI * k) / size);
      const s = Math.sin((-2 * Math.PI * k) / size);
      for (let a = k; a < n; a += size) {
        const b = a + size / 2;
        const tr = c * re[b] - s * im[b];
        const ti = c * im[b] + s * re[b];
        re[b] = re[a] - tr;
        im[b] = im[a] - ti;
        re[a] += tr;
        im[a] += ti;
      }
    }
  }
}
