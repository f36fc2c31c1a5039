/**
 * DSSE envelopes (protocol 1.0) with Ed25519: what is signed is the type and the bytes, never a re-encoding of them.
 *
 *   signed bytes = PAE(type, body) = "DSSEv1" SP len(type) SP type SP len(body) SP body
 */
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { z } from 'zod';
import { VerificationRefused } from '../contracts/errors.ts';
import type { UpdateCode } from '../contracts/update-codes.ts';
import { sha256Hex } from './digest.ts';
import { parseJson } from './json.ts';

/** Strict: a byte that has been changed is found wherever it is. */
const Envelope = z.strictObject({
  payloadType: z.string(),
  payload: z.base64(),
  signatures: z
    .array(z.strictObject({ keyid: z.string().max(200).nullish(), sig: z.base64() })) // keyid is optional in DSSE
    .min(1)
    .max(16),
});

const MAX_BYTES = 4 * 2 ** 20;
const ED25519_SPKI = Buffer.from('302a300506032b6570032100', 'hex'); // RFC 8410: what comes before the 32 bytes of a public key

/** Hex SHA-256 of a public key's DER form: how a key is named. */
export function keyId(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  if (publicKey.asymmetricKeyType !== 'ed25519') return sha256Hex(publicKey.export({ type: 'spki', format: 'der' }));
  // the same bytes: OpenSSL takes as long to write them as to check half a signature
  return sha256Hex(Buffer.concat([ED25519_SPKI, Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url')]));
}

/** The bytes of an envelope around `body`, signed. */
export function sealEnvelope(payloadType: string, body: Uint8Array, privateKey: KeyObject): Uint8Array {
  const sig = sign(null, preAuthEncoding(payloadType, body), privateKey).toString('base64');
  const payload = Buffer.from(body).toString('base64');
  return Buffer.from(JSON.stringify({ payloadType, payload, signatures: [{ keyid: keyId(privateKey), sig }] }));
}

export interface OpenedEnvelope {
  readonly body: Uint8Array;
  /** Id of the trusted key that signed it. */
  readonly signedBy: string;
}

/**
 * What a trusted key has signed.
 * @param what its name in errors: `package`, `rollback grant`
 * @throws VerificationRefused
 */
export function openEnvelope(
  bytes: Uint8Array,
  payloadType: string,
  trustedKeys: readonly KeyObject[],
  { what, file }: { readonly what: string; readonly file: string },
): OpenedEnvelope {
  const refused = (reason: UpdateCode, why: string, hint?: string) =>
    new VerificationRefused(`${what} refused: ${why}`, { reason, ...(hint === undefined ? {} : { hint }) });
  const envelope = parseJson(Envelope, bytes, MAX_BYTES, (why) => refused('signature.malformed', `${file} ${why}`));
  if (envelope.payloadType !== payloadType)
    throw refused('signature.malformed', `${file} holds ${JSON.stringify(envelope.payloadType)}, not ${payloadType}`);
  for (const text of [envelope.payload, ...envelope.signatures.map(({ sig }) => sig)])
    if (Buffer.from(text, 'base64').toString('base64') !== text)
      throw refused('signature.malformed', `${file} holds base64 that nobody writes so: a byte was changed`);

  const body = Buffer.from(envelope.payload, 'base64');
  const signed = preAuthEncoding(payloadType, body);
  const keys = trustedKeys.filter(({ asymmetricKeyType }) => asymmetricKeyType === 'ed25519');
  for (const { keyid, sig } of envelope.signatures) {
    const key = keys.find((trusted) => verify(null, signed, trusted, Buffer.from(sig, 'base64')));
    if (!key) continue;
    const signedBy = keyId(key);
    if (keyid && keyid !== signedBy)
      throw refused('signature.broken', `${file} names key ${short(keyid)}, and it is ${short(signedBy)} that signed`);
    return { body, signedBy };
  }
  const ids = envelope.signatures.map(({ keyid }) => keyid ?? '');
  const by = ids.map((id) => (id === '' ? 'a key without a name' : short(id))).join(', ');
  throw keys.some((key) => ids.includes(keyId(key)))
    ? refused('signature.broken', `the signature of key ${by} does not fit: it, or what it signs, was changed`)
    : refused(
        'signature.untrusted',
        `it is signed by ${by}, which is no trusted key`,
        keys.length === 0
          ? 'no key is trusted here: `windfleet keys init` makes one, keys/trusted/*.pem adds others’'
          : `trusted: ${keys.map((key) => short(keyId(key))).join(', ')}; another’s public key is trusted once it lies in keys/trusted`,
      );
}

/** So many digits of a key's id as tell it from another, and nothing that a terminal would obey. */
const short = (id: string): string => id.replace(/[^\x21-\x7e]/g, '?').slice(0, 12);

function preAuthEncoding(payloadType: string, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${body.length} `), body]);
}
