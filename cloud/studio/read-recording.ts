/**
 * A file of samples, whatever it is: known by its content, not by its name. CSV of a machine, Parquet of ours, the log of a serial
 * line, or log messages as JSON-lines; packed with gzip or not.
 */
import { createReadStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { createGunzip } from 'node:zlib';
import type { Machine } from '../../actors/contracts/channels.ts';
import { didYouMean, FileInvalid, reasonOf } from '../../actors/contracts/errors.ts';
import { columnsOfHeader, nearestMachine, recordingColumns } from '../../actors/contracts/recording.ts';
import { csvSource } from './read-csv.ts';
import { captureSource, type CaptureSource, logSource } from './read-json-lines.ts';
import { parquetSource } from './read-parquet.ts';
import { parseSerialLine, serialSource } from './read-serial.ts';
import type { SampleSource } from './samples.ts';

export type RecordingFormat = 'csv' | 'parquet' | 'serial' | 'logs' | 'captures';

export type OpenedRecording =
  | { readonly format: Exclude<RecordingFormat, 'captures'>; readonly source: SampleSource }
  | { readonly format: 'captures'; readonly captures: CaptureSource };

export interface ReadOptions {
  /** Machines by which a CSV may be recognised. */
  readonly machines: readonly Machine[];
  /** The one it must be: a flag or the sidecar said so. */
  readonly machine?: string;
  /** The turbine of a log that names none. */
  readonly thing?: string;
}

const PIECE = 1 << 20; // bytes
const SNIFFED = 1 << 16; // bytes
const MOST_PACKED = 200; // times as large as it was packed: recordings come to 5..15
const UNPACKED_FREELY = 16 << 20; // bytes

/** @throws FileInvalid when it cannot be read, or is none of them */
export async function openRecording(file: string, options: ReadOptions): Promise<OpenedRecording> {
  const about = await stat(file).catch((error: unknown) => {
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  });
  if (about.isDirectory())
    throw new FileInvalid(`${file} is a folder`, { hint: 'name one recording; `train` wants the folder that `data prepare` wrote' });
  if (!about.isFile())
    throw new FileInvalid(`${file} is no regular file: a recording is read several times from its start`, {
      hint: 'write it to a file first',
    });
  if (about.size === 0) throw new FileInvalid(`${file}:1 is empty`, { hint: 'record one with `windfleet data record`' });

  const packed = await head(file, 4);
  const gzipped = packed[0] === 0x1f && packed[1] === 0x8b;
  const chunks = () => (gzipped ? unpack(file, about.size) : plain(file));
  const start = gzipped ? await firstOf(chunks()) : await head(file, SNIFFED);
  const name = basename(file);
  if (start.length === 0) throw new FileInvalid(`${file}:1 is empty`, { hint: 'record one with `windfleet data record`' });
  if (start.subarray(0, 4).toString('latin1') === 'PAR1') {
    if (gzipped) throw new FileInvalid(`${file} is Parquet within gzip`, { hint: 'unpack it first (gunzip): Parquet is packed within' });
    return { format: 'parquet', source: await parquetSource(file, (columns) => machineOf(columns, name, options)) };
  }
  if (isBinary(start))
    throw new FileInvalid(`${file} is no text: ${binaryKind(start)}`, {
      hint: 'a recording is CSV, Parquet, the log of a serial line, or JSON-lines; each but Parquet may be packed with gzip',
    });
  const lines = start
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
  const first = lines.find((line) => line.trim() !== '') ?? '';
  const thing = options.thing ?? thingOf(name);
  if (first.trimStart().startsWith('{'))
    return first.includes('"logs"')
      ? { format: 'logs', source: logSource(file, chunks, thing) }
      : { format: 'captures', captures: captureSource(file, chunks) };
  if (
    !/turbineId|eventTime|nanoId/.test(first) &&
    (lines.some((line) => parseSerialLine(line) !== null) || /^Invalid Intialization/.test(first))
  )
    return { format: 'serial', source: serialSource(file, chunks, thing) };
  return { format: 'csv', source: csvSource(file, chunks, machineOf(columnsOfHeader(lines[0]), file, options)) };
}

/** The machine that was asked for, or the one whose columns these are most. */
function machineOf(columns: readonly string[], file: string, { machines, machine }: ReadOptions): Machine {
  const nearest = nearestMachine(columns, machines);
  if (machine === undefined) return nearest;
  const names = machines.map(({ name }) => name);
  const asked = machines.find(({ name }) => name === machine);
  if (!asked)
    throw new FileInvalid(`${file} is of a machine ${machine}, which is not in the library.${didYouMean(machine, names)}`, {
      hint: `machines: ${names.join(', ')}, or the path of a machine file with --machine`,
    });
  const has = ({ channels }: Machine) => recordingColumns(channels).every((name) => columns.includes(name));
  if (has(nearest) && !has(asked))
    throw new FileInvalid(`${file}:1 has the columns of a ${nearest.name}, not of a ${machine}`, { hint: `--machine ${nearest.name}` });
  return asked;
}

/** A thing's name of a file's: `turbine 7.log` → `turbine-7`. */
const thingOf = (name: string): string =>
  name
    .replace(/\.[^.]*(\.gz)?$/i, '')
    .replace(/[^a-zA-Z0-9:_-]+/g, '-')
    .slice(0, 128) || 'T-001';

async function head(file: string, bytes: number): Promise<Buffer> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  } finally {
    await handle.close();
  }
}

async function firstOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  for await (const chunk of chunks) return Buffer.from(chunk);
  return Buffer.alloc(0);
}

async function* plain(file: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: PIECE })) yield chunk as Buffer;
  } catch (error) {
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
}

/** @param packed bytes of the file */
async function* unpack(file: string, packed: number): AsyncGenerator<Uint8Array> {
  const stream = createReadStream(file, { highWaterMark: PIECE });
  const unpacked = createGunzip({ chunkSize: PIECE });
  stream.on('error', (error) => unpacked.destroy(error));
  stream.pipe(unpacked);
  let bytes = 0;
  try {
    for await (const chunk of unpacked) {
      bytes += (chunk as Buffer).length;
      if (bytes > UNPACKED_FREELY && bytes > MOST_PACKED * packed)
        throw new FileInvalid(`${file} unpacks to more than ${MOST_PACKED} times its size: no recording does`, {
          hint: 'if it is one all the same, unpack it first (gunzip)',
        });
      yield chunk as Buffer;
    }
  } catch (error) {
    if (error instanceof FileInvalid) throw error;
    throw new FileInvalid(`${file} cannot be unpacked after ${bytes} bytes: ${reasonOf(error)}`, {
      cause: error,
      hint: 'the file is cut short or damaged: fetch it again',
    });
  } finally {
    stream.destroy();
    unpacked.destroy();
  }
}

const isBinary = (start: Buffer): boolean => {
  let odd = 0;
  for (const byte of start) {
    if (byte === 0) return true;
    if (byte < 0x09 || (byte > 0x0d && byte < 0x20)) odd++;
  }
  return odd > start.length / 20; // a serial line may garble some
};

const MAGIC: readonly (readonly [string, string])[] = [
  ['PK', 'a zip archive'],
  ['\x7fELF', 'a program'],
  ['\x93NUMPY', 'an array of NumPy'],
  ['\x89PNG', 'a picture'],
  ['\x28\xb5\x2f\xfd', 'packed with zstd'],
  ['BZh', 'packed with bzip2'],
  ['SQLite', 'a database'],
];
const binaryKind = (start: Buffer): string =>
  MAGIC.find(([magic]) => start.subarray(0, magic.length).toString('latin1') === magic)?.[1] ?? 'it holds bytes that no text has';
