/**
 * Signature Version 2 in the query: what boto3 presigns with by default for us-east-1.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html#RESTAuthenticationQueryStringAuth
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Millis } from '../../../actors/contracts/units.ts';
import { checkExpiry, mismatch, S3Failure } from './failure.ts';
import type { S3Request } from './request.ts';

/** Parameters that are signed; the others are not. */
const SIGNED = new Set([
  ...['acl', 'cors', 'delete', 'lifecycle', 'location', 'logging', 'notification', 'partNumber', 'policy', 'requestPayment', 'tagging'],
  ...['torrent', 'uploadId', 'uploads', 'versionId', 'versioning', 'versions', 'website', 'response-cache-control'],
  ...[
    'response-content-disposition',
    'response-content-encoding',
    'response-content-language',
    'response-content-type',
    'response-expires',
  ],
]);

/** @throws S3Failure AccessDenied when it is too late, SignatureDoesNotMatch */
export function signedV2({ method, path, pairs, query, headers }: S3Request, secretAccessKey: string, now: Millis): void {
  const expires = query.get('Expires') ?? '';
  if (!/^\d{1,12}$/.test(expires)) throw new S3Failure('AccessDenied', 'Query-string authentication requires Expires in epoch seconds');
  checkExpiry(Number(expires) * 1_000, now);
  const token = query.get('x-amz-security-token');
  const amz = [...headers, ...(token === undefined ? [] : [['x-amz-security-token', token] as const])]
    .filter(([name]) => name.startsWith('x-amz-'))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}:${value.trim()}\n`)
    .join('');
  const resources = pairs
    .filter(([name]) => SIGNED.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => (value === '' ? name : `${name}=${value}`))
    .join('&');
  const text = [
    method,
    headers.get('content-md5') ?? '',
    headers.get('content-type') ?? '',
    expires,
    `${amz}${path}${resources === '' ? '' : `?${resources}`}`,
  ].join('\n');
  const expected = createHmac('sha1', secretAccessKey).update(text).digest();
  const given = Buffer.from(query.get('Signature') ?? '', 'base64');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw mismatch();
}
