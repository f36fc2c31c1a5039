/** From scores to verdicts: a row's announced verdict turns over only when `persistence` windows in a row disagree with it. */
export interface Judge {
  /** [rows], 1 if the announced verdict is anomalous. */
  readonly announced: Uint8Array;
  /** [rows], windows in a row that disagreed with it. */
  readonly against: Uint8Array;
}

export const createJudge = (rows: number): Judge => ({ announced: new Uint8Array(rows), against: new Uint8Array(rows) });

/** Index of the largest of one row's scores. @param scores [rows × features] */
export function worstFeature(scores: Float32Array, row: number, features: number): number {
  let worst = 0;
  for (let f = 1; f < features; f++) if (scores[row * features + f] > scores[row * features + worst]) worst = f;
  return worst;
}

/** Takes one window's worst score into account; above 1 is anomalous. @returns whether the announced verdict turned over. */
export function judgeWindow(j: Judge, row: number, score: number, persistence: number): boolean {
  const anomalous = score > 1 ? 1 : 0;
  j.against[row] = anomalous === j.announced[row] ? 0 : j.against[row] + 1;
  if (j.against[row] < persistence) return false;
  j.announced[row] = anomalous;
  j.against[row] = 0;
  return true;
}

export function forgetVerdict(j: Judge, row: number): void {
  j.announced[row] = 0;
  j.against[row] = 0;
}
