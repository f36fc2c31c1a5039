/**
 * The original's denoising: a discrete wavelet transform with Daubechies' db6, five levels, every array of coefficients, the
 * approximation too, softly thresholded at σ √(2 log₂ N), and the inverse.
 *
 * An odd length comes back one longer, as from PyWavelets. A NaN or an infinity makes NaN of what its filters reach, no more.
 */
import { approximate, doubled, EDGE, halved, mirrorEdges, refine, SPARE, softly, synthesise, withEdges } from './db6.ts';

const LEVELS = 5;

/** A transform of one length with the memory that it works in: nothing is allocated after it was made. */
export interface Wavelet {
  readonly length: number;
  readonly levels: number;
  /**
   * @param values `length` of them from `from` on. @param sigma ≥ 0, in their unit.
   * @returns [length, or one more when odd]; good until the next call, and only within `wanted`.
   */
  denoise(values: Float64Array, from: number, sigma: number): Float64Array;
}

/** Numbers `from` … `to` − 1 of an array. */
interface Range {
  readonly from: number;
  readonly to: number;
}

/** The threshold of a series in units of its σ: √(2 log₂ N). */
export const thresholdFactor = (length: number): number => Math.sqrt(2 * Math.log2(length));

/** As deep as the original goes: min(5, ⌊log₂ length⌋). */
export const usualLevels = (length: number): number => Math.min(LEVELS, Math.floor(Math.log2(length)));

/** @param wanted the part of the result that the caller will read; the less, the less is computed. @throws RangeError (a defect) without a value. */
export function createWavelet(length: number, wanted: Range = { from: 0, to: length + (length % 2) }): Wavelet {
  if (!Number.isInteger(length) || length < 1) throw new RangeError(`no wavelet transform of ${length} values`);
  const levels = usualLevels(length);
  const { lengths, inputs, details } = createCoefficients(length, levels);
  const rebuilt = lengths.slice(1).map((count) => new Float64Array(doubled(count) + 2 * SPARE));
  const approximation = inputs[levels].subarray(EDGE);
  const denoised = levels === 0 ? approximation.subarray(0, length) : rebuilt[0].subarray(0, doubled(lengths[1]));
  const factor = thresholdFactor(length);

  // What each level's synthesis reads, from the finest on; then what each level's analysis reads, from the coarsest on.
  const up = [wanted];
  for (let level = 0; level < levels; level++) up.push(coefficientsOf(up[level], lengths[level + 1]));
  const down = [...up];
  for (let level = levels - 1; level >= 0; level--) down[level] = valuesOf(down[level + 1], lengths[level]);

  return {
    length,
    levels,
    denoise(values, from, sigma) {
      const threshold = sigma * factor;
      const first = inputs[0];
      for (let i = 0; i < length; i++) first[EDGE + i] = values[from + i];
      for (let level = 0; level < levels; level++) {
        mirrorEdges(inputs[level], lengths[level]);
        approximate(inputs[level], down[level + 1].from, down[level + 1].to, inputs[level + 1], EDGE);
        refine(inputs[level], up[level + 1].from, up[level + 1].to, details[level], threshold);
      }
      for (let i = up[levels].from; i < up[levels].to; i++) approximation[i] = softly(approximation[i], threshold);
      let coarser = approximation;
      for (let level = levels - 1; level >= 0; level--) {
        synthesise(coarser, details[level], up[level].from, up[level].to, rebuilt[level]);
        coarser = rebuilt[level];
      }
      return denoised;
    },
  };
}

/** A whole series. @param values at least 1. @param sigma threshold's σ, ≥ 0, in the values' unit. @returns as many values, or one more for an odd length. */
export const denoise = (values: Float64Array, sigma: number): Float64Array => createWavelet(values.length).denoise(values, 0, sigma);

/** Approximation first, then details from the coarsest to the finest. */
export function decompose(values: Float64Array, levels: number): Float64Array[] {
  const { lengths, inputs, details } = createCoefficients(values.length, levels);
  inputs[0].set(values, EDGE);
  for (let level = 0; level < levels; level++) {
    mirrorEdges(inputs[level], lengths[level]);
    approximate(inputs[level], 0, lengths[level + 1], inputs[level + 1], EDGE);
    refine(inputs[level], 0, lengths[level + 1], details[level], 0);
  }
  const parts = details.map((detail, level) => detail.subarray(0, lengths[level + 1]));
  return [inputs[levels].subarray(EDGE, EDGE + lengths[levels]), ...parts.toReversed()];
}

/** @returns by level, the finest first: `inputs`, with their edges, are the values and then the approximations */
function createCoefficients(length: number, levels: number) {
  const lengths = [length];
  for (let level = 0; level < levels; level++) lengths.push(halved(lengths[level]));
  return { lengths, inputs: lengths.map(withEdges), details: lengths.slice(1).map((count) => new Float64Array(count + SPARE)) };
}

/** The coefficients, of `count`, that give the values of a range. */
const coefficientsOf = ({ from, to }: Range, count: number): Range => ({
  from: from >> 1,
  to: Math.min(count, ((to + 1) >> 1) + EDGE / 2),
});

/** The values, of `length`, that the coefficients of a range are made of; what lies beyond an edge is the mirrored value. */
function valuesOf(range: Range, length: number): Range {
  const from = 2 * range.from - EDGE;
  const to = 2 * range.to;
  return { from: Math.max(0, Math.min(from, 2 * length - to)), to: Math.min(length, Math.max(to, -from)) };
}
