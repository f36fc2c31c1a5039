/** A model package: `<name>-<version>.tar.gz`, signed over every file; opened only after its signature has been verified. */
import type { KeyObject } from 'node:crypto';
import { ModelRejected, VerificationRefused } from '../contracts/errors.ts';
import { modelId } from '../contracts/ids.ts';
import type { GoldenSamples, ModelManifest } from '../contracts/model.ts';
import { sha256Hex } from './digest.ts';
import { parseGolden, parseManifest } from './manifest.ts';
import { SIGNATURE_FILE, signFiles, verifyFiles } from './model-signature.ts';
import { type Files, packTar, unpackTar } from './tar.ts';

export interface ModelContents {
  readonly manifest: ModelManifest;
  readonly network: Uint8Array;
  readonly golden: GoldenSamples;
}

/** What was read of a package, and all its files as they were signed. */
export interface OpenedModel extends ModelContents {
  readonly files: Files;
  /** Id of the trusted key that signed it. */
  readonly signedBy: string;
}

export interface OpenOptions {
  readonly trustedKeys: readonly KeyObject[];
  /** Epoch milliseconds; a package that has expired by then is refused. Absent for what is installed already. */
  readonly now?: number;
  /** The sequence that is there already; a package that is not above it is refused. */
  readonly after?: number;
}

const NETWORK_FILE = 'compiled.onnx';
const GOLDEN_FILE = 'golden.json';
const EDGE_FILE = 'sagemaker_edge_manifest';

export const packageName = (manifest: ModelManifest): string => `${manifest.name}-${manifest.version}.tar.gz`;

/** @throws ModelRejected */
export type PackModel = (
  contents: ModelContents,
  privateKey: KeyObject,
) => { readonly bytes: Uint8Array; readonly sha256: string; readonly name: string };

/** Signs and packs, each file under the name that it has in every package. @throws ModelRejected when the manifest does not fit the network. */
export function packModel({ manifest: described, network, golden }: ModelContents, privateKey: KeyObject): ReturnType<PackModel> {
  const manifest: ModelManifest = {
    ...described,
    network: { ...described.network, file: NETWORK_FILE },
    golden: { ...described.golden, file: GOLDEN_FILE },
  };
  const unsigned = new Map<string, Uint8Array>([
    ['manifest.json', json(manifest)],
    [NETWORK_FILE, network],
    [GOLDEN_FILE, json(golden)],
    [EDGE_FILE, json({ metadata: { model_name: manifest.name, model_version: manifest.version } })],
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
export function openFiles(files: Files, { trustedKeys, now, after }: OpenOptions): ModelContents & { readonly signedBy: string } {
  const signedBy = verifyFiles(files, trustedKeys);
  const contents = readContents(files);
  member(files, EDGE_FILE);
  const { name, version, expires, sequence } = contents.manifest;
  const id = modelId(name, version);
  if (now !== undefined && expires !== null && Date.parse(expires) <= now)
    throw new VerificationRefused(`package refused: ${id} expired at ${expires}`, {
      reason: 'manifest.expired',
      hint: 'pack it again with a later --expires',
    });
  if (after !== undefined && sequence <= after)
    throw new VerificationRefused(`package refused: ${id} has an old sequence, ${sequence}: ${after} is there already`, {
      reason: 'manifest.sequence',
      hint: `pack it with --sequence ${after + 1}; the way down is \`windfleet model grant-rollback ${id} --to GROUP\``,
    });
  return { ...contents, signedBy };
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
      undefined,
      'network.digest',
    );
  return { manifest, network, golden: parseGolden(member(files, manifest.golden.file)) };
}

function member(files: Files, name: string): Uint8Array {
  const bytes = files.get(name);
  if (!bytes) throw new ModelRejected('package', `${name} is missing`, undefined, 'files.removed');
  return bytes;
}

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
