/** What may be a bucket and a key, and the order of keys: by their bytes in UTF-8, which is not that of JavaScript's strings. */
import { ObjectRefused } from '../../actors/contracts/errors.ts';

const LONGEST_KEY = 1_024;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

export const isBucketName = (bucket: string): boolean =>
  BUCKET.test(bucket) && !bucket.includes('..') && !/^\d+\.\d+\.\d+\.\d+$/.test(bucket);

/** @throws ObjectRefused InvalidBucketName */
export function checkBucket(bucket: string): void {
  if (!isBucketName(bucket))
    throw new ObjectRefused('InvalidBucketName', `${JSON.stringify(bucket.slice(0, 80))} is no bucket name`, {
      hint: '3 to 63 of a-z, 0-9, - and ., with a letter or digit at both ends',
    });
}

/** Dot segments are letters like any others: `../x` is a name, and leads nowhere. @throws ObjectRefused KeyTooLongError, InvalidURI, InvalidArgument */
export function checkKey(key: string): void {
  if (key === '') throw new ObjectRefused('InvalidArgument', 'an object key has at least one byte');
  const bytes = Buffer.byteLength(key);
  if (bytes > LONGEST_KEY) throw new ObjectRefused('KeyTooLongError', `Your key is too long: ${bytes} of at most ${LONGEST_KEY} bytes`);
  if (key.includes('\0')) throw new ObjectRefused('InvalidArgument', 'an object key has no NUL');
  if (/\p{Cs}/u.test(key)) throw new ObjectRefused('InvalidURI', 'an object key is Unicode: it has half a surrogate pair');
}

/** Order of UTF-8 bytes: pairs of surrogates come after all that is written with one unit. */
export function byBytes(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

const rank = (unit: number) => (unit >= 0xe000 ? unit - 0x800 : unit >= 0xd800 ? unit + 0x2000 : unit);
