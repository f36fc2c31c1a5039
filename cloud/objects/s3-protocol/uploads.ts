/**
 * Multipart uploads that are under way: a bucket each in a store of their own, `upload` with what the object will be and `00001` … for
 * the parts. So a part is as atomic and durable as an object, and an upload outlives a restart.
 */
import { z } from 'zod';
import type { Millis } from '../../../actors/contracts/units.ts';
import { ALGORITHMS, type HeldHead, type HeldObjects } from '../held.ts';
import { S3Failure } from './failure.ts';

const RECORD = 'upload';
export const MOST_PARTS = 10_000;

const Texts = z.record(z.string(), z.string());
const Upload = z.strictObject({
  id: z.string(),
  bucket: z.string(),
  key: z.string(),
  initiatedAt: z.number(),
  contentType: z.string().nullable(),
  metadata: Texts,
  headers: Texts,
  algorithm: z.enum(ALGORITHMS).nullable(),
  type: z.enum(['FULL_OBJECT', 'COMPOSITE']).nullable(),
});
export type Upload = z.infer<typeof Upload>;

export interface Uploads {
  begin(upload: Omit<Upload, 'id' | 'initiatedAt'>): Promise<Upload>;
  /** @throws S3Failure NoSuchUpload, also when it is one of another object */
  find(id: string, bucket: string, key: string): Promise<Upload>;
  /** Those of a bucket, by key, then by their beginning. */
  of(bucket: string): Promise<readonly Upload[]>;
  putPart(id: string, number: number, ...put: PartPut): Promise<HeldHead>;
  /** By number. */
  parts(id: string): Promise<ReadonlyMap<number, HeldHead>>;
  readPart(id: string, number: number): AsyncIterable<Uint8Array>;
  /** Parts and all. */
  forget(id: string): Promise<void>;
}

type PartPut = [body: Parameters<HeldObjects['put']>[2], options: NonNullable<Parameters<HeldObjects['put']>[3]>];

/** @param store for nothing but uploads. @param newId 16 random bytes in hexadecimal */
export function createUploads(store: HeldObjects, newId: () => string, now: () => Millis): Uploads {
  const nameOf = (number: number) => String(number).padStart(5, '0');
  const read = async (id: string): Promise<Upload | null> => {
    if (!/^[0-9a-f]{32}$/.test(id)) return null;
    const object = await store.open(id, RECORD);
    if (!object) return null;
    const chunks: Uint8Array[] = [];
    for await (const chunk of object.bytes()) chunks.push(chunk);
    return Upload.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  };

  return {
    async begin(order) {
      const upload = { ...order, id: newId(), initiatedAt: now() };
      await store.put(upload.id, RECORD, Buffer.from(JSON.stringify(upload)));
      return upload;
    },
    async find(id, bucket, key) {
      const upload = await read(id);
      if (!upload || upload.bucket !== bucket || upload.key !== key) throw noSuchUpload(id);
      return upload;
    },
    async of(bucket) {
      const all = await Promise.all((await store.buckets()).map(({ name }) => read(name)));
      return all
        .filter((upload) => upload !== null)
        .filter((upload) => upload.bucket === bucket)
        .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)) || a.initiatedAt - b.initiatedAt || (a.id < b.id ? -1 : 1));
    },
    async putPart(id, number, ...put) {
      const head = await store.put(id, nameOf(number), ...put);
      if (await read(id)) return head;
      await store.delete(id, nameOf(number)); // it was completed or aborted meanwhile
      await store.removeBucket(id).catch(() => {});
      throw noSuchUpload(id);
    },
    async parts(id) {
      const parts = new Map<number, HeldHead>();
      for (const head of await store.list(id)) if (head.key !== RECORD) parts.set(Number(head.key), head);
      return parts;
    },
    readPart: (id, number) => store.get(id, nameOf(number)),
    async forget(id) {
      await store.delete(id, RECORD); // first: without it there is no upload
      for (const { key } of await store.list(id)) await store.delete(id, key);
      await store.removeBucket(id).catch(() => {}); // a part that comes in meanwhile removes itself
    },
  };
}

export const noSuchUpload = (id: string) =>
  new S3Failure(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { members: { UploadId: id.slice(0, 100) } },
  );
