/** A model package: `<name>-<version>.tar.gz`, signed over every file; opened only after its signature has been verified. */
import type { KeyObject } from 'node:crypto';
import { ModelRejected } from '../contracts/errors.ts';
import { modelId } from '../contracts/ids.ts';
import type { GoldenSamples, ModelManifest } from '../contracts/model.ts';
import { sha256Hex } from './digest.ts';
import { SIGNATURE_FILE, signFiles, verifyFiles } from './dsse.ts';
import { parseGolden, parseManifest } from './manifest.ts';
import { type Files, packTar, unpackTar } from './tar.ts';

export interface ModelContents {
  readonly manifest: ModelManifest;
  readonly network: Uint8Array;
  readonly golden: GoldenSamples;
}

/** What was read of a package, and all its files as they were signed. */
export interface OpenedModel extends ModelContents {
  readonly files: Files;
}

export interface OpenOptions {
  readonly trustedKeys: readonly KeyObject[];
  /** Epoch milliseconds; a package that has expired by then is refused. Absent for what is installed already. */
  readonly now?: number;
}

export const packageName = (manifest: ModelManifest): string => `${manifest.name}-${manifest.version}.tar.gz`;

/** Signs and packs. @throws ModelRejected when the manifest does not fit the network. */
export function packModel(
  { manifest, network, golden }: ModelContents,
  privateKey: KeyObject,
): { readonly bytes: Uint8Array; readonly sha256: string; readonly name: string } {
  const unsigned = new Map<string, Uint8Array>([
    ['manifest.json', json(manifest)],
    [manifest.network.file, network],
    [manifest.golden.file, json(golden)],
    ['sagemaker_edge_manifest', json({ metadata: { model_name: manifest.name, model_version: manifest.version } })],
  ]);
  readContents(unsigned);
  const signature = signFiles(unsigned, modelId(manifest.name, manifest.version), privateKey);
  const bytes = packTar(new Map([...unsigned, [SIGNATURE_FILE, signature]]));
  return { bytes, sha256: sha256Hex(bytes), name: packageName(manifest) };
}

/**
 * Unpacks in memory, verifies, and only then reads.
 * @throws ModelRejected for what is no package, VerificationRefused for one that is not trusted.
 */
export function openModel(bytes: Uint8Array, options: OpenOptions): OpenedModel {
  const files = unpackTar(bytes);
  return { ...openFiles(files, options), files };
}

/** As `openModel`, for files that were unpacked before: a slot on a device's disk. */
export function openFiles(files: Files, { trustedKeys, now }: OpenOptions): ModelContents {
  verifyFiles(files, trustedKeys);
  const contents = readContents(files);
  const { name, version, expires } = contents.manifest;
  if (now !== undefined && expires !== null && Date.parse(expires) <= now)
    throw new ModelRejected(modelId(name, version), `it expired at ${expires}`);
  return contents;
}

/** The parts of a package whose signature has been seen to. @throws ModelRejected */
export function readContents(files: Files): ModelContents {
  const manifest = parseManifest(member(files, 'manifest.json'));
  const network = member(files, manifest.network.file);
  const digest = sha256Hex(network);
  if (digest !== manifest.network.sha256)
    throw new ModelRejected(
      modelId(manifest.name, manifest.version),
      `${manifest.network.file} has SHA-256 ${digest}, its manifest says ${manifest.network.sha256}`,
    );
  return { manifest, network, golden: parseGolden(member(files, manifest.golden.file)) };
}

function member(files: Files, name: string): Uint8Array {
  const bytes = files.get(name);
  if (!bytes) throw new ModelRejected('package', `${name} is missing`);
  return bytes;
}

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
