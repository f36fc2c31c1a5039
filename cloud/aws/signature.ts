/**
 * Verifies AWS Signature Version 4 in the `Authorization` header: who asks, and that neither head nor body was changed on the way.
 *
 * Order of checks: form → known key and token → expiry of the key → instant (±5 min) → signature.
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { Millis } from '../../actors/contracts/units.ts';
import { canonicalRequest, type RequestHead } from './canonical.ts';
import { AwsFailure } from './failure.ts';

/** What stands behind an access key; `C` is what the service calls its owner. */
export interface KeyHolder<C> {
  readonly secretAccessKey: string;
  /** Epoch milliseconds; null for never. */
  readonly expiresAt: Millis | null;
  readonly caller: C;
}

export interface CredentialScope {
  readonly accessKeyId: string;
  /** YYYYMMDD */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

export interface Authorization extends CredentialScope {
  readonly signedHeaders: readonly string[];
  /** 64 hexadecimal digits. */
  readonly signature: string;
}

export interface Verifier<C> {
  /** @throws AwsFailure as AWS answers it */
  verify(head: RequestHead, body: Uint8Array, authorization: Authorization): C;
}

const SKEW_MS = 5 * 60_000;
const KEYS_KEPT = 1_024;
const PREFIXES_KEPT = 1_024;
const EMPTY_SHA256 = hash('sha256', '', 'hex');

const CREDENTIAL = /^([^/,\s]{1,128})\/(\d{8})\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})\/aws4_request$/;

/** Reads `Authorization` headers. All but the signature is the same in a client's next request: what has been read is remembered. */
export function createAuthorizationReader(): (header: string | undefined) => Authorization {
  const known = new Map<string, Omit<Authorization, 'signature'>>(); // by all that stands before the signature, oldest first

  return (header) => {
    const at = header?.lastIndexOf(LAST_PART) ?? -1;
    if (header === undefined || at < 0) return parseAuthorization(header);
    const prefix = header.slice(0, at);
    const signature = header.slice(at + LAST_PART.length);
    const found = known.get(prefix);
    if (found && SIGNATURE.test(signature)) return { ...found, signature };
    const read = parseAuthorization(header);
    if (header.length <= LONGEST_KEPT) {
      known.set(prefix, read);
      if (known.size > PREFIXES_KEPT) known.delete(known.keys().next().value!);
    }
    return read;
  };
}

const LAST_PART = 'Signature=';
const SIGNATURE = /^[0-9a-f]{64}$/;
const LONGEST_KEPT = 2_048;

/** @throws AwsFailure IncompleteSignatureException, MissingAuthenticationTokenException */
export function parseAuthorization(header: string | undefined): Authorization {
  if (header === undefined || header === '') throw new AwsFailure('MissingAuthenticationTokenException', 'Missing Authentication Token');
  const [algorithm, rest] = [header.slice(0, header.indexOf(' ')), header.slice(header.indexOf(' ') + 1)];
  if (algorithm !== 'AWS4-HMAC-SHA256') throw incomplete('the algorithm must be AWS4-HMAC-SHA256');
  const parts = new Map(
    rest.split(',').map((part) => {
      const [name, ...value] = part.trim().split('=');
      return [name, value.join('=')] as const;
    }),
  );
  const credential = CREDENTIAL.exec(parts.get('Credential') ?? '');
  if (!credential) throw incomplete("it needs a 'Credential' of key/date/region/service/aws4_request");
  const signedHeaders = (parts.get('SignedHeaders') ?? '').split(';');
  if (signedHeaders.some((name) => !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name))) throw incomplete("it needs 'SignedHeaders' in lower case");
  if (!signedHeaders.includes('host')) throw incomplete("'host' must be a signed header");
  const signature = parts.get('Signature') ?? '';
  if (!SIGNATURE.test(signature)) throw incomplete("it needs a 'Signature' of 64 hexadecimal digits");
  const [, accessKeyId, date, region, service] = credential;
  return { accessKeyId, date, region, service, signedHeaders, signature };
}

const incomplete = (why: string) => new AwsFailure('IncompleteSignatureException', `Authorization header: ${why}`);

/** @param find null for a key that is not there, or comes with a session token that is not its own. @param now epoch milliseconds */
export function createVerifier<C>(
  find: (accessKeyId: string, sessionToken: string | null) => KeyHolder<C> | null,
  now: () => Millis,
): Verifier<C> {
  const keys = new Map<string, DerivedKey>(); // those that have proved right, oldest first

  return {
    verify(head, body, authorization) {
      const { accessKeyId, date, region, service, signedHeaders, signature } = authorization;
      const { headers } = head;
      const holder = find(accessKeyId, headers.get('x-amz-security-token') ?? null);
      if (!holder) throw new AwsFailure('UnrecognizedClientException', 'The security token included in the request is invalid.');
      if (holder.expiresAt !== null && holder.expiresAt <= now())
        throw new AwsFailure('ExpiredTokenException', 'The security token included in the request is expired');
      const amzDate = headers.get('x-amz-date') ?? '';
      checkInstant(amzDate, date, now());
      for (const name of headers.keys())
        if ((name.startsWith('x-amz-') || name === 'x-amzn-principal') && !signedHeaders.includes(name))
          throw wrong(`${name} is not signed`);
      for (const name of signedHeaders) if (!headers.has(name)) throw wrong(`there is no header ${name}`);

      const bodySha256 = body.length === 0 ? EMPTY_SHA256 : hash('sha256', body, 'hex');
      const claimed = headers.get('x-amz-content-sha256');
      if (claimed !== undefined && claimed !== bodySha256)
        throw wrong(/^[0-9a-f]{64}$/.test(claimed) ? 'x-amz-content-sha256 is not the digest of the body' : 'the body must be signed');

      const name = `${accessKeyId}/${date}/${region}/${service}`;
      const known = keys.get(name);
      const key = known && known.secret === holder.secretAccessKey ? known : derivedKey(holder.secretAccessKey, authorization);
      const hashed = hash('sha256', Buffer.from(canonicalRequest(head, signedHeaders, bodySha256), 'latin1'), 'hex');
      const text = `AWS4-HMAC-SHA256\n${amzDate}\n${date}/${region}/${service}/aws4_request\n${hashed}`;
      if (!timingSafeEqual(hmacSha256(key, text), Buffer.from(signature, 'hex')))
        throw wrong('check the secret access key and the signing method');
      if (known !== key) remember(name, key);
      return holder.caller;
    },
  };

  function remember(name: string, key: DerivedKey): void {
    keys.delete(name);
    keys.set(name, key);
    if (keys.size > KEYS_KEPT) keys.delete(keys.keys().next().value!);
  }
}

const wrong = (why: string) =>
  new AwsFailure('InvalidSignatureException', `The request signature we calculated does not match the signature you provided: ${why}.`);

function checkInstant(amzDate: string, scopeDate: string, now: Millis): void {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(amzDate);
  const at = match ? Date.UTC(+match[1], +match[2] - 1, +match[3], +match[4], +match[5], +match[6]) : Number.NaN;
  if (!match || Number.isNaN(at)) throw incomplete("the header 'x-amz-date' must be of the form 20260102T030405Z");
  if (!amzDate.startsWith(scopeDate)) throw wrong(`the scope is of ${scopeDate}, the request of ${amzDate}`);
  const text = (instant: Millis) => new Date(instant).toISOString().replace(/[-:]|\.\d+/g, '');
  if (at < now - SKEW_MS)
    throw new AwsFailure('InvalidSignatureException', `Signature expired: ${amzDate} is now earlier than ${text(now - SKEW_MS)}`);
  if (at > now + SKEW_MS)
    throw new AwsFailure('InvalidSignatureException', `Signature not yet current: ${amzDate} is still later than ${text(now + SKEW_MS)}`);
}

/** A signing key as HMAC takes it: a block of its bytes XOR 0x36, and one XOR 0x5c. */
interface DerivedKey {
  readonly secret: string;
  readonly inner: Buffer;
  readonly outer: Buffer;
}

/** kSigning = HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), "aws4_request") */
function derivedKey(secret: string, { date, region, service }: CredentialScope): DerivedKey {
  let key: Buffer | string = `AWS4${secret}`;
  for (const part of [date, region, service, 'aws4_request']) key = createHmac('sha256', key).update(part).digest();
  const block = Buffer.concat([key as Buffer, Buffer.alloc(HMAC_BLOCK - 32)]);
  return { secret, inner: block.map((byte) => byte ^ 0x36) as Buffer, outer: block.map((byte) => byte ^ 0x5c) as Buffer };
}

const HMAC_BLOCK = 64; // bytes, of SHA-256

/**
 * HMAC(key, text) = H(key ⊕ opad ‖ H(key ⊕ ipad ‖ text)), RFC 2104. Two digests in one call each: Node's `Hmac` is an object with a
 * native half to be made and collected, which costs more than its hashing when every request has one.
 */
function hmacSha256({ inner, outer }: DerivedKey, text: string): Uint8Array {
  const first = hash('sha256', Buffer.concat([inner, Buffer.from(text, 'latin1')]), 'buffer');
  return hash('sha256', Buffer.concat([outer, first]), 'buffer');
}
