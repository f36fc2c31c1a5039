/** Objects in memory, for virtual time. */
import { NotFound, ObjectRefused } from '../../actors/contracts/errors.ts';
import type { ObjectEntry } from '../../actors/contracts/objects.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { bytesOf, digesting } from './digesting.ts';
import type { HeldHead, HeldObjects, OpenObject } from './held.ts';
import { byBytes, checkBucket, checkKey } from './names.ts';
import { MOST_IN_PAGE, pageOf } from './page.ts';
import { checkConditions } from './conditions.ts';

const CHUNK = 64 * 1024;

interface Bucket {
  readonly createdAt: Millis;
  readonly objects: Map<string, { readonly head: HeldHead; readonly bytes: Uint8Array }>;
}

/** @param now epoch milliseconds; absent: nothing has a date */
export function memoryObjects(now: () => Millis = () => 0): HeldObjects {
  const buckets = new Map<string, Bucket>();
  const made = (name: string): Bucket => {
    const bucket = buckets.get(name) ?? { createdAt: now(), objects: new Map() };
    buckets.set(name, bucket);
    return bucket;
  };
  const find = (bucket: string, key: string) => {
    checkBucket(bucket);
    checkKey(key);
    return buckets.get(bucket)?.objects.get(key) ?? null;
  };
  const open = (bucket: string, key: string): OpenObject | null => {
    const object = find(bucket, key);
    return (
      object && {
        head: object.head,
        async *bytes({ from = 0, to = object.bytes.length, signal } = {}) {
          const end = Math.min(to, object.bytes.length);
          for (let at = from; at < end; at += CHUNK) {
            signal?.throwIfAborted();
            yield object.bytes.slice(at, Math.min(at + CHUNK, end));
          }
        },
        close: async () => {},
      }
    );
  };

  return {
    async put(bucket, key, body, options = {}) {
      find(bucket, key);
      const digests = digesting();
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytesOf(body)) {
        digests.update(chunk);
        chunks.push(chunk);
      }
      const ended = digests.end();
      const { bytes, md5, sha256 } = ended;
      const sealed = options.seal?.(ended);
      checkConditions(key, find(bucket, key)?.head ?? null, options);
      const head: HeldHead = {
        bucket,
        key,
        bytes,
        sha256,
        etag: sealed?.etag ?? md5,
        modifiedAt: now(),
        contentType: options.contentType ?? null,
        metadata: options.metadata ?? {},
        headers: options.headers ?? {},
        checksum: sealed?.checksum ?? null,
      };
      made(bucket).objects.set(key, { head, bytes: Uint8Array.from(Buffer.concat(chunks)) }); // no Buffer: its slices would be views of what is kept
      return head;
    },
    head: async (bucket, key) => find(bucket, key)?.head ?? null,
    open: async (bucket, key) => open(bucket, key),
    async *get(bucket, key, options) {
      const object = open(bucket, key);
      if (!object) throw new NotFound(`there is no object ${key} in ${bucket}`);
      yield* object.bytes(options);
    },
    async page(bucket, options = {}) {
      const objects = buckets.get(bucket)?.objects ?? new Map();
      const { keys, prefixes, next } = pageOf(objects.keys(), { ...options, limit: Math.min(options.limit ?? MOST_IN_PAGE, MOST_IN_PAGE) });
      return { objects: keys.map((key): ObjectEntry => objects.get(key).head), prefixes, next };
    },
    list: async (bucket, prefix = '') =>
      [...(buckets.get(bucket)?.objects.values() ?? [])]
        .map(({ head }) => head)
        .filter(({ key }) => key.startsWith(prefix))
        .sort((a, b) => byBytes(a.key, b.key)),
    async delete(bucket, key) {
      find(bucket, key);
      buckets.get(bucket)?.objects.delete(key);
    },
    hasBucket: async (bucket) => buckets.has(bucket),
    buckets: async () => [...buckets].map(([name, { createdAt }]) => ({ name, createdAt })).sort((a, b) => (a.name < b.name ? -1 : 1)),
    async createBucket(bucket) {
      checkBucket(bucket);
      const isNew = !buckets.has(bucket);
      made(bucket);
      return isNew;
    },
    async removeBucket(bucket) {
      const found = buckets.get(bucket);
      if (!found) throw new NotFound(`there is no bucket ${bucket}`);
      if (found.objects.size > 0) throw new ObjectRefused('BucketNotEmpty', `bucket ${bucket} has ${found.objects.size} objects`);
      buckets.delete(bucket);
    },
  };
}
