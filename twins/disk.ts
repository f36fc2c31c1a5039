/** A device's disk in memory, for virtual time; it can lose its power at any write. */
import type { Disk } from '../actors/contracts/disk.ts';

/** The device has no power: nothing works until `restart`. */
export class PowerCut extends Error {}

/**
 * What of the change reaches the platter: nothing, a part, or all of it. Of a write or an append the first half of the bytes, of a folder
 * that is removed the first half of its files; a rename is whole or not at all.
 */
export type Cut = 'before' | 'torn' | 'after';

export interface MemoryDisk extends Disk {
  /** Cuts the power at the n-th change from now on (1 is the next). */
  cutAt(write: number, how: Cut): void;
  restart(): void;
  /** Writes so far. */
  readonly writes: number;
}

/** @param renamed heard when a file has got its name on the platter, with what is in it */
export function memoryDisk({ renamed }: { readonly renamed?: (to: string, bytes: Uint8Array) => void } = {}): MemoryDisk {
  const files = new Map<string, Uint8Array>();
  const rooms = new Map<string, Uint8Array>(); // of files that grow: what `files` shows of them lies at the beginning of a larger one
  let writes = 0;
  let cut: { readonly at: number; readonly how: Cut } | null = null;
  let dark = false;

  const mutate = (change: () => void, part: () => void = () => {}) => {
    if (dark) throw new PowerCut('no power');
    writes++;
    if (cut === null || writes < cut.at) return change();
    if (cut.how === 'after') change();
    else if (cut.how === 'torn') part();
    dark = true;
    throw new PowerCut(`power cut at write ${writes}`);
  };
  const below = (folder: string) => [...files.keys()].filter((path) => path.startsWith(`${folder}/`));

  return {
    get writes() {
      return writes;
    },
    cutAt(write, how) {
      cut = { at: writes + write, how };
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
      const put = (end: number) => {
        rooms.delete(path);
        files.set(path, bytes.slice(0, end));
      };
      mutate(
        () => put(bytes.length),
        () => put(bytes.length >> 1),
      );
    },
    async append(path, bytes) {
      const add = (end: number) => {
        const before = files.get(path) ?? new Uint8Array();
        const length = before.length + end;
        let room = rooms.get(path);
        if (!room || room.buffer !== before.buffer || room.length < length) {
          room = new Uint8Array(2 * length);
          room.set(before);
          rooms.set(path, room);
        }
        room.set(bytes.subarray(0, end), before.length);
        files.set(path, room.subarray(0, length));
      };
      mutate(
        () => add(bytes.length),
        () => add(bytes.length >> 1),
      );
    },
    async rename(from, to) {
      mutate(() => {
        const bytes = files.get(from);
        if (!bytes) throw new Error(`no file ${from}`);
        files.delete(from);
        rooms.delete(from);
        files.set(to, bytes);
        renamed?.(to, bytes);
      });
    },
    async remove(path) {
      const drop = (names: readonly string[]) => {
        for (const name of names) {
          files.delete(name);
          rooms.delete(name);
        }
      };
      mutate(
        () => drop([path, ...below(path)]),
        () => drop(below(path).slice(0, below(path).length >> 1)),
      );
    },
    async list(folder) {
      if (dark) throw new PowerCut('no power');
      return [...new Set(below(folder).map((path) => path.slice(folder.length + 1).split('/')[0]))].sort();
    },
  };
}
