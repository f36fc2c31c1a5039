/**
 * Windows of one model over its rows: the last `samples` features of each row, handed out when full and then moved on by `hop`.
 *
 * Values lie as the network wants them, [rows × features × samples], oldest first; a row that breaks starts anew.
 */
export interface Windows {
  readonly features: number;
  readonly samples: number;
  readonly hop: number;
  /** [rows × features × samples] */
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

/** Appends one sample of a row. @param features [features] @returns whether the row's window is full; then `takeWindow` it before the next push. */
export function pushSample(w: Windows, row: number, features: Float32Array): boolean {
  const at = row * w.features * w.samples + w.held[row];
  for (let f = 0; f < w.features; f++) w.values[at + f * w.samples] = features[f];
  w.held[row]++;
  return w.held[row] === w.samples;
}

/** Copies a full window out and keeps what the next one shares with it. @param into [features × samples] from `offset` on */
export function takeWindow(w: Windows, row: number, into: Float32Array, offset: number): void {
  const size = w.features * w.samples;
  const from = row * size;
  into.set(w.values.subarray(from, from + size), offset);
  const kept = w.samples - w.hop;
  if (kept > 0)
    for (let f = 0; f < w.features; f++)
      w.values.copyWithin(from + f * w.samples, from + f * w.samples + w.hop, from + (f + 1) * w.samples);
  w.held[row] = kept;
}

/** Whether the row's next sample is the first of a window; with a hop shorter than the window several are under way at once. */
export const beginsWindow = (w: Windows, row: number): boolean => w.held[row] % w.hop === 0;

export function breakWindow(w: Windows, row: number): void {
  w.held[row] = 0;
}
