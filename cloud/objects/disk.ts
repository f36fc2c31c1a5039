/**
 * Objects as files: `<root>/<bucket>/<key, percent-encoded>` with its head beside it. A put is written aside, synced and renamed:
 * readers see the old object or the new one, and a crash leaves one of them.
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { NotFound, StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { ObjectHead, ObjectStore } from '../../actors/contracts/objects.ts';

const CHUNK = 64 * 1024;
const HEAD = '.head.json';

const Head = z.strictObject({ bucket: z.string(), key: z.string(), bytes: z.int(), sha256: z.string(), file: z.string() });

/** @throws StoreUnavailable for a bucket or key that no file system should see. */
export function diskObjects(root: string): ObjectStore {
  const folder = (bucket: string) => {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) throw new StoreUnavailable(`${JSON.stringify(bucket)} is no bucket name`);
    return join(root, bucket);
  };
  const place = (bucket: string, key: string) => {
    const file = encodeURIComponent(key).replaceAll('.', '%2E'); // no key can be `..`, or end as another file does
    if (key === '' || file.length > 240)
      throw new StoreUnavailable(`object key of ${key.length} characters: 1 to about 200 can be kept on disk`);
    return join(folder(bucket), file);
  };
  const readHead = async (bucket: string, key: string) => {
    try {
      return Head.parse(JSON.parse(await readFile(place(bucket, key) + HEAD, 'utf8')));
    } catch (error) {
      if ((error as { code?: string }).code === 'ENOENT') return null;
      throw new StoreUnavailable(`the head of object ${key} in ${bucket} cannot be read`, { cause: error });
    }
  };
  const headOf = ({ file: _, ...head }: z.infer<typeof Head>): ObjectHead => head;

  return {
    async put(bucket, key, bytes) {
      const path = place(bucket, key);
      await mkdir(folder(bucket), { recursive: true, mode: 0o700 });
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const before = await readHead(bucket, key);
      const head = { bucket, key, bytes: bytes.length, sha256, file: `${path.slice(folder(bucket).length + 1)}.${sha256.slice(0, 16)}` };
      // The bytes get a name of their own, and the head is what makes them the object: one rename decides.
      await writeThrough(join(folder(bucket), head.file), bytes);
      await writeThrough(path + HEAD, Buffer.from(JSON.stringify(head)));
      await syncFolder(folder(bucket));
      if (before && before.file !== head.file) await rm(join(folder(bucket), before.file), { force: true });
      return headOf(head);
    },
    async head(bucket, key) {
      const head = await readHead(bucket, key);
      return head && headOf(head);
    },
    async *get(bucket, key, { from = 0, signal } = {}) {
      const head = await readHead(bucket, key);
      if (!head) throw new NotFound(`there is no object ${key} in ${bucket}`);
      const file = await open(join(folder(bucket), head.file)).catch((error: unknown) => {
        throw new StoreUnavailable(`object ${key} in ${bucket} cannot be opened`, { cause: error });
      });
      try {
        for (let at = from; at < head.bytes; ) {
          signal?.throwIfAborted();
          const { bytesRead, buffer } = await file.read(Buffer.alloc(Math.min(CHUNK, head.bytes - at)), 0, null, at);
          if (bytesRead === 0) throw new StoreUnavailable(`object ${key} in ${bucket} ends after ${at} of ${head.bytes} bytes`);
          at += bytesRead;
          yield buffer.subarray(0, bytesRead);
        }
      } finally {
        await file.close();
      }
    },
    async list(bucket, prefix = '') {
      const names = await readdir(folder(bucket)).catch(() => []);
      const heads = await Promise.all(
        names.filter((name) => name.endsWith(HEAD)).map(async (name) => readHead(bucket, decodeURIComponent(name.slice(0, -HEAD.length)))),
      );
      return heads
        .filter((head) => head !== null)
        .map(headOf)
        .filter(({ key }) => key.startsWith(prefix))
        .sort((a, b) => (a.key < b.key ? -1 : 1));
    },
    async delete(bucket, key) {
      const head = await readHead(bucket, key);
      if (!head) return;
      await rm(place(bucket, key) + HEAD, { force: true });
      await rm(join(folder(bucket), head.file), { force: true });
    },
  };
}

async function writeThrough(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(`${path}.tmp`, 'w', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.tmp`, path);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
