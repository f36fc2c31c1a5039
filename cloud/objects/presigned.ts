/**
 * URLs that read one object for a while, as S3 presigns them: who has one needs nothing else. Made with keys that are at hand, since a
 * job's document is made while it is read.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Millis } from '../../actors/contracts/units.ts';
import { escapeAll } from './s3-protocol/request.ts';
import { canonicalRequest, signingKey, textOf } from './s3-protocol/signature.ts';

export interface PresignedUrls {
  /** @param expiresInSec 1..604800 */
  presign(bucket: string, key: string, expiresInSec: number): string;
  /** Where the objects are served from now on, `http://127.0.0.1:7070`. */
  serveAt(base: string): void;
}

export interface SigningKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface PresignParts {
  /** Epoch milliseconds of whoever verifies. */
  readonly now: () => Millis;
  readonly keys: () => SigningKeys;
  readonly region: string;
  /** Absent: nobody serves them yet. */
  readonly base?: string;
}

export function presignedUrls({ now, keys, region, base = 'http://127.0.0.1' }: PresignParts): PresignedUrls {
  let served = base;
  return {
    presign(bucket, key, expiresInSec) {
      const { accessKeyId, secretAccessKey, sessionToken } = keys();
      const at = textOf(now());
      const date = at.slice(0, 8);
      const scope = `${date}/${region}/s3/aws4_request`;
      const path = `/${bucket}/${key.split('/').map(escapeAll).join('/')}`;
      const pairs: (readonly [string, string])[] = [
        ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
        ['X-Amz-Credential', `${accessKeyId}/${scope}`],
        ['X-Amz-Date', at],
        ['X-Amz-Expires', String(expiresInSec)],
        ...(sessionToken === undefined ? [] : [['X-Amz-Security-Token', sessionToken] as const]),
        ['X-Amz-SignedHeaders', 'host'],
      ];
      const headers = new Map([['host', new URL(served).host]]);
      const canonical = canonicalRequest({ method: 'GET', path, pairs, headers }, ['host'], 'UNSIGNED-PAYLOAD');
      const text = `AWS4-HMAC-SHA256\n${at}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`;
      const signature = createHmac('sha256', signingKey(secretAccessKey, date, region))
        .update(text)
        .digest('hex');
      const query = [...pairs, ['X-Amz-Signature', signature] as const].map(([name, value]) => `${name}=${escapeAll(value)}`).join('&');
      return `${served}${path}?${query}`;
    },
    serveAt(where) {
      served = where.replace(/\/$/, '');
    },
  };
}
