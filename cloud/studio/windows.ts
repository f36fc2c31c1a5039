/** Where windows go: all of them, or a fair choice of so many, in memory or wherever a store puts them. */
import type { Rng } from '../../actors/contracts/rng.ts';

/** Slots from 0 on without a gap; a slot may be written over. */
export interface WindowStore {
  put(slot: number, window: Float32Array): void;
}

export interface WindowChoice {
  /** Takes it, or leaves it, or takes it instead of one that was taken. The window may be written over once the call returns. */
  offer(window: Float32Array): void;
  readonly offered: number;
  /** No more than `most`. */
  readonly taken: number;
}

/** Every one of the offered windows has the same chance to be among the `most` that are taken (Vitter's algorithm R). */
export function chooseWindows(store: WindowStore, most: number, rng: Rng): WindowChoice {
  let offered = 0;
  return {
    get offered() {
      return offered;
    },
    get taken() {
      return Math.min(offered, most);
    },
    offer(window) {
      const slot = offered < most ? offered : Math.floor(rng.uniform(offered) * (offered + 1));
      offered++;
      if (slot < most) store.put(slot, window);
    },
  };
}

export interface MemoryStore extends WindowStore {
  /** [windows × features × samples] */
  all(): Float32Array;
}

export function memoryStore(): MemoryStore {
  const windows: Float32Array[] = [];
  return {
    put(slot, window) {
      windows[slot] = window.slice();
    },
    all() {
      const size = windows[0]?.length ?? 0;
      const all = new Float32Array(windows.length * size);
      for (const [slot, window] of windows.entries()) all.set(window, slot * size);
      return all;
    },
  };
}
