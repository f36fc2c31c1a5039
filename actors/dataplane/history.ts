/** The raw samples of each row's last minutes of turning, so that a new model can be tried on a turbine that stands still. */
export interface History {
  /** Remembers one sample of a row. @param values the row's channels from `offset` on */
  add(row: number, values: Float64Array, offset: number): void;
  forget(row: number): void;
  /** Samples kept of a row. */
  size(row: number): number;
  /** Calls `visit` for each kept sample, oldest first; the view is only good during the call. */
  replay(row: number, visit: (values: Float64Array, offset: number) => void): void;
}

/** @param capacity samples a row; memory is rows × capacity × channels doubles */
export function createHistory(rows: number, channels: number, capacity: number): History {
  const values = new Float64Array(rows * capacity * channels); // [capacity × rows × channels]: what rows add at once lies together
  const added = new Uint32Array(rows);

  return {
    add(row, from, offset) {
      if (capacity === 0) return;
      const at = ((added[row] % capacity) * rows + row) * channels;
      for (let c = 0; c < channels; c++) values[at + c] = from[offset + c];
      added[row]++;
    },
    forget(row) {
      added[row] = 0;
    },
    size: (row) => Math.min(added[row], capacity),
    replay(row, visit) {
      const kept = Math.min(added[row], capacity);
      for (let i = 0; i < kept; i++) visit(values, (((added[row] - kept + i) % capacity) * rows + row) * channels);
    },
  };
}
