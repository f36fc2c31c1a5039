/**
 * What `data prepare` leaves for `train`: `prepared.json`, and both parts' windows as little-endian float32. The facts are written
 * last and name the digests of the rest, so a folder is whole or is none; it is read with every fault named.
 */
import { createHash } from 'node:crypto';
import { closeSync, createReadStream, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { mkdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { EnvironmentLacking, FileInvalid, reasonOf } from '../../actors/contracts/errors.ts';
import { createFileFaults } from '../../actors/contracts/file-faults.ts';
import type { FeatureSpec, SignalSpec } from '../../actors/contracts/model.ts';
import type { ModelArtefacts } from './export.ts';
import type { Prepared } from './prepare.ts';
import type { WindowStore } from './windows.ts';

const SCHEMA = 'windfleet.prepared/v1';
const FACTS = 'prepared.json';
const FILES = { training: 'training.f32', heldOut: 'held-out.f32' } as const;
const PARTS = ['training', 'heldOut'] as const;

interface PartFacts {
  readonly windows: number;
  /** Hex SHA-256 of the file. */
  readonly sha256: string;
}

export interface PreparedFacts {
  readonly machine: string;
  /** Hex SHA-256 of what it was made from. */
  readonly source: string;
  /** Of the network, without the batch. */
  readonly input: readonly number[];
  readonly signal: SignalSpec;
  /** As `Prepared` has it. */
  readonly origin?: Readonly<Record<string, string | number>>;
}

/** A folder that is being filled. */
export interface PreparedFolder {
  readonly training: WindowStore;
  readonly heldOut: WindowStore;
  /** Now it is whole. @returns windows and digests of both parts */
  finish(facts: PreparedFacts): Promise<Readonly<Record<'training' | 'heldOut', PartFacts>>>;
  /** Nothing is left in it of what was written. */
  discard(): Promise<void>;
}

/** What was prepared in it before stays until this is finished. @throws EnvironmentLacking when it cannot be written */
export async function openPreparedFolder(folder: string): Promise<PreparedFolder> {
  await writing(folder, () => mkdir(folder, { recursive: true }));
  const partOf = (part: keyof typeof FILES) => join(folder, `${FILES[part]}.part`);
  const stores = { training: fileStore(partOf('training')), heldOut: fileStore(partOf('heldOut')) };
  return {
    ...stores,
    async finish(facts) {
      const parts = {} as Record<'training' | 'heldOut', PartFacts>;
      for (const part of PARTS) {
        const windows = stores[part].close();
        parts[part] = { windows, sha256: await digestOf(partOf(part)) };
      }
      const text = `${JSON.stringify({ schema: SCHEMA, ...facts, ...parts }, null, 2)}\n`;
      await writing(folder, async () => {
        await rm(join(folder, FACTS), { force: true });
        for (const part of PARTS) await rename(partOf(part), join(folder, FILES[part]));
        await writeFile(join(folder, FACTS), text);
      });
      return parts;
    },
    async discard() {
      for (const part of PARTS) {
        stores[part].abandon();
        await rm(partOf(part), { force: true });
      }
      await rmdir(folder).catch(() => {}); // it held something before
    },
  };
}

export async function writePrepared(folder: string, { machine, signal, source, training, heldOut, origin }: Prepared): Promise<void> {
  const opened = await openPreparedFolder(folder);
  const size = signal.features.length * signal.window.samples;
  for (const [part, windows] of [
    ['training', training],
    ['heldOut', heldOut],
  ] as const)
    for (let slot = 0; slot < windows.length / size; slot++) opened[part].put(slot, windows.subarray(slot * size, (slot + 1) * size));
  await opened.finish({ machine, source, signal, input: inputOf(signal), ...(origin === undefined ? {} : { origin }) });
}

/** The shape that a network takes a window in, without the batch. */
export const inputOf = ({ pipeline, features, window }: SignalSpec): readonly number[] => {
  const side = Math.sqrt(window.samples);
  return pipeline === 'seed-db6' && Number.isInteger(side) ? [features.length, side, side] : [features.length, window.samples];
};

/** Hex SHA-256 of a file of any size. @throws FileInvalid */
export async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  } catch (error) {
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  }
  return hash.digest('hex');
}

/** @throws FileInvalid naming every fault: what is missing, of another size, damaged, or no number */
export async function readPrepared(folder: string): Promise<Prepared> {
  const { machine, source, signal, origin, parts } = await readFacts(join(folder, FACTS));
  const size = signal.features.length * signal.window.samples;
  const faults = createFileFaults();
  const [training, heldOut] = PARTS.map((part) => readWindows(join(folder, FILES[part]), size, parts[part], faults));
  faults.refuse('prepare the recording again: `windfleet data prepare F.csv --out DIR`');
  return { machine, source, signal, training, heldOut, ...(origin === undefined ? {} : { origin }) };
}

/** The unsigned model that `model pack` signs. */
export async function writeArtefacts(folder: string, { manifest, network, golden }: ModelArtefacts): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, manifest.network.file), network);
  await writeFile(join(folder, manifest.golden.file), `${JSON.stringify(golden)}\n`);
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

const BUFFERED = 1 << 20; // bytes

/** Windows in a file, written as they come. What was written may be written over: a fair choice does. */
function fileStore(file: string): WindowStore & { close(): number; abandon(): void } {
  let handle: number | null = open(file, () => openSync(file, 'w'));
  let buffered: Uint8Array[] = [];
  let bufferedBytes = 0;
  let next = 0; // slot
  let flushed = 0; // bytes
  const write = (bytes: Uint8Array, at: number) =>
    open(file, () => {
      for (let done = 0; done < bytes.length; ) done += writeSync(handle as number, bytes, done, bytes.length - done, at + done);
    });
  const flush = () => {
    if (bufferedBytes === 0) return;
    write(Buffer.concat(buffered), flushed);
    flushed += bufferedBytes;
    buffered = [];
    bufferedBytes = 0;
  };
  return {
    put(slot, window) {
      const bytes = bytesOf(window);
      if (slot < next) {
        flush();
        write(bytes, slot * bytes.length);
        return;
      }
      next = slot + 1;
      buffered.push(bytes);
      bufferedBytes += bytes.length;
      if (bufferedBytes >= BUFFERED) flush();
    },
    close() {
      if (handle === null) return next;
      flush();
      closeSync(handle);
      handle = null;
      return next;
    },
    abandon() {
      if (handle !== null) closeSync(handle);
      handle = null;
    },
  };
}

function open<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

async function writing<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

const cannotWrite = (file: string, error: unknown) =>
  new EnvironmentLacking(`${file} cannot be written: ${reasonOf(error)}`, { cause: error, hint: 'is there room, and may it be written?' });

async function readFacts(file: string): Promise<PreparedFacts & { readonly parts: Readonly<Record<'training' | 'heldOut', PartFacts>> }> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, {
      cause: error,
      hint: 'make the folder with `windfleet data prepare F.csv --out DIR`',
    });
  });
  let facts: PreparedFacts & { schema: unknown; training: PartFacts; heldOut: PartFacts };
  try {
    facts = JSON.parse(text);
  } catch (error) {
    throw new FileInvalid(`${file} is no JSON: ${reasonOf(error)}`, { cause: error, hint: 'prepare the recording again' });
  }
  const wrong = createFileFaults();
  const want = (holds: boolean, what: string) => holds || wrong.add(`${file} is not what \`data prepare\` wrote: ${what}`);
  if (typeof facts !== 'object' || facts === null) want(false, 'it must be an object');
  else {
    want(facts.schema === SCHEMA, `schema is ${JSON.stringify(facts.schema)}, not ${SCHEMA}`);
    want(typeof facts.machine === 'string', 'machine must be a text');
    want(typeof facts.source === 'string', 'source must be a text');
    want(['stream', 'seed-db6'].includes(facts.signal?.pipeline), 'signal.pipeline must be stream or seed-db6');
    want(isCount(facts.signal?.window?.samples) && isCount(facts.signal.window.hop), 'signal.window must have samples and a hop');
    want(Array.isArray(facts.signal?.features) && facts.signal.features.length > 0, 'signal must have features');
    for (const [i, feature] of (Array.isArray(facts.signal?.features) ? facts.signal.features : []).entries())
      want(isFeature(feature), `signal.features[${i}] must have a name, an op, channels, parameters, a mean and a std above 0`);
    want(facts.origin === undefined || isOrigin(facts.origin), 'origin must hold texts and numbers by name');
    for (const part of PARTS)
      want(isCount(facts[part]?.windows) && /^[0-9a-f]{64}$/.test(facts[part].sha256), `${part} must have windows and a sha256`);
  }
  wrong.refuse('prepare the recording again: `windfleet data prepare F.csv --out DIR`');
  const { machine, source, input, signal, origin, training, heldOut } = facts;
  return { machine, source, input, signal, ...(origin === undefined ? {} : { origin }), parts: { training, heldOut } };
}

const isCount = (value: unknown): boolean => Number.isInteger(value) && (value as number) > 0;
const isOrigin = (origin: unknown): boolean =>
  typeof origin === 'object' &&
  origin !== null &&
  Object.values(origin).every((value) => typeof value === 'string' || Number.isFinite(value));
const isFeature = (feature: FeatureSpec | null): boolean =>
  typeof feature?.name === 'string' &&
  typeof feature.op === 'string' &&
  Array.isArray(feature.channels) &&
  typeof feature.parameters === 'object' &&
  Number.isFinite(feature.mean) &&
  Number.isFinite(feature.std) &&
  feature.std > 0;

function readWindows(file: string, size: number, { windows, sha256 }: PartFacts, faults: { add(text: string): void }): Float32Array {
  let handle: number;
  try {
    handle = openSync(file, 'r');
  } catch (error) {
    faults.add(`${file} cannot be read: ${reasonOf(error)}`);
    return new Float32Array();
  }
  try {
    const bytes = fstatSync(handle).size;
    if (bytes !== 4 * size * windows) {
      faults.add(
        bytes % (4 * size) === 0
          ? `${file} has ${bytes / (4 * size)} windows, and ${windows} were prepared`
          : `${file} has ${bytes} bytes, which is no whole number of windows of ${size} values`,
      );
      return new Float32Array();
    }
    const values = new Float32Array(size * windows);
    const view = Buffer.from(values.buffer);
    for (let at = 0; at < bytes; ) {
      const read = readSync(handle, view, at, Math.min(1 << 26, bytes - at), at);
      if (read === 0) break;
      at += read;
    }
    if (createHash('sha256').update(view).digest('hex') !== sha256) {
      faults.add(`${file} is not the one that was prepared: its SHA-256 differs`);
      return values;
    }
    if (endianness() === 'BE') view.swap32();
    const bad = values.findIndex((x) => !Number.isFinite(x));
    if (bad >= 0) faults.add(`${file}: value ${bad} is no number`);
    return values;
  } catch (error) {
    faults.add(`${file} cannot be read: ${reasonOf(error)}`);
    return new Float32Array();
  } finally {
    closeSync(handle);
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  const bytes = Buffer.from(values.slice().buffer);
  return endianness() === 'BE' ? bytes.swap32() : bytes;
}
