/**
 * The denoising of `actors/signal/wavelet.ts` as its definition reads: a filter tap at a time, every index mirrored. It is the baseline
 * of the benchmark and what the tests hold the fast one against.
 */

/** Low-pass decomposition filter of db6 (Daubechies 1992, in PyWavelets' order); the others are its mirrors. */
const LOW = [
  -0.0010773010853084796, 0.004777257510945511, 0.0005538422011614961, -0.03158203931748603, 0.027522865530305727, 0.09750160558732304,
  -0.12976686756726194, -0.22626469396543983, 0.31525035170919763, 0.7511339080210954, 0.49462389039845306, 0.11154074335010947,
];
const TAPS = LOW.length;
const HIGH = LOW.map((_, j) => (j % 2 === 0 ? -1 : 1) * LOW[TAPS - 1 - j]);
const LEVELS = 5;

/** Approximation first, then details from the coarsest to the finest. */
export function plainDecompose(values: Float64Array, levels: number): Float64Array[] {
  const details: Float64Array[] = [];
  let approximation = values;
  for (let level = 0; level < levels; level++) {
    details.unshift(analyse(approximation, HIGH));
    approximation = analyse(approximation, LOW);
  }
  return [approximation, ...details];
}

/** The inverse of `decompose`; an odd length comes back one longer. */
function recompose([approximation, ...details]: readonly Float64Array[]): Float64Array {
  let values = approximation;
  for (const detail of details) values = synthesise(values.length > detail.length ? values.subarray(0, detail.length) : values, detail);
  return values;
}

/** @param values at least 2. @param sigma threshold's σ, ≥ 0, in the values' unit. @returns as many values, or one more for an odd length. */
export function plainDenoise(values: Float64Array, sigma: number): Float64Array {
  const levels = Math.min(LEVELS, Math.floor(Math.log2(values.length)));
  const threshold = sigma * Math.sqrt(2 * Math.log2(values.length));
  const coefficients = plainDecompose(values, levels);
  for (const array of coefficients) {
    for (let i = 0; i < array.length; i++) array[i] = Math.sign(array[i]) * Math.max(0, Math.abs(array[i]) - threshold);
  }
  return recompose(coefficients);
}

/** Filters and takes every second value. */
function analyse(values: Float64Array, filter: readonly number[]): Float64Array {
  const n = values.length;
  const out = new Float64Array(Math.floor((n + TAPS - 1) / 2));
  for (let k = 0; k < out.length; k++) {
    let sum = 0;
    for (let j = 0; j < TAPS; j++) sum += filter[j] * values[mirrored(2 * k + 1 - j, n)];
    out[k] = sum;
  }
  return out;
}

function synthesise(approximation: Float64Array, detail: Float64Array): Float64Array {
  const out = new Float64Array(2 * detail.length - TAPS + 2);
  for (let n = 0; n < out.length; n++) {
    let sum = 0;
    const at = n + TAPS - 2; // the full convolution begins so much earlier
    for (let j = at % 2; j < TAPS; j += 2) {
      const k = (at - j) / 2;
      if (k < detail.length) sum += LOW[TAPS - 1 - j] * approximation[k] + HIGH[TAPS - 1 - j] * detail[k];
    }
    out[n] = sum;
  }
  return out;
}

/** Half-point mirror: … 1 0 | 0 1 … n−1 | n−1 n−2 … */
function mirrored(i: number, n: number): number {
  const period = 2 * n;
  const at = ((i % period) + period) % period;
  return at < n ? at : period - 1 - at;
}
