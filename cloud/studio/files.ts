/** What `data prepare` leaves for `train`: `prepared.json`, and both parts' windows as little-endian float32. Read with every fault named. */
import { endianness } from 'node:os';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileInvalid, reasonOf } from '../../actors/contracts/errors.ts';
import type { SignalSpec } from '../../actors/contracts/model.ts';
import type { ModelArtefacts } from './export.ts';
import type { Prepared } from './prepare.ts';

const FACTS = 'prepared.json';
const TRAINING = 'training.f32';
const HELD_OUT = 'held-out.f32';

export async function writePrepared(folder: string, { machine, signal, source, training, heldOut }: Prepared): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, TRAINING), bytesOf(training));
  await writeFile(join(folder, HELD_OUT), bytesOf(heldOut));
  await writeFile(join(folder, FACTS), `${JSON.stringify({ machine, source, signal }, null, 2)}\n`);
}

/** @throws FileInvalid */
export async function readPrepared(folder: string): Promise<Prepared> {
  const facts = await readFacts(join(folder, FACTS));
  const size = facts.signal.features.length * facts.signal.window.samples;
  const [training, heldOut] = await Promise.all([readWindows(join(folder, TRAINING), size), readWindows(join(folder, HELD_OUT), size)]);
  return { ...facts, training, heldOut };
}

/** The unsigned model that `model pack` signs. */
export async function writeArtefacts(folder: string, { manifest, network, golden }: ModelArtefacts): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, manifest.network.file), network);
  await writeFile(join(folder, manifest.golden.file), `${JSON.stringify(golden)}\n`);
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function readFacts(file: string): Promise<{ machine: string; source: string; signal: SignalSpec }> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, {
      cause: error,
      hint: 'make the folder with `windfleet data prepare F.csv --out DIR`',
    });
  });
  try {
    const facts = JSON.parse(text) as { machine: string; source: string; signal: SignalSpec };
    if (typeof facts.machine !== 'string' || typeof facts.source !== 'string') throw new Error('machine and source must be texts');
    if (!(facts.signal.features.length > 0 && facts.signal.window.samples > 0)) throw new Error('signal must have features and a window');
    return facts;
  } catch (error) {
    throw new FileInvalid(`${file} is not what \`data prepare\` wrote: ${reasonOf(error)}`, { cause: error });
  }
}

async function readWindows(file: string, size: number): Promise<Float32Array> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw new FileInvalid(`${file} cannot be read: ${reasonOf(error)}`, { cause: error });
  });
  if (bytes.length === 0 || bytes.length % (4 * size) !== 0)
    throw new FileInvalid(`${file} has ${bytes.length} bytes, which is no whole number of windows of ${size} values`);
  if (endianness() === 'BE') bytes.swap32();
  const windows = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const bad = windows.findIndex((x) => !Number.isFinite(x));
  if (bad >= 0) throw new FileInvalid(`${file}: value ${bad} is no number`);
  return windows;
}

function bytesOf(values: Float32Array): Uint8Array {
  const bytes = Buffer.from(values.slice().buffer);
  return endianness() === 'BE' ? bytes.swap32() : bytes;
}
