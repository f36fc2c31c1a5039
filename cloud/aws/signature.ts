/**
 * Verifies AWS Signature Version 4 in the `Authorization` header: who asks, and that neither head nor body was changed on the way.
 *
 * Order of checks: form → known key and token → expiry of the key → instant (±5 min) → signature.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
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
const EMPTY_SHA256 = createHash('sha256').digest('hex');

const CREDENTIAL = /^([^/,\s]{1,128})\/(\d{8})\/([a-z0-9-]{1,64})\/([a-z0-9-]{1,64})\/aws4_request$/;

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
  if (!/^[0-9a-f]{64}$/.test(signature)) throw incomplete("it needs a 'Signature' of 64 hexadecimal digits");
  const [, accessKeyId, date, region, service] = credential;
  return { accessKeyId, date, region, service, signedHeaders, signature };
}

const incomplete = (why: string) => new AwsFailure('IncompleteSignatureException', `Authorization header: ${why}`);

/** @param find null for a key that is not there, or comes with a session token that is not its own. @param now epoch milliseconds */
export function createVerifier<C>(
  find: (accessKeyId: string, sessionToken: string | null) => KeyHolder<C> | null,
  now: () => Millis,
): Verifier<C> {
  const keys = new Map<string, { readonly secret: string; readonly key: Buffer }>(); // derived keys that have proved right, oldest first

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

      const bodySha256 = body.length === 0 ? EMPTY_SHA256 : createHash('sha256').update(body).digest('hex');
      const claimed = headers.get('x-amz-content-sha256');
      if (claimed !== undefined && claimed !== bodySha256)
        throw wrong(/^[0-9a-f]{64}$/.test(claimed) ? 'x-amz-content-sha256 is not the digest of the body' : 'the body must be signed');

      const name = `${accessKeyId}/${date}/${region}/${service}`;
      const known = keys.get(name);
      const key = known && known.secret === holder.secretAccessKey ? known.key : signingKey(holder.secretAccessKey, authorization);
      const hashed = createHash('sha256')
        .update(canonicalRequest(head, signedHeaders, bodySha256), 'latin1')
        .digest('hex');
      const text = `AWS4-HMAC-SHA256\n${amzDate}\n${date}/${region}/${service}/aws4_request\n${hashed}`;
      if (!timingSafeEqual(createHmac('sha256', key).update(text).digest(), Buffer.from(signature, 'hex')))
        throw wrong('check the secret access key and the signing method');
      if (!known || known.key !== key) remember(name, holder.secretAccessKey, key);
      return holder.caller;
    },
  };

  function remember(name: string, secret: string, key: Buffer): void {
    keys.delete(name);
    keys.set(name, { secret, key });
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

/** kSigning = HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), service), "aws4_request") */
function signingKey(secret: string, { date, region, service }: CredentialScope): Buffer {
  let key: Buffer | string = `AWS4${secret}`;
  for (const part of [date, region, service, 'aws4_request']) key = createHmac('sha256', key).update(part).digest();
  return key as Buffer;
}
