/**
 * A package from the object store onto the device's disk, chunk by chunk, and on from where a restart broke it off.
 *
 * Bounded: what the store announces and what it sends may not be more than a package can be.
 */
import { type Clock, sleep } from '../contracts/clock.ts';
import type { Disk } from '../contracts/disk.ts';
import { ModelRejected } from '../contracts/errors.ts';
import { modelId } from '../contracts/ids.ts';
import type { ObjectStore } from '../contracts/objects.ts';
import type { ModelOrder } from '../package/job-document.ts';

const ATTEMPTS = 5;
const RETRY_MS = 2_000;
const MAX_BYTES = 512 * 2 ** 20;
const PROGRESS_SHARE = 0.25; // of the package, between two reports

export interface DownloadOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly progress: (bytes: number, of: number) => Promise<void>;
}

/** @throws ModelRejected when there is no such object or it is too large; what the store throws when it breaks off again and again. */
export async function download(objects: ObjectStore, disk: Disk, order: ModelOrder, options: DownloadOptions): Promise<Uint8Array> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await resume(objects, disk, order, options);
    } catch (error) {
      if (error instanceof ModelRejected || attempt === ATTEMPTS || options.signal.aborted) throw error;
      await sleep(options.clock, RETRY_MS * attempt);
    }
  }
}

/** One attempt, from the bytes that are on disk already. */
async function resume(
  objects: ObjectStore,
  disk: Disk,
  { name, version, bucket, key, sha256 }: ModelOrder,
  { signal, progress }: DownloadOptions,
): Promise<Uint8Array> {
  const id = modelId(name, version);
  const part = `download/${sha256}.part`; // of these bytes and no others: a part can be gone on with
  const head = await objects.head(bucket, key);
  if (!head) throw new ModelRejected(id, `there is no object ${key} in ${bucket}`);
  if (head.bytes > MAX_BYTES) throw new ModelRejected(id, `its package has ${head.bytes} bytes, more than ${MAX_BYTES}`);

  let held = (await disk.read(part))?.length ?? 0;
  if (held > head.bytes) {
    await disk.remove(part);
    held = 0;
  }
  let told = held;
  if (held < head.bytes) {
    for await (const chunk of objects.get(bucket, key, { from: held, signal })) {
      signal.throwIfAborted();
      held += chunk.length;
      if (held > head.bytes) throw new ModelRejected(id, `the store sends more than the ${head.bytes} bytes that it announced`);
      await disk.append(part, chunk);
      if (held - told < PROGRESS_SHARE * head.bytes) continue;
      told = held;
      await progress(held, head.bytes);
    }
  }
  const bytes = await disk.read(part);
  if (!bytes || bytes.length !== head.bytes)
    throw new ModelRejected(id, `the download ended after ${bytes?.length ?? 0} of ${head.bytes} bytes`);
  return bytes;
}
