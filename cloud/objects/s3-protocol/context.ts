/** What an operation of S3 is given, and what it gives back. */
import type { Millis } from '../../../actors/contracts/units.ts';
import type { Principal } from '../../things/ports.ts';
import type { Algorithm, HeldObjects } from '../held.ts';
import type { Summing } from './checksums.ts';
import { S3Failure } from './failure.ts';
import type { S3Request } from './request.ts';
import type { Signed } from './signature.ts';
import type { Uploads } from './uploads.ts';

export interface S3Services {
  readonly objects: HeldObjects;
  readonly uploads: Uploads;
  readonly region: string;
  /** Epoch milliseconds. */
  readonly now: () => Millis;
}

export interface Context extends S3Services {
  readonly request: S3Request;
  readonly signed: Signed<Principal>;
  readonly sums: (algorithm: Algorithm) => Summing;
}

/** Of an operation on a bucket, on a key. */
export interface BucketContext extends Context {
  readonly bucket: string;
}
export interface KeyContext extends BucketContext {
  readonly key: string;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Text is XML. A stream needs its `content-length` among the headers. */
  readonly body?: string | AsyncIterable<Uint8Array>;
}

export const quoted = (etag: string) => `"${etag}"`;
export const httpDate = (instant: Millis) => new Date(instant).toUTCString();
export const isoDate = (instant: Millis) => new Date(instant).toISOString();

/** @throws S3Failure NoSuchBucket */
export async function checkBucketIsThere({ objects, bucket }: BucketContext): Promise<void> {
  if (await objects.hasBucket(bucket)) return;
  throw new S3Failure('NoSuchBucket', 'The specified bucket does not exist', { members: { BucketName: bucket } });
}

/** A whole number of the query. @throws S3Failure InvalidArgument */
export function queryNumber({ query }: S3Request, name: string, byDefault: number): number {
  const text = query.get(name);
  if (text === undefined || text === '') return byDefault;
  if (!/^\d{1,9}$/.test(text)) throw new S3Failure('InvalidArgument', `Provided ${name} not an integer or within integer range`);
  return Number(text);
}

/** How keys are written in an answer: as they are, or escaped when `encoding-type=url` asks for it. @throws S3Failure InvalidArgument */
export function keyWriter({ query }: S3Request): (key: string) => string {
  const type = query.get('encoding-type');
  if (type === undefined || type === '') return (key) => key;
  if (type !== 'url') throw new S3Failure('InvalidArgument', 'Invalid Encoding Method specified in Request');
  return (key) =>
    encodeURIComponent(key).replace(/[!'()]|%2F/g, (found) =>
      found === '%2F' ? '/' : `%${found.charCodeAt(0).toString(16).toUpperCase()}`,
    );
}
