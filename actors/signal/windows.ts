/**
 * Windows of one model over its rows: the last `samples` features of each row, handed out when full and then moved on by `hop`.
 *
 * Samples lie one after the other, so that taking one touches one place; the network's order is made when a window is handed out. A row
 * that breaks starts anew.
 */
export interface Windows {
  readonly features: number;
  readonly samples: number;
  readonly hop: number;
  /** [rows × samples × features], oldest first. */
  readonly values: Float32Array;
  /** [rows], samples held. */
  readonly held: Uint16Array;
}

export const createWindows = (rows: number, features: number, samples: number, hop: number): Windows => ({
  features,
  samples,
  hop,
  values: new Float32Array(rows * features * samples),
  held: new Uint16Array(rows),
});

/** Appends one sample of a row. @param from [features] from `at` on. @returns whether the row's window is full; then `takeWindow` it before the next push. */
export function pushSample(w: Windows, row: number, from: Float32Array, at: number): boolean {
  const to = (row * w.samples + w.held[row]) * w.features;
  for (let f = 0; f < w.features; f++) w.values[to + f] = from[at + f];
  w.held[row]++;
  return w.held[row] === w.samples;
}

/** Copies a full window out and keeps what the next one shares with it. @param into [features × samples] from `offset` on */
export function takeWindow(w: Windows, row: number, into: Float32Array, offset: number): void {
  const { values, features, samples } = w;
  const from = row * features * samples;
  for (let f = 0; f < features; f++) for (let s = 0; s < samples; s++) into[offset + f * samples + s] = values[from + s * features + f];
  const kept = samples - w.hop;
  if (kept > 0) values.copyWithin(from, from + w.hop * features, from + samples * features);
  w.held[row] = kept;
}

/** Whether the row's next sample is the first of a window; with a hop shorter than the window several are under way at once. */
export const beginsWindow = (w: Windows, row: number): boolean => w.held[row] % w.hop === 0;

export function breakWindow(w: Windows, row: number): void {
  w.held[row] = 0;
}
