/** A sine table for the hot path: five quarters of a turn, so that a cosine is the same table a quarter later. */
export const SINE_CELLS = 1_024;

/** [SINE_CELLS × 5/4 + 2]: sin(2π i / SINE_CELLS); linear between cells it is right to 5e-6. */
export const sineTable = (): Float64Array =>
  Float64Array.from({ length: (SINE_CELLS * 5) / 4 + 2 }, (_, i) => Math.sin((2 * Math.PI * i) / SINE_CELLS));
