/**
 * Light barriers as the firmware reads them: transitions of 16 slots a turn counted over a window of one second,
 * `rps = count / 16`, whatever the window's true length was.
 */
export interface Encoder {
  /**
   * Counts what passed since the last call and closes windows. @param angleRad [rows] unwrapped. @param factor [rows] on counted slots
   * @param jitter [rows] on the count of a window that closes: what polling misses and bounces add
   */
  count(angleRad: Float64Array, factor: Float64Array | null, jitter: Float64Array, closes: Uint8Array): void;
  /** [rows], turns a second; multiples of 1/16 as long as every slot counts. */
  readonly rps: Float64Array;
  /** The controller of a row has restarted. */
  reset(row: number): void;
}

export function createEncoder(rows: number, slots: number): Encoder {
  const lastSlot = new Float64Array(rows);
  const counted = new Float64Array(rows);
  const rps = new Float64Array(rows);

  return {
    rps,
    count(angleRad, factor, jitter, closes) {
      for (let i = 0; i < rows; i++) {
        const slot = Math.floor((angleRad[i] * slots) / (2 * Math.PI));
        counted[i] += (slot - lastSlot[i]) * (factor ? factor[i] : 1);
        lastSlot[i] = slot;
        if (closes[i] === 0) continue;
        rps[i] = Math.max(0, Math.round(counted[i] * jitter[i])) / slots;
        counted[i] = 0;
      }
    },
    reset(row) {
      counted[row] = 0;
      rps[row] = 0;
    },
  };
}
