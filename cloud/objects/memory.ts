/** Objects in memory, for virtual time. */
import { createHash } from 'node:crypto';
import { NotFound } from '../../actors/contracts/errors.ts';
import type { ObjectHead, ObjectStore } from '../../actors/contracts/objects.ts';

const CHUNK = 64 * 1024;

export function memoryObjects(): ObjectStore {
  const objects = new Map<string, { readonly head: ObjectHead; readonly bytes: Uint8Array }>();
  const name = (bucket: string, key: string) => `${bucket}/${key}`;

  return {
    async put(bucket, key, bytes) {
      const head = { bucket, key, bytes: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
      objects.set(name(bucket, key), { head, bytes: bytes.slice() });
      return head;
    },
    head: async (bucket, key) => objects.get(name(bucket, key))?.head ?? null,
    async *get(bucket, key, { from = 0, signal } = {}) {
      const object = objects.get(name(bucket, key));
      if (!object) throw new NotFound(`there is no object ${key} in ${bucket}`);
      for (let at = from; at < object.bytes.length; at += CHUNK) {
        signal?.throwIfAborted();
        yield object.bytes.slice(at, at + CHUNK);
      }
    },
    list: async (bucket, prefix = '') =>
      [...objects.values()]
        .map(({ head }) => head)
        .filter((head) => head.bucket === bucket && head.key.startsWith(prefix))
        .sort((a, b) => (a.key < b.key ? -1 : 1)),
    async delete(bucket, key) {
      objects.delete(name(bucket, key));
    },
  };
}
