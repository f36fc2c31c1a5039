/** A model from a folder, a package, or a bare ONNX file with what else it needs: what `model pack` and `model compile` start from. */
import { existsSync, readdirSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { FileInvalid, reasonOf, UsageError } from '../../../actors/contracts/errors.ts';
import { parseModelAlias, parseModelId } from '../../../actors/contracts/ids.ts';
import { HOME_FLEET, type ModelManifest } from '../../../actors/contracts/model.ts';
import { openNetwork } from '../../../actors/inference/onnx.ts';
import { OnnxFault } from '../../../actors/onnx/fault.ts';
import { LIMITS } from '../../../actors/onnx/limits.ts';
import { sha256Hex } from '../../../actors/package/digest.ts';
import { parseManifest } from '../../../actors/package/manifest.ts';
import { openModel } from '../../../actors/package/package.ts';
import { isVersion } from '../../../actors/package/version.ts';
import { createRng } from '../../../twins/rng.ts';
import { createCatalogue, type DescribedModel } from '../../models/catalogue.ts';
import { trustedKeys } from '../../models/keys.ts';
import { readArtefacts } from '../../models/starter.ts';
import { objectsIn } from '../objects-in.ts';
import { type Description, describeModel } from '../../studio/describe.ts';
import type { ModelArtefacts } from '../../studio/export.ts';
import { readPrepared } from '../../studio/files.ts';
import { type ForeignNetwork, openForeign } from '../../studio/onnx-import.ts';
import { ORIGINAL_INPUT, originalSignal, originalThresholds } from '../../studio/original.ts';
import type { Io } from '../print.ts';

export interface SourceFlags {
  readonly data: string;
  readonly name?: string;
  readonly version?: string;
  readonly sequence?: string;
  readonly like?: string;
  readonly prepared?: string;
}

/** A model’s name out of its file's. */
export const nameOf = (file: string): string =>
  basename(file)
    .replace(/\.[^.]*$/, '')
    .replace(/[^a-zA-Z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 64) || 'model';

interface Called {
  readonly name: string;
  readonly version: string;
}

/**
 * A folder, a package, or an ONNX file.
 * @param otherwise how a bare network is called when the flags do not say
 * @throws FileInvalid, UsageError, ModelRejected, VerificationRefused
 */
export async function readSource(source: string, flags: SourceFlags, io: Io, otherwise: Called | null = null): Promise<ModelArtefacts> {
  const facts = await stat(source).catch((error: unknown) => {
    throw new FileInvalid(`${source} cannot be read: ${reasonOf(error)}`, { cause: error });
  });
  if (facts.isDirectory()) return renamed(readFolder(source), flags);
  if (facts.size > LIMITS.bytes)
    throw new FileInvalid(`${source} has ${facts.size} bytes; a network may have ${LIMITS.bytes}`, { hint: 'is it the right file?' });
  const bytes = await readFile(source).catch((error: unknown) => {
    throw new FileInvalid(`${source} cannot be read: ${reasonOf(error)}`, { cause: error });
  });
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return renamed(openModel(bytes, { trustedKeys: trustedKeys(flags.data) }), flags);
  const beside = flags.like === undefined && flags.prepared === undefined ? manifestBeside(source, bytes) : null;
  if (beside) return renamed(readFolder(beside), flags);
  return describeFile(source, bytes, { ...otherwise, ...flags }, io);
}

function readFolder(folder: string): ModelArtefacts {
  try {
    return readArtefacts(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined || error instanceof FileInvalid) throw error;
    if (!('syscall' in (error as object))) throw error;
    throw new FileInvalid(`${folder} is no trained model: ${reasonOf(error)}`, {
      cause: error,
      hint: 'a model’s folder holds manifest.json, its network and its golden samples, as `windfleet train --out DIR` leaves them',
    });
  }
}

/** The folder of a network that lies in it with its own manifest; null for a network alone. */
function manifestBeside(file: string, bytes: Uint8Array): string | null {
  const folder = dirname(file);
  if (!existsSync(join(folder, 'manifest.json'))) return null;
  const { manifest } = readFolder(folder);
  return manifest.network.file === basename(file) && manifest.network.sha256 === sha256Hex(bytes) ? folder : null;
}

/** Under another name, version or sequence where one is given. */
function renamed({ manifest, network, golden }: ModelArtefacts, flags: SourceFlags): ModelArtefacts {
  const { name = manifest.name, version = manifest.version } = flags;
  checkName(name, version);
  return { manifest: { ...manifest, name, version, sequence: sequenceOf(flags, manifest.sequence) }, network, golden };
}

function checkName(name: string, version: string): void {
  if (!isVersion(version)) throw new UsageError(`--version ${version} is no version, as 1.2.3`);
  if (!parseModelId(`${name}@${version}`)) throw new UsageError(`--name ${name} is no name: letters, digits and inner dashes`);
}

function sequenceOf({ sequence }: SourceFlags, otherwise: number): number {
  if (sequence === undefined) return otherwise;
  if (!/^\d{1,15}$/.test(sequence) || Number(sequence) < 1) throw new UsageError(`--sequence ${sequence} is no whole number from 1 on`);
  return Number(sequence);
}

async function describeFile(source: string, bytes: Uint8Array, flags: SourceFlags, io: Io): Promise<ModelArtefacts> {
  const foreign = await named(source, async () => openForeign(bytes));
  const { name, version } = flags;
  if (name === undefined || version === undefined)
    throw new UsageError(`${source} is a bare network: it wants a name and a version`, { hint: '--name N --version V' });
  checkName(name, version);
  const published = (await newestIn(flags.data, name))?.manifest.sequence ?? 0;
  const description = await descriptionOf(source, foreign, flags, published + 1, io);
  const lineage = { networkFile: basename(source), networkSha256: sha256Hex(bytes), ...description.lineage };
  return named(source, () =>
    describeModel(
      foreign,
      { ...description, name, version, lineage },
      { open: (manifest, network) => openNetwork(manifest, network), digest: sha256Hex },
    ),
  );
}

type Rest = Omit<Description, 'name' | 'version'>;

/** What a bare network lacks: from prepared data, from a model like it, or by its shape. @param next a sequence that is above all that is published */
async function descriptionOf(source: string, foreign: ForeignNetwork, flags: SourceFlags, next: number, io: Io): Promise<Rest> {
  if (flags.like !== undefined || (flags.prepared === undefined && !isOriginal(foreign))) {
    const like = flags.like === undefined ? starterLike(source, foreign) : await readLike(flags.like, flags.data);
    const { manifest, windows } = like;
    const held = flags.prepared === undefined ? null : await readPrepared(flags.prepared);
    if (held) fits(held, manifest);
    else
      io.err(
        `signal and thresholds are those of ${manifest.name}@${manifest.version}; with --prepared DIR thresholds come from held-out windows`,
      );
    return {
      sequence: sequenceOf(flags, Math.max(next, manifest.sequence + 1)),
      fleet: manifest.fleet,
      machine: manifest.machine,
      signal: manifest.signal,
      thresholds: held && !foreign.hasScores ? null : manifest.thresholds,
      persistence: manifest.persistence,
      windows: held?.heldOut ?? windows ?? noise(manifest.signal),
      lineage: { like: `${manifest.name}@${manifest.version}` },
    };
  }
  const common = { sequence: sequenceOf(flags, next), fleet: HOME_FLEET, persistence: 2 };
  if (flags.prepared !== undefined) {
    const { machine, signal, heldOut, source: from } = await readPrepared(flags.prepared);
    if (foreign.hasScores)
      throw new UsageError(`${source} has its thresholds inside; --prepared cannot say what they are`, {
        hint: '--like N@V|DIR names a model with the same',
      });
    return { ...common, machine, signal, thresholds: null, windows: heldOut, lineage: { prepared: from } };
  }
  io.err(
    'signal and thresholds are those that the original ships for [N, 6, 10, 10]; with --prepared DIR thresholds come from held-out windows',
  );
  return {
    ...common,
    machine: 'desk-turbine',
    signal: originalSignal,
    thresholds: originalThresholds,
    windows: noise(originalSignal),
    lineage: { like: 'the original' },
  };
}

const isOriginal = ({ input }: ForeignNetwork) => input.join() === ORIGINAL_INPUT.join();

/** Normalised windows of nothing in particular: enough to see that a device computes what this machine does. */
function noise({ features, window }: ModelManifest['signal']): Float32Array {
  const rng = createRng(1).fork('golden');
  return Float32Array.from({ length: 6 * features.length * window.samples }, (_, i) => rng.normal(i));
}

interface Like {
  readonly manifest: ModelManifest;
  readonly windows: Float32Array | null;
}

/** A published model, a package, a model's folder, or a manifest alone. */
async function readLike(like: string, data: string): Promise<Like> {
  const of = ({ manifest, golden }: ModelArtefacts): Like => ({ manifest, windows: Float32Array.from(golden.windows.flat()) });
  const facts = await stat(like).catch(() => null);
  if (facts?.isDirectory()) return of(readFolder(like));
  if (facts) {
    const bytes = await readFile(like);
    if (bytes[0] === 0x1f) return of(openModel(bytes, { trustedKeys: trustedKeys(data) }));
    return { manifest: await named(like, async () => parseManifest(bytes)), windows: null };
  }
  if (!parseModelId(like) && !parseModelAlias(like))
    throw new UsageError(`--like ${like} is no folder, package, manifest or published model, as windturbine-anomaly@1.1.0`);
  return of(openModel(await catalogueIn(data).read(like), { trustedKeys: trustedKeys(data) }));
}

const catalogueIn = (data: string) => createCatalogue(objectsIn(data), trustedKeys(data));

/** What a data folder has published of that name with the highest sequence; null where there is none. */
export const newestIn = (data: string, name: string): Promise<DescribedModel | null> => catalogueIn(data).newest(name);

/** The newest starter whose windows have the network's shape. */
function starterLike(source: string, { input }: ForeignNetwork): Like {
  const folder = join(packageRoot(import.meta.dirname), 'cloud/models/starter');
  const starters = readdirSync(folder).map((name) => readFolder(join(folder, name)));
  const fitting = starters
    .filter(({ manifest }) => manifest.network.input.slice(1).join() === input.join())
    .sort((a, b) => b.manifest.sequence - a.manifest.sequence);
  if (fitting.length === 0)
    throw new UsageError(`${source} reads windows [N, ${input.join(', ')}], as no model here does`, {
      hint: '--like N@V|DIR|manifest.json says whose signal it reads; --prepared DIR is what `windfleet data prepare` left',
    });
  const [{ manifest, golden }] = fitting;
  return { manifest, windows: Float32Array.from(golden.windows.flat()) };
}

/** @throws UsageError when the windows are not of the features that the model reads. */
export function fits({ signal }: { readonly signal: ModelManifest['signal'] }, manifest: ModelManifest): boolean {
  const said = ({ features, window }: ModelManifest['signal']) =>
    `${features.map(({ name }) => name).join(', ')} × ${window.samples} samples`;
  if (said(signal) === said(manifest.signal)) return true;
  throw new UsageError(`--prepared holds windows of ${said(signal)}; ${manifest.name}@${manifest.version} reads ${said(manifest.signal)}`);
}

/** A fault of a network as a fault of its file. */
export async function named<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OnnxFault)) throw error;
    throw new FileInvalid(`${file}: ${error.message}`, { cause: error });
  }
}

function packageRoot(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : packageRoot(dirname(folder));
}
