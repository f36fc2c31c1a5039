/**
 * Who asks: SigV4 in the header or the query (presigned), and the query form of SigV2 that boto3 makes for us-east-1 until today.
 * The path is escaped once, as S3 alone has it. The body is vouched for by `x-amz-content-sha256`, and checked as it goes by.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { Millis } from '../../../actors/contracts/units.ts';
import type { KeyHolder } from '../../aws/signature.ts';
import { checkExpiry, mismatch, S3Failure } from './failure.ts';
import { escapeAll, type S3Request, unescaped } from './request.ts';
import { signedV2 } from './signature-v2.ts';

/** What a verified request lets its body be checked by. */
export interface Signed<C> {
  readonly caller: C;
  /** Hex SHA-256, or one of the words for a body that is not signed as a whole. */
  readonly payload: string;
  /** What signs the chunks of a body, each on the one before. */
  readonly chain: { readonly key: Buffer; readonly date: string; readonly scope: string; readonly seed: string } | null;
}

export type FindKey<C> = (accessKeyId: string, sessionToken: string | null) => KeyHolder<C> | null;

const SKEW_MS = 15 * 60_000;
const KEYS_KEPT = 256;
const LONGEST_PRESIGNED_S = 604_800;
const CREDENTIAL = /^(.{1,128})\/(\d{8})\/([a-z0-9-]{1,64})\/s3\/aws4_request$/;
const UNSIGNED = 'UNSIGNED-PAYLOAD';

/** @param now epoch milliseconds of the clients' time. @throws S3Failure as S3 answers it */
export function verifier<C>(find: FindKey<C>, now: () => Millis): (request: S3Request) => Signed<C> {
  const holderOf = (accessKeyId: string, token: string | null): KeyHolder<C> => {
    const holder = find(accessKeyId, token);
    if (!holder && token !== null) throw new S3Failure('InvalidToken', 'The provided token is malformed or otherwise invalid.');
    if (!holder)
      throw new S3Failure('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', {
        members: { AWSAccessKeyId: accessKeyId },
      });
    if (holder.expiresAt !== null && holder.expiresAt <= now()) throw new S3Failure('ExpiredToken', 'The provided token has expired.');
    return holder;
  };

  const derived = new Map<string, Buffer>(); // signing keys, by all that they follow from, oldest first
  const keyOf = (secret: string, date: string, region: string): Buffer => {
    const name = `${date}/${region}/${secret}`;
    const known = derived.get(name) ?? signingKey(secret, date, region);
    derived.set(name, known);
    if (derived.size > KEYS_KEPT) derived.delete(derived.keys().next().value!);
    return known;
  };

  return (request) => {
    const { headers, query } = request;
    if (query.has('Signature')) {
      const holder = holderOf(query.get('AWSAccessKeyId') ?? '', query.get('x-amz-security-token') ?? null);
      signedV2(request, holder.secretAccessKey, now());
      return { caller: holder.caller, payload: headers.get('x-amz-content-sha256') ?? UNSIGNED, chain: null };
    }
    const isPresigned = query.has('X-Amz-Signature') || query.has('X-Amz-Algorithm');
    const { credential, signedHeaders, signature } = isPresigned ? inQuery(query) : inHeader(headers.get('authorization'));
    const [, accessKeyId, date, region] = credential;
    const holder = holderOf(accessKeyId, (isPresigned ? query.get('X-Amz-Security-Token') : headers.get('x-amz-security-token')) ?? null);
    const instant = isPresigned ? presignedInstant(query, now()) : headerInstant(headers, now());
    if (!instant.startsWith(date)) throw malformed(isPresigned, `the credential is of ${date}, the request of ${instant}`);
    const payload = headers.get('x-amz-content-sha256') ?? query.get('X-Amz-Content-Sha256') ?? (isPresigned ? UNSIGNED : null);
    if (payload === null) throw new S3Failure('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
    const unsigned = [...headers.keys()].filter((name) => name.startsWith('x-amz-') && !signedHeaders.includes(name));
    if (unsigned.length > 0)
      throw new S3Failure('AccessDenied', 'There were headers present in the request which were not signed', {
        members: { HeadersNotSigned: unsigned.join(', ') },
      });

    const scope = `${date}/${region}/s3/aws4_request`;
    const canonical = canonicalRequest(request, signedHeaders, payload);
    const hashed = createHash('sha256').update(canonical, 'latin1').digest('hex');
    const key = keyOf(holder.secretAccessKey, date, region);
    const expected = createHmac('sha256', key).update(`AWS4-HMAC-SHA256\n${instant}\n${scope}\n${hashed}`).digest();
    if (!timingSafeEqual(expected, Buffer.from(signature, 'hex'))) throw mismatch();
    return { caller: holder.caller, payload, chain: { key, date: instant, scope, seed: signature } };
  };
}

interface Claim {
  readonly credential: RegExpExecArray;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

function inHeader(header: string | undefined): Claim {
  if (header === undefined) throw new S3Failure('AccessDenied', 'Access Denied');
  if (!header.startsWith('AWS4-HMAC-SHA256'))
    throw new S3Failure('InvalidRequest', 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.');
  const parts = new Map(
    header
      .slice('AWS4-HMAC-SHA256'.length)
      .split(',')
      .map((part) => {
        const at = part.indexOf('=');
        return [part.slice(0, at).trim(), part.slice(at + 1).trim()] as const;
      }),
  );
  return claim(parts.get('Credential'), parts.get('SignedHeaders'), parts.get('Signature'), false);
}

function inQuery(query: ReadonlyMap<string, string>): Claim {
  if (query.get('X-Amz-Algorithm') !== 'AWS4-HMAC-SHA256') throw malformed(true, 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"');
  return claim(query.get('X-Amz-Credential'), query.get('X-Amz-SignedHeaders'), query.get('X-Amz-Signature'), true);
}

function claim(credential = '', signedHeaders = '', signature = '', isPresigned: boolean): Claim {
  const match = CREDENTIAL.exec(credential);
  if (!match) throw malformed(isPresigned, 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/s3/aws4_request"');
  const names = signedHeaders.split(';');
  if (!names.includes('host') || names.some((name) => !/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)))
    throw malformed(isPresigned, 'SignedHeaders must name host, in lower case');
  if (!/^[0-9a-f]{64}$/.test(signature)) throw mismatch();
  return { credential: match, signedHeaders: names, signature };
}

const malformed = (isPresigned: boolean, why: string) =>
  isPresigned
    ? new S3Failure('AuthorizationQueryParametersError', `Error parsing the query of the presigned URL: ${why}`)
    : new S3Failure('AuthorizationHeaderMalformed', `The authorization header is malformed: ${why}`);

function headerInstant(headers: ReadonlyMap<string, string>, now: Millis): string {
  const given = headers.get('x-amz-date');
  const date = Date.parse(headers.get('date') ?? '');
  const text = given ?? (Number.isNaN(date) ? '' : textOf(date));
  const at = instantOf(text);
  if (at === null) throw new S3Failure('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  if (Math.abs(at - now) > SKEW_MS)
    throw new S3Failure('RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.', {
      members: { RequestTime: text, ServerTime: new Date(now).toISOString(), MaxAllowedSkewMilliseconds: String(SKEW_MS) },
    });
  return text;
}

function presignedInstant(query: ReadonlyMap<string, string>, now: Millis): string {
  const text = query.get('X-Amz-Date') ?? '';
  const at = instantOf(text);
  if (at === null) throw malformed(true, "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"");
  const expires = query.get('X-Amz-Expires') ?? '';
  if (!/^\d{1,10}$/.test(expires)) throw malformed(true, 'X-Amz-Expires should be a number');
  if (Number(expires) < 1 || Number(expires) > LONGEST_PRESIGNED_S)
    throw malformed(true, `X-Amz-Expires must be 1 to ${LONGEST_PRESIGNED_S} seconds`);
  if (at > now + SKEW_MS) throw new S3Failure('AccessDenied', 'Request is not yet valid');
  checkExpiry(at + Number(expires) * 1_000, now);
  return text;
}

/** Of `20260102T030405Z`; null for any other text. */
function instantOf(text: string): Millis | null {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match) return null;
  const at = Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`);
  return Number.isNaN(at) ? null : at;
}

export const textOf = (instant: Millis): string => new Date(instant).toISOString().replace(/[-:]|\.\d+/g, '');

/** Text whose Latin-1 bytes are hashed. The signature itself is no part of a presigned query. */
export function canonicalRequest(
  { method, path, pairs, headers }: Pick<S3Request, 'method' | 'path' | 'pairs' | 'headers'>,
  signedHeaders: readonly string[],
  payload: string,
): string {
  const query = pairs
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [escapeAll(name), escapeAll(value)])
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  let lines = '';
  for (const name of signedHeaders) lines += `${name}:${(headers.get(name) ?? '').trim().replace(/\s+/g, ' ')}\n`;
  return `${method}\n${canonicalPath(path)}\n${query}\n${lines}\n${signedHeaders.join(';')}\n${payload}`;
}

const canonicalPath = (path: string) =>
  /^[A-Za-z0-9_.~/-]*$/.test(path)
    ? path
    : path
        .split('/')
        .map((segment) => escapeAll(unescaped(segment)))
        .join('/');

/** kSigning = HMAC(HMAC(HMAC(HMAC("AWS4" + secret, date), region), "s3"), "aws4_request") */
export function signingKey(secret: string, date: string, region: string): Buffer {
  let key: Buffer | string = `AWS4${secret}`;
  for (const part of [date, region, 's3', 'aws4_request']) key = createHmac('sha256', key).update(part).digest();
  return key as Buffer;
}
