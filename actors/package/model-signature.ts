/**
 * Signatures of packages: a DSSE envelope around an in-toto Statement v1 with the predicate of OpenSSF Model Signing v1.0, which
 * names every file by its SHA-256. The specification wraps the envelope in a Sigstore bundle; `signature.json` is the envelope alone.
 */
import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { VerificationRefused } from '../contracts/errors.ts';
import type { UpdateCode } from '../contracts/update-codes.ts';
import { sha256Hex } from './digest.ts';
import { openEnvelope, sealEnvelope } from './dsse.ts';
import { parseJson } from './json.ts';
import type { Files } from './tar.ts';

export const SIGNATURE_FILE = 'signature.json';
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const STATEMENT = 'https://in-toto.io/Statement/v1';
const PREDICATE = 'https://model_signing/signature/v1.0';
const MAX_BYTES = 4 * 2 ** 20;

const Statement = z.object({
  _type: z.literal(STATEMENT),
  predicateType: z.literal(PREDICATE),
  predicate: z.object({
    serialization: z.object({ method: z.literal('files'), hash_type: z.literal('sha256') }),
    resources: z.array(z.object({ name: z.string(), algorithm: z.literal('sha256'), digest: z.string() })).min(1),
  }),
});

/** The envelope over all files, as the bytes of `signature.json`. */
export function signFiles(files: Files, subject: string, privateKey: KeyObject): Uint8Array {
  const resources = [...files]
    .map(([name, bytes]) => ({ name, algorithm: 'sha256', digest: sha256Hex(bytes) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  // OMS §6.5.1: over the digests' bytes, in the order of the names.
  const root = sha256Hex(Buffer.concat(resources.map(({ digest }) => Buffer.from(digest, 'hex'))));
  const statement = {
    _type: STATEMENT,
    subject: [{ name: subject, digest: { sha256: root } }],
    predicateType: PREDICATE,
    predicate: {
      serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false, ignore_paths: [SIGNATURE_FILE] },
      resources,
    },
  };
  return sealEnvelope(PAYLOAD_TYPE, Buffer.from(JSON.stringify(statement)), privateKey);
}

/**
 * Holds when a trusted key signed exactly these files. @param files all of the package, its signature too
 * @returns the id of the key that signed
 * @throws VerificationRefused naming the first thing wrong.
 */
export function verifyFiles(files: Files, trustedKeys: readonly KeyObject[]): string {
  const signature = files.get(SIGNATURE_FILE);
  if (!signature)
    throw refused('signature.missing', `it is not signed: ${SIGNATURE_FILE} is missing`, 'sign it with `windfleet model pack`');
  const { body, signedBy } = openEnvelope(signature, PAYLOAD_TYPE, trustedKeys, { what: 'package', file: SIGNATURE_FILE });
  const { resources } = parseJson(Statement, body, MAX_BYTES, (why) =>
    refused('signature.malformed', `the signed statement ${why}`),
  ).predicate;
  const digests = new Map(resources.map(({ name, digest }) => [name, digest]));
  if (digests.size !== resources.length) throw refused('signature.malformed', 'the signed statement names a file twice');
  if (digests.has(SIGNATURE_FILE))
    throw refused('signature.malformed', `the signed statement names ${SIGNATURE_FILE}, which cannot be signed by itself`);

  const missing = resources.filter(({ name }) => !files.has(name));
  for (const [name, bytes] of files) {
    if (name === SIGNATURE_FILE || digests.has(name)) continue;
    const digest = sha256Hex(bytes);
    const before = missing.find((one) => one.digest === digest);
    throw before
      ? refused('files.renamed', `${plain(name)} is ${before.name} renamed: it was signed under that name`)
      : refused('files.added', `${plain(name)} is not in the signed statement: it was added after signing`);
  }
  if (missing.length > 0) throw refused('files.removed', `${missing[0].name} is signed but missing: it was removed`);
  for (const [name, digest] of digests)
    if (sha256Hex(files.get(name)!) !== digest)
      throw refused('files.changed', `${name} is not the file that was signed: its SHA-256 differs`);
  return signedBy;
}

/** A name that no signature vouches for. */
const plain = (name: string): string => (/^[\w./-]+$/.test(name) ? name : JSON.stringify(name));

const refused = (reason: UpdateCode, why: string, hint?: string) =>
  new VerificationRefused(`package refused: ${why}`, { reason, ...(hint === undefined ? {} : { hint }) });
