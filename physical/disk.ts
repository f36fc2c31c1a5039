/** A device's disk: files below one folder, written through to the platter. */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Disk } from '../actors/contracts/disk.ts';

/** @param root made when it is missing; nothing outside it is touched. */
export function fileDisk(root: string): Disk {
  const place = (path: string) => {
    if (path.startsWith('/') || path.split('/').some((part) => part === '..' || part === ''))
      throw new Error(`path ${path} leads out of the disk`);
    return join(root, path);
  };
  const put = async (path: string, flags: 'w' | 'a', bytes: Uint8Array, isLoose = false) => {
    await mkdir(dirname(place(path)), { recursive: true, mode: 0o700 });
    const file = await open(place(path), flags, 0o600);
    try {
      await file.writeFile(bytes);
      if (!isLoose) await file.sync();
    } finally {
      await file.close();
    }
    if (!isLoose) await syncFolder(dirname(place(path)));
  };

  return {
    read: (path) => readFile(place(path)).catch(whenMissing(null)),
    write: (path, bytes) => put(path, 'w', bytes),
    append: (path, bytes, { isLoose = false } = {}) => put(path, 'a', bytes, isLoose),
    async rename(from, to) {
      await mkdir(dirname(place(to)), { recursive: true, mode: 0o700 });
      await rename(place(from), place(to));
      await syncFolder(dirname(place(to)));
    },
    remove: (path) => rm(place(path), { recursive: true, force: true }),
    list: async (folder) => (await readdir(place(folder)).catch(whenMissing([]))).sort(),
  };
}

/** A name is durable when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const whenMissing =
  <T>(instead: T) =>
  (error: unknown): T => {
    if ((error as { code?: string }).code === 'ENOENT') return instead;
    throw error;
  };
