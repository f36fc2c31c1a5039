/**
 * An object as one file, so that one rename makes it the object and one open file is one state of it:
 *
 *   bytes | what is known of them (JSON) | length of the JSON, 4 bytes little-endian | `wfo1`
 */
import { type FileHandle, open } from 'node:fs/promises';
import { z } from 'zod';
import { StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { ObjectBody } from '../../actors/contracts/objects.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { bytesOf, type Digests, digesting } from './digesting.ts';
import { ALGORITHMS } from './held.ts';

const MARK = 'wfo1';
const TAIL = 8;
const READ_AT_ONCE = 16 * 1024; // nearly every footer in the same read as its length, and small objects whole
const WRITTEN_AT_ONCE = 256 * 1024;

const Texts = z.record(z.string(), z.string());
const Footer = z.strictObject({
  key: z.string(),
  bytes: z.int().min(0),
  etag: z.string(),
  sha256: z.string(),
  contentType: z.string().nullable(),
  metadata: Texts,
  headers: Texts,
  checksum: z.strictObject({ algorithm: z.enum(ALGORITHMS), value: z.string(), type: z.enum(['FULL_OBJECT', 'COMPOSITE']) }).nullable(),
});
export type Footer = z.infer<typeof Footer>;

export interface Written {
  readonly footer: Footer;
  readonly modifiedAt: Millis;
}

/**
 * Writes and syncs a new file. @param describe what is known of the bytes, when they have all gone by
 * @throws what the body and `describe` throw; StoreUnavailable
 */
export async function writeObject(path: string, body: ObjectBody, describe: (digests: Digests) => Footer): Promise<Written> {
  const file = await stored(open(path, 'wx', 0o600));
  try {
    const digests = digesting();
    let pending: Uint8Array[] = [];
    let held = 0;
    for await (const chunk of bytesOf(body)) {
      digests.update(chunk);
      pending.push(chunk);
      held += chunk.length;
      if (held < WRITTEN_AT_ONCE) continue;
      await stored(writeAll(file, pending));
      pending = [];
      held = 0;
    }
    const footer = describe(digests.end());
    await stored(writeAll(file, [...pending, footerBytes(footer)]));
    await stored(file.datasync());
    return { footer, modifiedAt: Math.floor((await stored(file.stat())).mtimeMs) };
  } finally {
    await file.close();
  }
}

export function footerBytes(footer: Footer): Uint8Array {
  const json = Buffer.from(JSON.stringify(footer));
  const tail = Buffer.alloc(TAIL);
  tail.writeUInt32LE(json.length);
  tail.write(MARK, 4);
  return Buffer.concat([json, tail]);
}

/** A write may take less than it was given. */
async function writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  let left = chunks.filter(({ length }) => length > 0);
  while (left.length > 0) {
    let { bytesWritten } = await file.writev(left);
    const rest: Uint8Array[] = [];
    for (const chunk of left) {
      if (bytesWritten < chunk.length) rest.push(chunk.subarray(bytesWritten));
      bytesWritten = Math.max(0, bytesWritten - chunk.length);
    }
    left = rest;
  }
}

/** Null when there is no such file. The caller closes what it gets. `whole` is all of a small object. @throws StoreUnavailable for what is no object */
export async function openObject(
  path: string,
): Promise<(Written & { readonly file: FileHandle; readonly whole: Uint8Array | null }) | null> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT') return null;
    throw unavailable(error);
  }
  try {
    const { size, mtimeMs } = await file.stat();
    let end = await readAt(file, Math.max(0, size - READ_AT_ONCE), Math.min(size, READ_AT_ONCE));
    const length = end.length >= TAIL && end.toString('latin1', end.length - 4) === MARK ? end.readUInt32LE(end.length - TAIL) : -1;
    if (length < 0 || length > size - TAIL) throw new Error('it does not end as an object does');
    if (length + TAIL > end.length) end = await readAt(file, size - TAIL - length, length + TAIL);
    const footer = Footer.parse(JSON.parse(end.toString('utf8', end.length - TAIL - length, end.length - TAIL)));
    const whole = size <= READ_AT_ONCE ? end.subarray(0, footer.bytes) : null;
    return { file, footer, modifiedAt: Math.floor(mtimeMs), whole };
  } catch (error) {
    await file.close();
    throw new StoreUnavailable(`the object in ${path} cannot be read`, { cause: error, hint: 'put the object again' });
  }
}

export async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let got = 0;
  while (got < length) {
    const { bytesRead } = await file.read(buffer, got, length - got, at + got);
    if (bytesRead === 0) throw new Error(`the file ends after ${at + got} bytes`);
    got += bytesRead;
  }
  return buffer;
}

/** @throws StoreUnavailable for what a file system throws */
export async function stored<T>(done: Promise<T>): Promise<T> {
  try {
    return await done;
  } catch (error) {
    throw unavailable(error);
  }
}

const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** Whether an error says that there is no room left. */
export const isFull = (error: unknown): boolean =>
  error instanceof StoreUnavailable && FULL.has((error.cause as { code?: string } | undefined)?.code ?? '');

const unavailable = (error: unknown) =>
  FULL.has((error as { code?: string }).code ?? '')
    ? new StoreUnavailable('the disk of the object store is full', { cause: error, hint: 'make room on it, then try again' })
    : new StoreUnavailable('the disk of the object store does not take or give an object', { cause: error });
