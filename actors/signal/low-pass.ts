/**
 * One-pole low-passes, y ← y + (x − y) · share, in a few numbers of memory that are NaN before the first sample. A sample that is NaN
 * leaves the memory as it was.
 */

/** Numbers of memory that `lowPass` takes: its value, and how many samples it has taken, infinity for enough. */
export const LOW_PASS = 2;

/** The share of a new sample that a low-pass of so many seconds takes; 0 seconds pass everything. */
export const passing = (seconds: number, rateHz: number): number => (seconds <= 0 ? 1 : 1 - Math.exp(-1 / (rateHz * seconds)));

/** At first the running mean of the n samples so far, so that the very first one weighs no more than the others. @returns the new value; NaN for NaN */
export function lowPass(memory: Float64Array, at: number, x: number, share: number): number {
  if (Number.isNaN(x)) return x;
  if (memory[at + 1] !== Number.POSITIVE_INFINITY) {
    beginMean(memory, at, x, share);
    return memory[at];
  }
  const before = memory[at];
  const now = before + (x - before) * share;
  memory[at] = now;
  return now;
}

/**
 * The rarer part, by itself: so that the usual one is short enough to be compiled into each loop that has it. It returns nothing: where
 * what a call returned and what was computed meet, each number would be made on the heap.
 */
function beginMean(memory: Float64Array, at: number, x: number, share: number): void {
  const samples = Number.isNaN(memory[at]) ? 1 : memory[at + 1] + 1;
  const weight = 1 / samples;
  if (samples === 1) memory[at] = x;
  else memory[at] += (x - memory[at]) * Math.max(weight, share);
  memory[at + 1] = samples > 1 && weight <= share ? Number.POSITIVE_INFINITY : samples; // from now on the share weighs more
}

/** Begins at what is usual and leaves it only for evidence; takes one number of memory. @returns the new value; NaN for NaN */
export function leaning(memory: Float64Array, at: number, x: number, share: number, usual: number): number {
  if (Number.isNaN(x)) return x;
  if (Number.isNaN(memory[at])) memory[at] = usual;
  const before = memory[at];
  const now = before + (x - before) * share;
  memory[at] = now;
  return now;
}
