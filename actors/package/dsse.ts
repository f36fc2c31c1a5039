/**
 * Signatures of packages: a DSSE envelope (Ed25519) around an in-toto statement after OpenSSF Model Signing v1.0, which names
 * every file by its SHA-256.
 *
 *   signed bytes = PAE(type, body) = "DSSEv1" SP len(type) SP type SP len(body) SP body       (DSSE protocol 1.0)
 */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { VerificationRefused } from '../contracts/errors.ts';
import { sha256Hex } from './digest.ts';
import type { Files } from './tar.ts';

export const SIGNATURE_FILE = 'signature.json';
const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const STATEMENT = 'https://in-toto.io/Statement/v1';
const PREDICATE = 'https://model_signing/signature/v1.0';

const Envelope = z.object({
  payloadType: z.literal(PAYLOAD_TYPE),
  payload: z.base64(),
  signatures: z
    .array(z.object({ keyid: z.string(), sig: z.base64() }))
    .min(1)
    .max(16),
});

const Statement = z.object({
  _type: z.literal(STATEMENT),
  predicateType: z.literal(PREDICATE),
  predicate: z.object({ resources: z.array(z.object({ name: z.string(), algorithm: z.literal('sha256'), digest: z.string() })) }),
});

/** Hex SHA-256 of a public key's DER form: how a key is named. */
export function keyId(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return sha256Hex(publicKey.export({ type: 'spki', format: 'der' }));
}

/** The envelope over all files, as the bytes of `signature.json`. */
export function signFiles(files: Files, subject: string, privateKey: KeyObject): Uint8Array {
  const resources = [...files]
    .map(([name, bytes]) => ({ name, algorithm: 'sha256', digest: sha256Hex(bytes) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const root = sha256Hex(resources.map(({ digest }) => digest).join(''));
  const statement = {
    _type: STATEMENT,
    subject: [{ name: subject, digest: { sha256: root } }],
    predicateType: PREDICATE,
    predicate: { serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false }, resources },
  };
  const body = Buffer.from(JSON.stringify(statement));
  const sig = sign(null, preAuthEncoding(body), privateKey).toString('base64');
  return Buffer.from(
    JSON.stringify({ payloadType: PAYLOAD_TYPE, payload: body.toString('base64'), signatures: [{ keyid: keyId(privateKey), sig }] }),
  );
}

/**
 * Holds when a trusted key signed exactly these files. @param files all of the package, its signature too
 * @throws VerificationRefused naming the first thing wrong.
 */
export function verifyFiles(files: Files, trustedKeys: readonly KeyObject[]): void {
  const signature = files.get(SIGNATURE_FILE);
  if (!signature) throw refused('it is not signed', 'sign it with `windfleet model pack`');
  const envelope = parse(Envelope, signature, SIGNATURE_FILE);
  const body = Buffer.from(envelope.payload, 'base64');
  const signed = preAuthEncoding(body);
  const isTrusted = envelope.signatures.some(({ sig }) => trustedKeys.some((key) => verify(null, signed, key, Buffer.from(sig, 'base64'))));
  if (!isTrusted) {
    const by = envelope.signatures.map(({ keyid }) => keyid.slice(0, 12)).join(', ');
    const known = envelope.signatures.some(({ keyid }) => trustedKeys.some((key) => keyId(key) === keyid));
    throw refused(
      known ? `the signature of key ${by} does not fit` : `signed by ${by}, which is no trusted key`,
      'publish it from the data folder whose key the device trusts',
    );
  }
  const { resources } = parse(Statement, body, 'the signed statement').predicate;
  const listed = new Set(resources.map(({ name }) => name));
  for (const name of files.keys())
    if (name !== SIGNATURE_FILE && !listed.has(name)) throw refused(`${name} is not in the signed statement`);
  for (const { name, digest } of resources) {
    const bytes = files.get(name);
    if (!bytes) throw refused(`${name} is signed but missing`);
    if (sha256Hex(bytes) !== digest) throw refused(`${name} is not the file that was signed`);
  }
}

function preAuthEncoding(body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`DSSEv1 ${PAYLOAD_TYPE.length} ${PAYLOAD_TYPE} ${body.length} `), body]);
}

function parse<T>(schema: z.ZodType<T>, bytes: Uint8Array, what: string): T {
  let raw: unknown = null;
  try {
    raw = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw refused(`${what} is no JSON`);
  }
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw refused(`${what} is malformed: ${z.prettifyError(parsed.error)}`);
}

const refused = (why: string, hint?: string) => new VerificationRefused(`package refused: ${why}`, hint === undefined ? {} : { hint });
