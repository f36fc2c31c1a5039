/** A recording as a body: its samples at the pace at which they were taken, again from the start at its end. */
import type { Backing } from '../actors/contracts/backing.ts';
import { Quality } from '../actors/contracts/backing.ts';
import { deskTurbine } from '../actors/contracts/channels.ts';
import type { Recording } from '../actors/contracts/recording.ts';
import type { Millis } from '../actors/contracts/units.ts';

const GAP_MS = 50; // between the last sample and the first one of the next round

export function replayBacking({ machine = deskTurbine.name, channels, turbines }: Recording): Backing {
  const position = new Int32Array(turbines.length).fill(-1);
  const fresh = new Uint8Array(turbines.length);

  return {
    kind: 'replay',
    machine,
    channels,
    things: turbines.map(({ thing }) => thing),
    offers: new Set(),

    /** The first sample is due at 50 ms, as a twin's is. */
    advance(now: Millis) {
      for (const [row, { at }] of turbines.entries()) {
        const span = at[at.length - 1] - at[0] + GAP_MS;
        const elapsed = now - GAP_MS;
        if (elapsed < 0) continue;
        const due = at[0] + (elapsed % span);
        let next = position[row];
        if (next >= 0 && at[next] > due) next = 0;
        next = Math.max(0, next);
        while (next + 1 < at.length && at[next + 1] <= due) next++;
        fresh[row] = next === position[row] ? 0 : 1;
        position[row] = next;
      }
    },

    sample({ values, quality }) {
      for (const [row, turbine] of turbines.entries()) {
        const from = Math.max(0, position[row]) * channels.length;
        for (let c = 0; c < channels.length; c++) values[row * channels.length + c] = turbine.values[from + c];
        quality[row] = fresh[row] === 1 ? 0 : Quality.stale;
      }
    },

    command: () => {}, // what was recorded obeys nobody
    close: async () => {},
  };
}
