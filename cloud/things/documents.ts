/**
 * What the things' services remember: documents by kind and key, whole in memory, each change on disk before it is acknowledged.
 * Puts made in one turn of the event loop are one transaction, and so are those of all callers that wait together (group commit).
 * When the disk refuses a group, memory is read anew from it: nothing is shown that could be lost.
 */
import { StoreUnavailable } from '../../actors/contracts/errors.ts';

export interface StoredDocument {
  readonly kind: string;
  readonly key: string;
  /** JSON; null removes. */
  readonly body: string | null;
}

/** Where documents outlive the process. Both calls block. */
export interface DocumentDisk {
  load(): Iterable<{ readonly kind: string; readonly key: string; readonly body: string }>;
  /** All of it or nothing, synced. */
  save(changes: readonly StoredDocument[]): void;
  close(): void;
}

/** Documents of one kind; values are never changed, only replaced. */
export interface Collection<T> {
  readonly size: number;
  get(key: string): T | undefined;
  has(key: string): boolean;
  keys(): IterableIterator<string>;
  values(): IterableIterator<T>;
  put(key: string, value: T): void;
  remove(key: string): void;
}

export interface Documents {
  collection<T>(kind: string): Collection<T>;
  /** Resolves when all that was put so far is durable. @throws StoreUnavailable */
  saved(): Promise<void>;
  /** Called when memory was read anew: whoever derives something from it derives it again. */
  onReload(reread: () => void): void;
  close(): Promise<void>;
}

/** @param disk null: nothing outlives the process, as in virtual time */
export function openDocuments(disk: DocumentDisk | null): Documents {
  const collections = new Map<string, Map<string, unknown>>();
  const rereaders: (() => void)[] = [];
  let changes: StoredDocument[] = [];
  let waiting: { readonly saved: () => void; readonly failed: (error: unknown) => void }[] = [];

  const mapOf = (kind: string) => {
    const map = collections.get(kind) ?? new Map<string, unknown>();
    collections.set(kind, map);
    return map;
  };
  const load = () => {
    for (const map of collections.values()) map.clear();
    for (const { kind, key, body } of disk?.load() ?? []) mapOf(kind).set(key, JSON.parse(body));
  };

  const commit = () => {
    const [group, heard] = [changes, waiting];
    changes = [];
    waiting = [];
    try {
      disk?.save(group);
    } catch (error) {
      load();
      for (const reread of rereaders) reread();
      const refusal = new StoreUnavailable('the store of things did not take a change', { cause: error, hint: 'is the disk full?' });
      for (const { failed } of heard) failed(refusal);
      return;
    }
    for (const { saved } of heard) saved();
  };
  const schedule = () => {
    if (disk && changes.length === 0) setImmediate(() => (changes.length > 0 ? commit() : undefined));
  };

  load();
  return {
    collection<T>(kind: string): Collection<T> {
      const map = mapOf(kind) as Map<string, T>;
      return {
        get size() {
          return map.size;
        },
        get: (key) => map.get(key),
        has: (key) => map.has(key),
        keys: () => map.keys(),
        values: () => map.values(),
        put(key, value) {
          schedule();
          map.set(key, value);
          if (disk) changes.push({ kind, key, body: JSON.stringify(value) });
        },
        remove(key) {
          if (!map.delete(key)) return;
          schedule();
          if (disk) changes.push({ kind, key, body: null });
        },
      };
    },
    saved: () =>
      changes.length === 0
        ? Promise.resolve()
        : new Promise((saved, failed) => {
            waiting.push({ saved, failed });
          }),
    onReload: (reread) => {
      rereaders.push(reread);
    },
    async close() {
      if (changes.length > 0) commit();
      disk?.close();
    },
  };
}
