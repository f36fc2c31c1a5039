/**
 * URLs that read one object for a while, in the manner of S3: who has one needs nothing else. The secret lives as long as the
 * process, so a restart ends them all, and a device describes its job again.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Millis } from '../../actors/contracts/units.ts';

export interface PresignedUrls {
  /** @param expiresInSec 60..3600 */
  presign(bucket: string, key: string, expiresInSec: number): string;
  /** Whether a request may read the object: its signature is ours, its time has not run out. */
  allows(bucket: string, key: string, query: Readonly<Record<string, unknown>>): boolean;
  /** Where the objects are served from now on, `http://127.0.0.1:7070`. */
  serveAt(base: string): void;
}

/** @param now epoch milliseconds */
export function presignedUrls(now: () => Millis, secret: Uint8Array = randomBytes(32)): PresignedUrls {
  let base = 'http://127.0.0.1'; // nobody serves them yet
  const sign = (bucket: string, key: string, from: string, expires: string) =>
    createHmac('sha256', secret)
      .update(JSON.stringify(['GET', bucket, key, from, expires]))
      .digest('hex');

  return {
    presign(bucket, key, expiresInSec) {
      const from = new Date(now()).toISOString().replace(/[-:]|\.\d+/g, '');
      const query = new URLSearchParams({
        'X-Amz-Date': from,
        'X-Amz-Expires': String(expiresInSec),
        'X-Amz-Signature': sign(bucket, key, from, String(expiresInSec)),
      });
      return `${base}/objects/${encodeURIComponent(bucket)}/${key.split('/').map(encodeURIComponent).join('/')}?${query}`;
    },
    allows(bucket, key, query) {
      const { 'X-Amz-Date': from, 'X-Amz-Expires': expires, 'X-Amz-Signature': signature } = query;
      if (typeof from !== 'string' || typeof expires !== 'string' || typeof signature !== 'string') return false;
      const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(from);
      if (!match || !/^\d{1,6}$/.test(expires)) return false;
      const [, year, month, day, hour, minute, second] = match;
      const end = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`) + Number(expires) * 1_000;
      const expected = Buffer.from(sign(bucket, key, from, expires));
      const given = Buffer.from(signature);
      return given.length === expected.length && timingSafeEqual(given, expected) && now() <= end;
    },
    serveAt(where) {
      base = where.replace(/\/$/, '');
    },
  };
}
