/**
 * A device's disk as one boot has it: full, or without power. What was written before stands: the next boot has a handle of its own, and
 * whatever still runs of the last one waits for its disk for ever: without power no code goes on that could say a word of it.
 */
import type { Disk } from '../../actors/contracts/disk.ts';

export interface BootDisk {
  readonly disk: Disk;
  /** From now on no call ends. */
  sever(): void;
}

export interface DiskTroubles {
  isFull(): boolean;
  /** Asked before each write. `cut` ends the device with this write, which has reached the disk or has not. */
  beforeWrite(): 'go on' | { readonly cut: 'before' | 'after' };
}

export function bootDisk(disk: Disk, troubles: DiskTroubles): BootDisk {
  let isDark = false;
  const change = async (write: () => Promise<void>, grows: boolean): Promise<void> => {
    if (isDark) return forEver();
    if (grows && troubles.isFull()) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const fate = troubles.beforeWrite();
    if (fate === 'go on') return write();
    if (fate.cut === 'after') await write();
    return forEver();
  };
  return {
    disk: {
      read: (path) => (isDark ? forEver() : disk.read(path)),
      write: (path, bytes) => change(() => disk.write(path, bytes), true),
      append: (path, bytes) => change(() => disk.append(path, bytes), true),
      rename: (from, to) => change(() => disk.rename(from, to), false),
      remove: (path) => change(() => disk.remove(path), false),
      list: (folder) => (isDark ? forEver() : disk.list(folder)),
    },
    sever() {
      isDark = true;
    },
  };
}

const forEver = (): Promise<never> => new Promise(() => {});
