/**
 * Logarithm, cosine and sine for the twins' loops, in plain arithmetic: a fraction of what calls of Math cost, and the same bits on
 * every machine and every version of Node. They are Taylor series, right to an ulp or two.
 *
 * A series takes its even and its odd terms apart, so that a processor can do both at once; a choice is a product with 0 or 1, since a
 * branch that depends on chance is guessed wrongly half the time.
 */

const WORD = 0x1_0000_0000;
/** ⌊2²⁴ (1 − √½)⌉: what lifts the upper 24 bits of m ≥ √½ over the edge. */
const ABOVE_ROOT_HALF = 0x4a_fb0d;

/**
 * −ln(1 − k/2³²), from 0 to 32 ln 2, by ln m = 2 artanh((m − 1)/(m + 1)) with m within √½ … √2.
 * @param k 32 bits, with or without a sign
 */
export function minusLogOfRest(k: number): number {
  if (k === 0) return 0;
  const rest = -k | 0; // 2³² − k
  const zeros = Math.clz32(rest);
  const upper = (rest << zeros) >>> 0;
  const above = ((upper >>> 8) + ABOVE_ROOT_HALF) >>> 24; // 1 for m ≥ √½, which stays as it is, else 0: it is doubled
  const m = (upper * (2 - above)) / WORD;
  const s = (m - 1) / (m + 1);
  const z = s * s;
  const w = z * z;
  const even = 1 / 3 + w * (1 / 7 + w * (1 / 11 + w * (1 / 15 + w * (1 / 19))));
  const odd = 1 / 5 + w * (1 / 9 + w * (1 / 13 + w * (1 / 17)));
  return (zeros + 1 - above) * Math.LN2 - 2 * (s + s * z * (even + z * odd));
}

/** cos(2π k/2³²): sin of what is left to a quarter of a turn, within ±π/2. @param k 32 bits, with or without a sign */
export function cosineOfTurn(k: number): number {
  const half = (k ^ (k >> 31)) - (k >> 31); // a cosine knows no side
  const y = ((0x4000_0000 - half) | 0) * ((2 * Math.PI) / WORD);
  const z = y * y;
  const w = z * z;
  const even = -1 / 6 + w * (-1 / 5_040 + w * (-1 / 39_916_800 + w * (-1 / 1_307_674_368_000 + w * (-1 / 121_645_100_408_832_000))));
  const odd = 1 / 120 + w * (1 / 362_880 + w * (1 / 6_227_020_800 + w * (1 / 355_687_428_096_000 + w * (1 / 51_090_942_171_709_440_000))));
  return y + y * z * (even + z * odd);
}

// π/2 in three parts; up to 2²⁶ times the first two are exact (Cody and Waite).
const QUARTER_1 = 105_414_357 / 2 ** 26;
const QUARTER_2 = 71_487_876 / 2 ** 56;
const QUARTER_3 = 5.721188726109832e-18;
const REACH = 1e8; // rad; beyond it Math's own do it

/** Sine and cosine of each angle, rad; NaN of what is no number. @param sines @param cosines [angles], written */
export function sinesAndCosines(angles: Float64Array, sines: Float64Array, cosines: Float64Array): void {
  for (let i = 0; i < angles.length; i++) {
    const angle = angles[i];
    if (Math.abs(angle) <= Math.PI / 4) {
      const sine = sineOf(angle);
      sines[i] = sine;
      cosines[i] = cosineBeside(sine);
    } else if (Math.abs(angle) <= REACH) {
      const quarters = Math.floor(angle * (2 / Math.PI) + 0.5);
      const sine = sineOf(angle - quarters * QUARTER_1 - quarters * QUARTER_2 - quarters * QUARTER_3);
      const cosine = cosineBeside(sine);
      const turned = quarters & 1; // sine and cosine change places
      sines[i] = (1 - (quarters & 2)) * ((1 - turned) * sine + turned * cosine);
      cosines[i] = (1 - ((quarters + 1) & 2)) * ((1 - turned) * cosine + turned * sine);
    } else {
      sines[i] = Math.sin(angle);
      cosines[i] = Math.cos(angle);
    }
  }
}

/** Within ±π/4. */
function sineOf(x: number): number {
  const z = x * x;
  const w = z * z;
  const even = -1 / 6 + w * (-1 / 5_040 + w * (-1 / 39_916_800 + w * (-1 / 1_307_674_368_000)));
  const odd = 1 / 120 + w * (1 / 362_880 + w * (1 / 6_227_020_800 + w * (1 / 355_687_428_096_000)));
  return x + x * z * (even + z * odd);
}

/** Of an angle within ±π/4: at least √½, so that the root loses nothing. */
const cosineBeside = (sine: number): number => Math.sqrt(1 - sine * sine);

/** The nearest whole number, a half upwards; no −0. Math.round would branch on the fraction. @param x but 0.49999999999999994, which gives 1 */
export const nearest = (x: number): number => Math.floor(x + 0.5);
