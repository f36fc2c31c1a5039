/**
 * The disk as one run of a process has it: when its power is cut, or the process is killed, whoever waits for the disk waits for ever, as a
 * process that is no more. What was written stands for the next run.
 */
import type { Disk } from '../../actors/contracts/disk.ts';
import { type MemoryDisk, PowerCut } from '../../twins/disk.ts';

export interface MortalDisk extends Disk {
  /** The process is no more. */
  kill(): void;
}

/** @param died heard once: the power is gone */
export function mortalDisk(disk: MemoryDisk, died: () => void): MortalDisk {
  let isOver = false;
  const never = <T>() => new Promise<T>(() => {});
  const live = async <T>(work: () => Promise<T>): Promise<T> => {
    if (isOver) return never();
    try {
      const answer = await work();
      return isOver ? never() : answer;
    } catch (error) {
      if (!(error instanceof PowerCut)) throw error;
      if (!isOver) {
        isOver = true;
        died();
      }
      return never();
    }
  };

  return {
    kill() {
      isOver = true;
    },
    read: (path) => live(() => disk.read(path)),
    list: (folder) => live(() => disk.list(folder)),
    write: (path, bytes) => live(() => disk.write(path, bytes)),
    append: (path, bytes, options) => live(() => disk.append(path, bytes, options)),
    remove: (path) => live(() => disk.remove(path)),
    rename: (from, to) => live(() => disk.rename(from, to)),
  };
}
