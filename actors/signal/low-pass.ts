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
  if (memory[at + 1] !== Number.POSITIVE_INFINITY || Number.isNaN(x)) return runningMean(memory, at, x, share);
  const before = memory[at];
  memory[at] = before + (x - before) * share;
  return memory[at];
}

/** The rarer part, by itself: so that the usual one is short enough to be compiled into each loop that has it. */
function runningMean(memory: Float64Array, at: number, x: number, share: number): number {
  if (Number.isNaN(x)) return x;
  const before = memory[at];
  const samples = memory[at + 1] + 1;
  if (Number.isNaN(before)) {
    memory[at + 1] = 1;
    memory[at] = x;
    return x;
  }
  const weight = 1 / samples;
  memory[at + 1] = weight <= share ? Number.POSITIVE_INFINITY : samples; // from now on the share weighs more
  memory[at] = before + (x - before) * Math.max(weight, share);
  return memory[at];
}

/** Begins at what is usual and leaves it only for evidence; takes one number of memory. @returns the new value; NaN for NaN */
export function leaning(memory: Float64Array, at: number, x: number, share: number, usual: number): number {
  if (Number.isNaN(x)) return x;
  const before = Number.isNaN(memory[at]) ? usual : memory[at];
  memory[at] = before + (x - before) * share;
  return memory[at];
}
