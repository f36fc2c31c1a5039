/**
 * A package from the object store onto the device's disk, chunk by chunk, and on from where a restart or a broken link ended it.
 *
 * Bounded while it streams: in bytes by what a package can be and by what was announced, in time by the slowest pace that is waited for.
 * What is on the disk already is counted, not read. Between two attempts the job is asked for anew: its leave to read may have run out.
 */
import { type Clock, sleep } from '../contracts/clock.ts';
import type { Disk } from '../contracts/disk.ts';
import { JobRefused, ModelRejected, NotFound, ObjectRefused, StoreUnavailable } from '../contracts/errors.ts';
import { modelId } from '../contracts/ids.ts';
import type { ObjectReader } from '../contracts/objects.ts';
import type { Millis } from '../contracts/units.ts';
import type { ModelOrder } from '../package/job-document.ts';
import { isOfDisk } from './refusal.ts';

const ATTEMPTS = 5; // without a byte between them
const RETRY_MS = 2_000;
const MAX_BYTES = 512 * 2 ** 20;
const PROGRESS_SHARE = 0.25; // of the package, between two reports
const SILENCE_MS = 60_000; // without a byte
const PACE_MS = 60_000; // of reading, over which the pace is taken
const PACE_BYTES = 64 * 60; // in that time; a tenth of the slowest modem's
const FOLDER = 'download';

export interface DownloadOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly progress: (bytes: number, of: number) => Promise<void>;
  /** The order as the job has it now. @throws JobRefused when it is another job's turn */
  readonly askAgain: () => Promise<ModelOrder>;
}

/**
 * @throws ModelRejected when it is too large, too slow or not as announced; NotFound; JobRefused; what the disk throws; and what the
 * store throws when it refuses for good, or breaks off again and again.
 */
export async function download(objects: ObjectReader, disk: Disk, wanted: ModelOrder, options: DownloadOptions): Promise<Uint8Array> {
  const { clock, signal, askAgain } = options;
  const part = `${FOLDER}/${wanted.sha256}.part`; // of these bytes and no others: a part can be gone on with
  for (const other of await disk.list(FOLDER)) if (`${FOLDER}/${other}` !== part) await disk.remove(`${FOLDER}/${other}`);
  let order = wanted;
  const state: Progress = { held: (await disk.read(part))?.length ?? 0, told: 0 };
  for (let attempt = 1; ; attempt++) {
    const before = state.held;
    try {
      return await resume(objects, disk, part, order, state, options);
    } catch (error) {
      if (state.held > before) attempt = 1;
      if (isFinal(error) || attempt >= ATTEMPTS || signal.aborted) throw error;
      await sleep(clock, RETRY_MS * attempt);
      signal.throwIfAborted();
      order = await askAgain();
    }
  }
}

/** Leave that may be renewed, and an end that came too early: perhaps a broken link. */
const PASSING = ['AccessDenied', 'IncompleteBody'];

/** What waiting does not mend. */
const isFinal = (error: unknown): boolean =>
  error instanceof ModelRejected ||
  error instanceof NotFound ||
  error instanceof JobRefused ||
  (error instanceof ObjectRefused && !PASSING.includes(error.reason)) ||
  isOfDisk(error);

interface Progress {
  /** Bytes on the disk. */
  held: number;
  told: number;
}

/** One attempt, from the bytes that are on disk already. */
async function resume(
  objects: ObjectReader,
  disk: Disk,
  part: string,
  { name, version, bucket, key }: ModelOrder,
  state: Progress,
  { clock, signal, progress }: DownloadOptions,
): Promise<Uint8Array> {
  const id = modelId(name, version);
  const head = await soon(clock, objects.head(bucket, key), `head of ${key}`);
  if (!head) throw new NotFound(`there is no object ${key} in ${bucket}`);
  const { bytes: announced } = head;
  if (!Number.isSafeInteger(announced) || announced < 0)
    throw new ModelRejected(id, 'the store does not say how many bytes its package has', undefined, 'download.length');
  if (announced === 0) throw new ModelRejected(id, 'its package has no bytes', undefined, 'download.length');
  if (announced > MAX_BYTES)
    throw new ModelRejected(id, `its package has ${announced} bytes, more than ${MAX_BYTES}`, undefined, 'download.too-large');

  if (state.held > announced) {
    await disk.remove(part);
    state.held = state.told = 0;
  }
  if (state.held < announced) {
    const began = clock.now();
    const from = state.held;
    const chunks = objects.get(bucket, key, { from, signal })[Symbol.asyncIterator]();
    try {
      for (;;) {
        const next = await soon(clock, chunks.next(), `object ${key}`);
        if (next.done) break;
        signal.throwIfAborted();
        if (state.held + next.value.length > announced)
          throw new ModelRejected(id, `the store sends more than the ${announced} bytes that it announced`, undefined, 'download.length');
        await disk.append(part, next.value);
        state.held += next.value.length;
        refuseCrawl(id, state.held - from, clock.now() - began);
        if (state.held - state.told < PROGRESS_SHARE * announced) continue;
        state.told = state.held;
        await progress(state.held, announced);
      }
    } finally {
      void chunks.return?.()?.catch(() => {}); // one that hangs is not waited for
    }
  }
  if (state.held < announced)
    throw new ObjectRefused(
      'IncompleteBody',
      `object ${key} in ${bucket} ended after ${state.held} of the ${announced} bytes that were announced`,
    );
  const bytes = await disk.read(part);
  if (bytes?.length === announced) return bytes;
  await disk.remove(part); // the disk did not keep what it was given: nobody knows which of it is there
  state.held = state.told = 0;
  throw new StoreUnavailable(`${part} has ${bytes?.length ?? 0} bytes, not ${announced}`);
}

function refuseCrawl(id: string, bytes: number, spanMs: Millis): void {
  if (spanMs < PACE_MS || bytes / spanMs >= PACE_BYTES / PACE_MS) return;
  const pace = `${bytes} bytes in ${Math.round(spanMs / 1_000)} s`;
  throw new ModelRejected(
    id,
    `its package comes too slowly: ${pace}, ${PACE_BYTES / 60} a second at least`,
    undefined,
    'download.too-slow',
  );
}

/** What a store has not said after a minute is not waited for. */
function soon<T>(clock: Clock, answer: Promise<T>, what: string): Promise<T> {
  return new Promise((done, failed) => {
    const timer = clock.setTimeout(
      () => failed(new StoreUnavailable(`${what}: the store has said nothing for ${SILENCE_MS / 1_000} s`)),
      SILENCE_MS,
    );
    answer.finally(() => clock.clearTimeout(timer)).then(done, failed);
  });
}
