/**
 * A strict reader and a deterministic writer of the one archive format that we have: gzipped ustar of plain files in one folder.
 *
 * The reader refuses what a package never holds: links, devices, folders, traversal, absolute paths, duplicates, other formats, and
 * anything over its caps. It never touches a file system.
 */
import { crc32, gunzipSync, gzipSync } from 'node:zlib';
import { ModelRejected, reasonOf } from '../contracts/errors.ts';
import type { UpdateCode } from '../contracts/update-codes.ts';

const BLOCK = 512;
export const MAX_PACKAGE_BYTES = 512 * 2 ** 20; // packed or not
const MAX_RATIO = 100;
const MAX_MEMBERS = 2_000;
const MAX_PATH = 200;

export type Files = ReadonlyMap<string, Uint8Array>;

/** The same bytes for the same files, whoever packs them and when. */
export function packTar(files: Files): Uint8Array {
  const blocks: Uint8Array[] = [];
  for (const [name, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    blocks.push(header(name, bytes.length), bytes, new Uint8Array((BLOCK - (bytes.length % BLOCK)) % BLOCK));
  }
  blocks.push(new Uint8Array(2 * BLOCK));
  const archive = gzipSync(Buffer.concat(blocks), { level: 9 });
  archive[9] = ANY_SYSTEM; // else the machine's own
  return archive;
}

/** @throws ModelRejected naming the member and what is wrong with it. */
export function unpackTar(archive: Uint8Array): Files {
  const bytes = gunzip(archive);
  const files = new Map<string, Uint8Array>();
  const folded = new Map<string, string>();
  let at = 0;
  for (;;) {
    if (at + BLOCK > bytes.length) throw refused('archive.truncated', 'the archive breaks off before its end mark');
    const head = bytes.subarray(at, at + BLOCK);
    if (head.every((byte) => byte === 0)) break;
    const { name, size } = readHeader(head);
    if (files.has(name)) throw refused('archive.duplicate', `member ${name} is there twice`);
    const twin = folded.get(name.toLowerCase());
    if (twin !== undefined) throw refused('archive.duplicate', `members ${twin} and ${name} would be one file where case does not count`);
    folded.set(name.toLowerCase(), name);
    if (files.size >= MAX_MEMBERS) throw refused('archive.members', `it has more than ${MAX_MEMBERS} members`);
    if (at + BLOCK + size > bytes.length) throw refused('archive.truncated', `member ${name} breaks off`);
    files.set(name, bytes.slice(at + BLOCK, at + BLOCK + size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  if (bytes.subarray(at).some((byte) => byte !== 0)) throw refused('archive.trailing', 'something follows its end mark');
  if (files.size === 0) throw refused('archive.empty', 'it holds no file');
  return files;
}

function gunzip(archive: Uint8Array): Buffer {
  if (archive.length > MAX_PACKAGE_BYTES) throw refused('archive.bomb', `it has ${archive.length} bytes; ${MAX_PACKAGE_BYTES} at most`);
  const limit = Math.min(MAX_PACKAGE_BYTES, Math.max(BLOCK * 4, archive.length * MAX_RATIO));
  let bytes: Buffer;
  try {
    bytes = gunzipSync(archive, { maxOutputLength: limit });
  } catch (error) {
    const tooLarge = error instanceof RangeError || (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE';
    throw tooLarge
      ? refused('archive.bomb', `it unpacks to more than ${limit} bytes`, error)
      : refused('archive.gzip', `it is no whole gzip (${reasonOf(error)})`, error);
  }
  const tail = Buffer.from(archive.buffer, archive.byteOffset + archive.length - 8, 8);
  if (tail.readUInt32LE(0) !== crc32(bytes) || tail.readUInt32LE(4) !== bytes.length)
    throw refused('archive.trailing', 'something follows its gzip');
  if (isHeadChanged(archive)) throw refused('archive.gzip', 'the head of its gzip was changed');
  return bytes;
}

const ANY_SYSTEM = 255;
const GZIP_HEAD = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, ANY_SYSTEM]; // deflate, no flags, no date, level 9
const SYSTEMS = [3, 10, 19]; // packed before: of the machine, as zlib names it

/** Nothing guards the head of a gzip: one that differs from ours in one byte is ours with that byte changed. Other packers differ in more. */
function isHeadChanged(archive: Uint8Array): boolean {
  const changed = GZIP_HEAD.flatMap((byte, i) => (archive[i] === byte ? [] : [i]));
  return changed.length === 1 && !(changed[0] === 9 && SYSTEMS.includes(archive[9]));
}

function readHeader(head: Uint8Array): { name: string; size: number } {
  const sum = octal(head, 148, 8, 'checksum');
  let counted = 0;
  for (let i = 0; i < BLOCK; i++) counted += i >= 148 && i < 156 ? 32 : head[i];
  if (sum !== counted) throw refused('archive.header', 'a member’s header has a wrong checksum');
  const name = text(head, 0, 100);
  if (text(head, 257, 5) !== 'ustar') throw refused('archive.header', `member ${quoted(name)} is not in ustar format`);
  const path = text(head, 345, 155) === '' ? name : `${text(head, 345, 155)}/${name}`;
  const type = head[156];
  if (type !== 0x30 && type !== 0)
    throw refused(
      type === 0x31 || type === 0x32 ? 'archive.link' : 'archive.kind',
      `member ${quoted(path)} is no plain file (type ${quoted(String.fromCharCode(type))})`,
    );
  checkPath(path);
  return { name: path, size: octal(head, 124, 12, `size of ${path}`) };
}

function checkPath(path: string): void {
  if (path.length === 0 || path.length > MAX_PATH) throw refused('archive.path', `it has a member name of ${path.length} characters`);
  if (path.startsWith('/') || path.includes('\\') || /^[a-zA-Z]:/.test(path))
    throw refused('archive.path', `member ${quoted(path)} has an absolute path`);
  if (path.split('/').some((part) => part === '..' || part === '.' || part === ''))
    throw refused('archive.path', `member ${quoted(path)} leads out of the package`);
  if (path.includes('/')) throw refused('archive.path', `member ${quoted(path)} lies in a folder: a package has none`);
  if (!/^[A-Za-z0-9._-]+$/.test(path)) throw refused('archive.name', `member ${quoted(path)} has a name that is not plain`);
}

/** Nothing that a terminal would obey. */
const quoted = (text: string): string => JSON.stringify(text).replace(/[^\x20-\x7e]/g, '?');

function octal(head: Uint8Array, at: number, length: number, what: string): number {
  const digits = text(head, at, length).trim();
  if (!/^[0-7]{1,11}$/.test(digits)) throw refused('archive.header', `${what} is no octal number`);
  return Number.parseInt(digits, 8);
}

function text(head: Uint8Array, at: number, length: number): string {
  const field = head.subarray(at, at + length);
  const end = field.indexOf(0);
  return new TextDecoder('latin1').decode(end < 0 ? field : field.subarray(0, end));
}

function header(name: string, size: number): Buffer {
  checkPath(name);
  if (name.length > 100) throw refused('archive.path', `member name ${name} is longer than 100 characters`);
  const head = Buffer.alloc(BLOCK);
  head.write(name, 0, 'latin1');
  head.write('0000644\0', 100, 'latin1');
  head.write('0000000\0', 108, 'latin1');
  head.write('0000000\0', 116, 'latin1');
  head.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  head.write('00000000000\0', 136, 'latin1'); // no date: the same bytes tomorrow
  head.write('        ', 148, 'latin1');
  head.write('0', 156, 'latin1');
  head.write('ustar\x0000', 257, 'latin1');
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return head;
}

const refused = (reason: UpdateCode, why: string, cause?: unknown) => new ModelRejected('package', why, cause, reason);
