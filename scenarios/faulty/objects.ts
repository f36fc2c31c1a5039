/** An object store with faults: late, narrow, failing, breaking off, refusing expired URLs, or giving wrong bytes of one object. */
import { type Clock, sleep } from '../../actors/contracts/clock.ts';
import { StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { ObjectStore } from '../../actors/contracts/objects.ts';
import type { Rng } from '../../actors/contracts/rng.ts';

export interface StoreTrouble {
  readonly latencyMs?: number;
  readonly jitterMs?: number;
  readonly kbps?: number;
  /** 0..1, of the requests. */
  readonly failing?: number;
  /** URLs have run out: 403. */
  readonly isExpired?: boolean;
  /** `failing` and `isExpired` act only on a reading, and once so many bytes of it have been given. */
  readonly afterBytes?: number;
}

export interface FaultyStore {
  /** The store as one of its users sees it; `user` labels the user's chance. */
  seenBy(user: string): ObjectStore;
  trouble(name: string, trouble: StoreTrouble | null): void;
  /** Wrong bytes of one object, whoever reads it; null: as it was put. */
  corrupt(key: string, isCorrupt: boolean): void;
}

const PIECE = 4_096; // bytes: how finely a reading can be slowed and broken off

export function faultyStore(store: ObjectStore, clock: Clock, rng: Rng): FaultyStore {
  const troubles = new Map<string, StoreTrouble>();
  const corrupted = new Set<string>();

  const seenBy = (user: string): ObjectStore => {
    const chance = rng.fork(`store ${user}`);
    let requests = 0;

    const answer = async (bucket: string, key: string, isReading: boolean): Promise<{ breaksOffAt: number; kbps: number }> => {
      const step = requests++;
      let breaksOffAt = Infinity;
      let kbps = Infinity;
      for (const [name, trouble] of [...troubles]) {
        const { latencyMs = 0, jitterMs = 0, failing = 0, isExpired = false, afterBytes } = trouble;
        const late = latencyMs + (jitterMs > 0 ? jitterMs * chance.fork('jitter').uniform(step) : 0);
        if (late > 0) await sleep(clock, Math.ceil(late));
        kbps = Math.min(kbps, trouble.kbps ?? Infinity);
        if (!isExpired && chance.fork(name).uniform(step) >= failing) continue;
        if (afterBytes === undefined)
          throw new StoreUnavailable(`object ${key} in ${bucket}: the store answers ${isExpired ? '403, the URL has run out' : 503}`);
        if (isReading) breaksOffAt = Math.min(breaksOffAt, afterBytes);
      }
      return { breaksOffAt, kbps };
    };

    return {
      async put(bucket, key, body, options) {
        if (troubles.size > 0) await answer(bucket, key, false);
        return store.put(bucket, key, body, options);
      },
      async head(bucket, key) {
        if (troubles.size > 0) await answer(bucket, key, false);
        return store.head(bucket, key);
      },
      async *get(bucket, key, options = {}) {
        const { breaksOffAt, kbps } = troubles.size > 0 ? await answer(bucket, key, true) : { breaksOffAt: Infinity, kbps: Infinity };
        let at = options.from ?? 0;
        let given = 0;
        const wrongAt = corrupted.has(key) ? await wrongByte(bucket, key) : -1;
        for await (const chunk of store.get(bucket, key, options)) {
          for (let from = 0; from < chunk.length; from += PIECE) {
            const piece = Uint8Array.from(chunk.subarray(from, from + Math.min(PIECE, breaksOffAt - given)));
            if (wrongAt >= at && wrongAt < at + piece.length) piece[wrongAt - at] ^= 0xff;
            if (Number.isFinite(kbps)) await sleep(clock, Math.ceil((8 * piece.length) / kbps));
            options.signal?.throwIfAborted();
            if (piece.length > 0) yield piece;
            at += piece.length;
            given += piece.length;
            if (given >= breaksOffAt) throw new StoreUnavailable(`object ${key} in ${bucket} broke off after ${given} bytes`);
          }
        }
      },
      async page(bucket, options) {
        if (troubles.size > 0) await answer(bucket, options?.prefix ?? '', false);
        return store.page(bucket, options);
      },
      async list(bucket, prefix) {
        if (troubles.size > 0) await answer(bucket, prefix ?? '', false);
        return store.list(bucket, prefix);
      },
      async delete(bucket, key) {
        if (troubles.size > 0) await answer(bucket, key, false);
        return store.delete(bucket, key);
      },
    };
  };

  /** The same byte of an object for every reader. */
  const wrongByte = async (bucket: string, key: string): Promise<number> => {
    const bytes = (await store.head(bucket, key))?.bytes ?? 0;
    return Math.floor(rng.fork(`corrupt ${key}`).uniform(0) * bytes);
  };

  return {
    seenBy,
    trouble(name, trouble) {
      if (trouble) troubles.set(name, trouble);
      else troubles.delete(name);
    },
    corrupt(key, isCorrupt) {
      if (isCorrupt) corrupted.add(key);
      else corrupted.delete(key);
    },
  };
}
