/**
 * What lies at a LoadModel's url: a package file, or the folder that one was unpacked into.
 *
 * Any local path may be named (the socket is its user's own), but only plain files are read: a link, a pipe or a device is refused
 * unopened, and nothing is read that does not fit the memory that is left.
 */
import { constants, type FileHandle, lstat, open, readdir } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { status } from '@grpc/grpc-js';
import { reasonOf } from '../../actors/contracts/errors.ts';
import { type Files, unpackTar } from '../../actors/package/tar.ts';
import { quote, Refusal } from './refusal.ts';

const MAX_FILES = 2_000;

/**
 * @param folder the agent's working folder, from which a relative url counts
 * @throws Refusal NOT_FOUND, FAILED_PRECONDITION, RESOURCE_EXHAUSTED; ModelRejected for an archive that is none
 */
export async function readModelFiles(url: string, folder: string, maxBytes: number): Promise<Files> {
  const path = localPath(url, folder);
  const found = await lstat(path).catch((error: unknown) => {
    const { code } = error as { code?: string };
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new Refusal(status.NOT_FOUND, `nothing lies at ${quote(path)}`);
    throw unusable(`${quote(path)} cannot be read: ${reasonOf(error)}`);
  });
  if (found.isDirectory()) return readFolder(path, maxBytes);
  return unpackTar(await readPlain(path, maxBytes));
}

function localPath(url: string, folder: string): string {
  if (url === '') throw new Refusal(status.NOT_FOUND, 'the url is empty; it wants the path of a package or of its folder');
  if (url.length > 4_096 || url.includes('\0')) throw unusable('the url is no path');
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(url)) throw unusable(`${quote(url)} is no local path; download the package first`);
  const path = resolve(folder, url);
  if (!url.startsWith('/') && relative(folder, path).split('/')[0] === '..')
    throw unusable(`${quote(url)} leads out of the agent's working folder; give the whole path`);
  return path;
}

async function readFolder(path: string, maxBytes: number): Promise<Files> {
  const entries = await readdir(path, { withFileTypes: true });
  if (entries.length > MAX_FILES) throw unusable(`${quote(path)} holds more than ${MAX_FILES} files`);
  const files = new Map<string, Uint8Array>();
  let left = maxBytes;
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.isDirectory()) throw unusable(`${quote(path)} holds a folder ${quote(entry.name)}: a package has none`);
    const bytes = await readPlain(join(path, entry.name), left);
    left -= bytes.length;
    files.set(entry.name, bytes);
  }
  return files;
}

/** Neither follows a link nor waits for a pipe's writer. */
async function readPlain(path: string, maxBytes: number): Promise<Uint8Array> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const { code } = error as { code?: string };
    throw unusable(code === 'ELOOP' ? `${quote(path)} is a link; name the file itself` : `${quote(path)}: ${reasonOf(error)}`);
  }
  try {
    const { size } = await file.stat().then((found) => {
      if (!found.isFile()) throw unusable(`${quote(path)} is no plain file`);
      return found;
    });
    if (size > maxBytes)
      throw new Refusal(
        status.RESOURCE_EXHAUSTED,
        `${quote(path)} has ${size} bytes; ${maxBytes} of the agent's memory for models are left`,
      );
    const bytes = Buffer.alloc(size);
    const { bytesRead } = await file.read(bytes, 0, size, 0);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

const unusable = (message: string) => new Refusal(status.FAILED_PRECONDITION, message);
