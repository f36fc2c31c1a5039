/**
 * A device's disk as one boot has it: full, or without power. What was written before stands: the next boot has a handle of its own, and
 * whatever still runs of the last one finds no disk.
 */
import type { Disk } from '../../actors/contracts/disk.ts';

/** No power: nothing works any more. */
export class PowerCut extends Error {
  constructor() {
    super('no power');
    this.name = 'PowerCut';
  }
}

export interface BootDisk {
  readonly disk: Disk;
  /** From now on every call fails. */
  sever(): void;
}

export interface DiskTroubles {
  isFull(): boolean;
  /** Asked before each write. `cut` ends the device with this write, which has reached the disk or has not. */
  beforeWrite(): 'go on' | { readonly cut: 'before' | 'after' };
}

export function bootDisk(disk: Disk, troubles: DiskTroubles): BootDisk {
  let isDark = false;
  const lit = () => {
    if (isDark) throw new PowerCut();
  };
  const change = async (write: () => Promise<void>, grows: boolean): Promise<void> => {
    lit();
    if (grows && troubles.isFull()) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const fate = troubles.beforeWrite();
    if (fate === 'go on') return write();
    if (fate.cut === 'after') await write();
    throw new PowerCut();
  };
  return {
    disk: {
      async read(path) {
        lit();
        return disk.read(path);
      },
      write: (path, bytes) => change(() => disk.write(path, bytes), true),
      append: (path, bytes) => change(() => disk.append(path, bytes), true),
      rename: (from, to) => change(() => disk.rename(from, to), false),
      remove: (path) => change(() => disk.remove(path), false),
      async list(folder) {
        lit();
        return disk.list(folder);
      },
    },
    sever() {
      isDark = true;
    },
  };
}
