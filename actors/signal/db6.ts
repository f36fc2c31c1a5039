/**
 * One level of the discrete wavelet transform with Daubechies' db6 (Daubechies 1992), and its inverse: the twelve taps written out,
 * and an input that carries its mirrored edges, so that no index is ever computed modulo anything.
 *
 *   approximation[k] = Σⱼ L[j] · x[2k+1−j]      detail[k] = Σⱼ H[j] · x[2k+1−j]      j = 0 … 11,  H[j] = ∓L[11−j]
 *
 * Boundaries are mirrored at half points, … x₁ x₀ | x₀ x₁ … xₙ₋₁ | xₙ₋₁ xₙ₋₂ …, which is PyWavelets' mode `symmetric`.
 */

/** Low-pass decomposition filter L, in PyWavelets' order. The taps are read into locals once a call: that is faster than constants. */
const LOW = Float64Array.of(
  -0.0010773010853084796,
  0.004777257510945511,
  0.0005538422011614961,
  -0.03158203931748603,
  0.027522865530305727,
  0.09750160558732304,
  -0.12976686756726194,
  -0.22626469396543983,
  0.31525035170919763,
  0.7511339080210954,
  0.49462389039845306,
  0.11154074335010947,
);

const TAPS = LOW.length;

/** Mirrored values before the first of an input; as many, or one more, follow its last. */
export const EDGE = TAPS - 2;

/** How many coefficients of each kind `length` values give. */
export const halved = (length: number): number => Math.floor((length + TAPS - 1) / 2);

/** How many values `coefficients` of each kind give back: the length that was halved, or one more when that was odd. */
export const doubled = (coefficients: number): number => 2 * coefficients - EDGE;

/** Both directions work two coefficients at a time: every array that they write or read has so many numbers of room after its last. */
export const SPARE = 2;

/** Room for `length` values and their edges: the values begin at `EDGE`. */
export const withEdges = (length: number): Float64Array => new Float64Array(EDGE + length + EDGE + 1 + SPARE);

/** Writes the edges of the `length` values that begin at `EDGE`; an input shorter than its edge is mirrored more than once. */
export function mirrorEdges(x: Float64Array, length: number): void {
  const end = EDGE + length;
  if (length > EDGE) {
    for (let i = 1; i <= EDGE; i++) x[EDGE - i] = x[EDGE + i - 1];
    for (let i = 0; i <= EDGE; i++) x[end + i] = x[end - 1 - i];
    return;
  }
  for (let i = 1; i <= EDGE; i++) x[EDGE - i] = x[EDGE + mirrored(i - 1, length)];
  for (let i = 0; i <= EDGE; i++) x[end + i] = x[EDGE + mirrored(length + i, length)];
}

/** The index in 0 … length − 1 that `i` ≥ 0 mirrors. */
function mirrored(i: number, length: number): number {
  const at = i % (2 * length);
  return at < length ? at : 2 * length - 1 - at;
}

/**
 * Approximations `from` … `to` − 1 of one level down.
 *
 * @param x values with their edges, as `withEdges` lays them out
 * @param out approximation k goes to `at` + k; SPARE numbers after the last are written too
 */
export function approximate(x: Float64Array, from: number, to: number, out: Float64Array, at: number): void {
  const c0 = LOW[0];
  const c1 = LOW[1];
  const c2 = LOW[2];
  const c3 = LOW[3];
  const c4 = LOW[4];
  const c5 = LOW[5];
  const c6 = LOW[6];
  const c7 = LOW[7];
  const c8 = LOW[8];
  const c9 = LOW[9];
  const c10 = LOW[10];
  const c11 = LOW[11];
  for (let k = from; k < to; k += 2) {
    const i = 2 * k;
    const x0 = x[i];
    const x1 = x[i + 1];
    const x2 = x[i + 2];
    const x3 = x[i + 3];
    const x4 = x[i + 4];
    const x5 = x[i + 5];
    const x6 = x[i + 6];
    const x7 = x[i + 7];
    const x8 = x[i + 8];
    const x9 = x[i + 9];
    const x10 = x[i + 10];
    const x11 = x[i + 11];
    const x12 = x[i + 12];
    const x13 = x[i + 13];
    out[at + k] =
      c0 * x11 + c1 * x10 + c2 * x9 + c3 * x8 + c4 * x7 + c5 * x6 + (c6 * x5 + c7 * x4 + c8 * x3 + c9 * x2 + c10 * x1 + c11 * x0);
    out[at + k + 1] =
      c0 * x13 + c1 * x12 + c2 * x11 + c3 * x10 + c4 * x9 + c5 * x8 + (c6 * x7 + c7 * x6 + c8 * x5 + c9 * x4 + c10 * x3 + c11 * x2);
  }
}

/** Details `from` … `to` − 1 of one level down, softly thresholded; a `threshold` of 0 leaves them as they are. @param out [to + SPARE] */
export function refine(x: Float64Array, from: number, to: number, out: Float64Array, threshold: number): void {
  const c0 = LOW[0];
  const c1 = LOW[1];
  const c2 = LOW[2];
  const c3 = LOW[3];
  const c4 = LOW[4];
  const c5 = LOW[5];
  const c6 = LOW[6];
  const c7 = LOW[7];
  const c8 = LOW[8];
  const c9 = LOW[9];
  const c10 = LOW[10];
  const c11 = LOW[11];
  for (let k = from; k < to; k += 2) {
    const i = 2 * k;
    const x0 = x[i];
    const x1 = x[i + 1];
    const x2 = x[i + 2];
    const x3 = x[i + 3];
    const x4 = x[i + 4];
    const x5 = x[i + 5];
    const x6 = x[i + 6];
    const x7 = x[i + 7];
    const x8 = x[i + 8];
    const x9 = x[i + 9];
    const x10 = x[i + 10];
    const x11 = x[i + 11];
    const x12 = x[i + 12];
    const x13 = x[i + 13];
    out[k] = softly(
      c0 * x0 - c1 * x1 + c2 * x2 - c3 * x3 + c4 * x4 - c5 * x5 + (c6 * x6 - c7 * x7 + c8 * x8 - c9 * x9 + c10 * x10 - c11 * x11),
      threshold,
    );
    out[k + 1] = softly(
      c0 * x2 - c1 * x3 + c2 * x4 - c3 * x5 + c4 * x6 - c5 * x7 + (c6 * x8 - c7 * x9 + c8 * x10 - c9 * x11 + c10 * x12 - c11 * x13),
      threshold,
    );
  }
}

/**
 * One level up: values `from` … `to` − 1, from coefficients ⌊from/2⌋ … ⌈to/2⌉ + 4.
 *
 * @param low [coefficients + SPARE], as `detail`
 * @param out [to + 2 SPARE]
 */
export function synthesise(low: Float64Array, detail: Float64Array, from: number, to: number, out: Float64Array): void {
  const c0 = LOW[0];
  const c1 = LOW[1];
  const c2 = LOW[2];
  const c3 = LOW[3];
  const c4 = LOW[4];
  const c5 = LOW[5];
  const c6 = LOW[6];
  const c7 = LOW[7];
  const c8 = LOW[8];
  const c9 = LOW[9];
  const c10 = LOW[10];
  const c11 = LOW[11];
  for (let m = from >> 1; 2 * m < to; m += 2) {
    const a0 = low[m];
    const a1 = low[m + 1];
    const a2 = low[m + 2];
    const a3 = low[m + 3];
    const a4 = low[m + 4];
    const a5 = low[m + 5];
    const a6 = low[m + 6];
    const d0 = detail[m];
    const d1 = detail[m + 1];
    const d2 = detail[m + 2];
    const d3 = detail[m + 3];
    const d4 = detail[m + 4];
    const d5 = detail[m + 5];
    const d6 = detail[m + 6];
    out[2 * m] = c1 * a0 + c3 * a1 + c5 * a2 + c7 * a3 + c9 * a4 + c11 * a5 + (c10 * d0 + c8 * d1 + c6 * d2 + c4 * d3 + c2 * d4 + c0 * d5);
    out[2 * m + 1] =
      c0 * a0 + c2 * a1 + c4 * a2 + c6 * a3 + c8 * a4 + c10 * a5 - (c11 * d0 + c9 * d1 + c7 * d2 + c5 * d3 + c3 * d4 + c1 * d5);
    out[2 * m + 2] =
      c1 * a1 + c3 * a2 + c5 * a3 + c7 * a4 + c9 * a5 + c11 * a6 + (c10 * d1 + c8 * d2 + c6 * d3 + c4 * d4 + c2 * d5 + c0 * d6);
    out[2 * m + 3] =
      c0 * a1 + c2 * a2 + c4 * a3 + c6 * a4 + c8 * a5 + c10 * a6 - (c11 * d1 + c9 * d2 + c7 * d3 + c5 * d4 + c3 * d5 + c1 * d6);
  }
}

/** Soft threshold; NaN stays NaN. */
export const softly = (x: number, threshold: number): number => (x > threshold ? x - threshold : x < -threshold ? x + threshold : x * 0);
