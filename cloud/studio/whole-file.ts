/** A file that is there whole or not at all: written beside its place, and moved there when it is closed. */
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { EnvironmentLacking, reasonOf } from '../../actors/contracts/errors.ts';

export interface WholeFile {
  /** Where it is being written. */
  readonly part: string;
  /** Resolves when the system has taken it. @throws EnvironmentLacking: the disk is full, or gone */
  write(text: string | Uint8Array): Promise<void>;
  /** It is on the disk, still beside its place. */
  flush(): Promise<void>;
  /** Moves it to its place. @param from another file that takes it, instead of what was written */
  keep(from?: string): Promise<void>;
  /** Nothing is left of it. */
  discard(): Promise<void>;
}

/** @throws EnvironmentLacking when nothing can be written there. */
export async function openWhole(file: string): Promise<WholeFile> {
  const part = `${file}.part`;
  const there = await stat(file).catch(() => null);
  if (there && !there.isFile())
    throw new EnvironmentLacking(`${file} cannot be written: it is ${there.isDirectory() ? 'a folder' : 'no regular file'}`, {
      hint: 'name a file that is there whole or not at all',
    });
  let handle: FileHandle | null = await attempt(file, () => open(part, 'w'));

  const close = async () => {
    const closing = handle;
    handle = null;
    await closing?.close();
  };
  return {
    part,
    write: (text) =>
      attempt(file, async () => {
        const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
        for (let at = 0; at < bytes.length; ) at += (await (handle as FileHandle).write(bytes, at)).bytesWritten;
      }),
    flush: () => attempt(file, close),
    keep: (from = part) =>
      attempt(file, async () => {
        await close();
        await rename(from, file);
        if (from !== part) await rm(part, { force: true });
      }),
    async discard() {
      await close().catch(() => {}); // what is thrown away need not be whole
      await rm(part, { force: true });
    },
  };
}

async function attempt<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC';
    throw new EnvironmentLacking(`${file} cannot be written: ${full ? 'the disk is full' : reasonOf(error)}`, {
      cause: error,
      hint: full ? 'make room, or choose another disk with --out; nothing was left behind' : 'is the folder there, and may it be written?',
    });
  }
}
