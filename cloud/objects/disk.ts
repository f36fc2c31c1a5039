/**
 * Objects as files: `<root>/<bucket>/<key, percent-encoded>.object`. A put is written aside, synced and renamed: readers see the old
 * object or the new one, and a crash leaves one of them.
 */
import { randomBytes } from 'node:crypto';
import { link, mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { NotFound, ObjectRefused, StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { GetOptions } from '../../actors/contracts/objects.ts';
import { alreadyThere, checkConditions } from './conditions.ts';
import { type Footer, openObject, readAt, stored, writeObject } from './disk-file.ts';
import { adoptLegacy } from './disk-legacy.ts';
import { keysIn, pathOf } from './disk-names.ts';
import { folderSync } from './folder-sync.ts';
import type { HeldHead, HeldObjects, HeldPutOptions, OpenObject } from './held.ts';
import { openIncoming } from './incoming.ts';
import { checkBucket, checkKey, isBucketName } from './names.ts';
import { MOST_IN_PAGE, pageOf } from './page.ts';
import { turns } from './turns.ts';

const CHUNK = 256 * 1024;
const HEADS_AT_ONCE = 32;

/** Sweeps out what a killed process left half-written. */
export function diskObjects(root: string): HeldObjects {
  const incoming = openIncoming(root, randomBytes(4).toString('hex'));
  const sync = folderSync();
  const inTurn = turns();
  const adopted = new Map<string, Promise<void>>();

  const folderOf = async (bucket: string): Promise<string> => {
    checkBucket(bucket);
    const folder = join(root, bucket);
    let adopting = adopted.get(bucket);
    if (!adopting) {
      adopting = adoptLegacy(folder);
      adopted.set(bucket, adopting);
    }
    await adopting;
    return folder;
  };
  const place = async (bucket: string, key: string): Promise<string> => {
    const folder = await folderOf(bucket);
    checkKey(key);
    return join(folder, pathOf(key));
  };
  const madeFolder = async (folder: string): Promise<void> => {
    const first = await stored(mkdir(folder, { recursive: true, mode: 0o700 }));
    for (let at = folder; first !== undefined && at.length >= first.length; at = dirname(at)) await stored(sync(dirname(at)));
  };

  const open = async (bucket: string, key: string): Promise<OpenObject | null> => {
    const opened = await openObject(await place(bucket, key));
    if (!opened) return null;
    const { file, footer, modifiedAt, whole } = opened;
    const close = () => file.close();
    return {
      head: headOf(bucket, footer, modifiedAt),
      close,
      async *bytes({ from = 0, to = footer.bytes, signal }: GetOptions = {}) {
        const end = Math.min(to, footer.bytes);
        try {
          for (let at = from; at < end; ) {
            signal?.throwIfAborted();
            const chunk = whole ? Buffer.from(whole.subarray(at, end)) : await stored(readAt(file, at, Math.min(CHUNK, end - at)));
            at += chunk.length;
            yield chunk;
          }
        } finally {
          await close();
        }
      },
    };
  };
  const head = async (bucket: string, key: string): Promise<HeldHead | null> => {
    const object = await open(bucket, key);
    await object?.close();
    return object?.head ?? null;
  };
  const page = async (folder: string, bucket: string, options = {}) => {
    const { keys, prefixes, next } = pageOf(await stored(keysIn(folder)), options);
    const heads: (HeldHead | null)[] = [];
    for (let at = 0; at < keys.length; at += HEADS_AT_ONCE)
      heads.push(...(await Promise.all(keys.slice(at, at + HEADS_AT_ONCE).map((key) => head(bucket, key)))));
    return { objects: heads.filter((each) => each !== null), prefixes, next }; // what was deleted meanwhile is not there
  };

  /** Gives written bytes their name. @throws ObjectRefused PreconditionFailed */
  const settle = async (from: string, path: string, key: string, bucket: string, options: HeldPutOptions): Promise<void> => {
    if (options.ifMatch !== undefined) checkConditions(key, await head(bucket, key), options);
    for (;;) {
      try {
        // a link fails where there is something already, whichever process put it there
        if (!options.ifNoneMatch) await rename(from, path);
        else {
          await link(from, path);
          await rm(from);
        }
        break;
      } catch (error) {
        const { code } = error as { code?: string };
        if (code === 'EEXIST') throw alreadyThere(key);
        if (code !== 'ENOENT') throw new StoreUnavailable(`object ${key} cannot be put into ${bucket}`, { cause: error });
        await madeFolder(dirname(path)); // it was the last one of its folder that somebody deleted
      }
    }
    await stored(sync(dirname(path)));
  };

  return {
    async put(bucket, key, body, options = {}) {
      const path = await place(bucket, key);
      const from = incoming();
      try {
        if (options.ifNoneMatch) checkConditions(key, await head(bucket, key), options); // sooner than after the whole body
        const { footer, modifiedAt } = await writeObject(from, body, (digests): Footer => {
          const { bytes, md5, sha256 } = digests;
          const { etag = md5, checksum = null } = options.seal?.(digests) ?? {};
          const { contentType = null, metadata = {}, headers = {} } = options;
          return { key, bytes, etag, sha256, contentType, metadata, headers, checksum };
        });
        await inTurn(path, () => settle(from, path, key, bucket, options));
        return headOf(bucket, footer, modifiedAt);
      } catch (error) {
        await rm(from, { force: true });
        throw error;
      }
    },
    head,
    open,
    async *get(bucket, key, options) {
      const object = await open(bucket, key);
      if (!object) throw new NotFound(`there is no object ${key} in ${bucket}`);
      yield* object.bytes(options);
    },
    page: async (bucket, options = {}) =>
      page(await folderOf(bucket), bucket, { ...options, limit: Math.min(options.limit ?? MOST_IN_PAGE, MOST_IN_PAGE) }),
    async list(bucket, prefix = '') {
      const { objects } = await page(await folderOf(bucket), bucket, { prefix, limit: Infinity });
      return objects;
    },
    async delete(bucket, key) {
      const path = await place(bucket, key);
      await inTurn(path, async () => {
        await stored(rm(path, { force: true }));
        for (let folder = dirname(path); folder !== join(root, bucket); folder = dirname(folder)) await rmdir(folder).catch(() => {});
        await sync(join(root, bucket)).catch(() => {}); // there may be no such bucket
      });
    },
    hasBucket: async (bucket) => isBucketName(bucket) && (await isFolder(join(root, bucket))),
    async buckets() {
      const names = (await readdir(root).catch(() => [])).filter(isBucketName).sort();
      const stats = await Promise.all(names.map((name) => stat(join(root, name)).catch(() => null)));
      return names.flatMap((name, i) => (stats[i]?.isDirectory() ? [{ name, createdAt: Math.floor(stats[i].birthtimeMs) }] : []));
    },
    async createBucket(bucket) {
      checkBucket(bucket);
      if (await isFolder(join(root, bucket))) return false;
      await madeFolder(join(root, bucket));
      return true;
    },
    async removeBucket(bucket) {
      const folder = await folderOf(bucket);
      if (!(await isFolder(folder))) throw new NotFound(`there is no bucket ${bucket}`);
      await rmdir(folder).catch((error: { readonly code?: string }) => {
        if (error.code === 'ENOTEMPTY' || error.code === 'EEXIST')
          throw new ObjectRefused('BucketNotEmpty', `bucket ${bucket} is not empty`, { hint: 'delete its objects first' });
        throw new StoreUnavailable(`bucket ${bucket} cannot be removed`, { cause: error });
      });
      await stored(sync(root));
    },
  };
}

const headOf = (bucket: string, footer: Footer, modifiedAt: number): HeldHead => ({ bucket, modifiedAt, ...footer });

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
