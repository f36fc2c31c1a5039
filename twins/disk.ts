/** A device's disk in memory, for virtual time; it can lose its power at any write. */
import type { Disk } from '../actors/contracts/disk.ts';

/** The device has no power: nothing works until `restart`. */
export class PowerCut extends Error {}

export interface MemoryDisk extends Disk {
  /** Cuts the power at the n-th write from now on (1 is the next); `applied` says whether that write still reaches the platter. */
  cutAt(write: number, applied: boolean): void;
  restart(): void;
  /** Writes so far. */
  readonly writes: number;
}

export function memoryDisk(): MemoryDisk {
  const files = new Map<string, Uint8Array>();
  let writes = 0;
  let cut: { readonly at: number; readonly applied: boolean } | null = null;
  let dark = false;

  const mutate = (change: () => void) => {
    if (dark) throw new PowerCut('no power');
    writes++;
    const dies = cut !== null && writes >= cut.at;
    if (!dies || cut?.applied) change();
    if (!dies) return;
    dark = true;
    throw new PowerCut(`power cut at write ${writes}`);
  };
  const below = (folder: string) => [...files.keys()].filter((path) => path.startsWith(`${folder}/`));

  return {
    get writes() {
      return writes;
    },
    cutAt(write, applied) {
      cut = { at: writes + write, applied };
    },
    restart() {
      dark = false;
      cut = null;
    },
    async read(path) {
      if (dark) throw new PowerCut('no power');
      const bytes = files.get(path);
      return bytes ? bytes.slice() : null;
    },
    async write(path, bytes) {
      mutate(() => files.set(path, bytes.slice()));
    },
    async append(path, bytes) {
      mutate(() => files.set(path, Buffer.concat([files.get(path) ?? new Uint8Array(), bytes])));
    },
    async rename(from, to) {
      mutate(() => {
        const bytes = files.get(from);
        if (!bytes) throw new Error(`no file ${from}`);
        files.delete(from);
        files.set(to, bytes);
      });
    },
    async remove(path) {
      mutate(() => {
        files.delete(path);
        for (const file of below(path)) files.delete(file);
      });
    },
    async list(folder) {
      if (dark) throw new PowerCut('no power');
      return [...new Set(below(folder).map((path) => path.slice(folder.length + 1).split('/')[0]))].sort();
    },
  };
}
