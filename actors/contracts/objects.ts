/**
 * Where packages and captures lie: buckets of keys, S3's way. A key is any Unicode of 1 to 1 024 bytes in UTF-8, without NUL;
 * dot segments are letters like any others. Keys are sorted by their bytes.
 */
import type { Millis } from './units.ts';

/** What a listing says of an object. */
export interface ObjectEntry {
  readonly key: string;
  readonly bytes: number;
  /** Without quotes: hex MD5 of the bytes, or `<MD5 of the parts' MD5s>-<parts>`. Other bytes have another one. */
  readonly etag: string;
  readonly modifiedAt: Millis;
}

export interface ObjectHead extends ObjectEntry {
  readonly bucket: string;
  /** Hex SHA-256 of the whole object; null where the store was never told: another client put it into S3. */
  readonly sha256: string | null;
  /** Null: nobody said. */
  readonly contentType: string | null;
  /** By lower-case name, without `x-amz-meta-`. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Whole, or chunk by chunk: an object need not fit into memory. A chunk that is handed over is the store's from then on. */
export type ObjectBody = Uint8Array | AsyncIterable<Uint8Array>;

export interface PutOptions {
  readonly contentType?: string;
  /** By lower-case name, printable ASCII; 2 kB in all. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** `*`: only when there is no object of that key. Of two writers at once exactly one wins. */
  readonly ifNoneMatch?: '*';
}

export interface GetOptions {
  /** The first byte wanted; absent: 0. */
  readonly from?: number;
  /** The first byte not wanted; absent: the object's end. */
  readonly to?: number;
  readonly signal?: AbortSignal;
}

export interface PageOptions {
  readonly prefix?: string;
  /** What follows this key, or this prefix of a page before. */
  readonly after?: string;
  /** Keys up to its first occurrence after the prefix are told once, as a prefix. */
  readonly delimiter?: string;
  /** 1..1000, objects and prefixes together. */
  readonly limit?: number;
}

export interface ObjectPage {
  /** Sorted by key. */
  readonly objects: readonly ObjectEntry[];
  /** Sorted; empty without a delimiter. */
  readonly prefixes: readonly string[];
  /** Where the next page goes on (`after`); null when there is nothing more. */
  readonly next: string | null;
}

/** What who only reads needs: a device. */
export interface ObjectReader {
  /** Null when there is none. @throws ObjectRefused for what is no bucket or key */
  head(bucket: string, key: string): Promise<ObjectHead | null>;
  /**
   * Chunks in order. A chunk's memory is the reader's.
   * @throws NotFound when there is no such object; StoreUnavailable when the store breaks off.
   */
  get(bucket: string, key: string, options?: GetOptions): AsyncIterable<Uint8Array>;
}

export interface ObjectStore extends ObjectReader {
  /**
   * Atomic: a reader sees the old object or the new one, and when the body throws nothing has changed. Durable when it resolves.
   * @throws ObjectRefused (`PreconditionFailed`, `KeyTooLongError`, …), StoreUnavailable, what the body throws
   */
  put(bucket: string, key: string, body: ObjectBody, options?: PutOptions): Promise<ObjectHead>;
  /** A part of a bucket of any size. None for a bucket that is not there. */
  page(bucket: string, options?: PageOptions): Promise<ObjectPage>;
  /** All of them, sorted by key. Reads each head: for few objects. */
  list(bucket: string, prefix?: string): Promise<readonly ObjectHead[]>;
  /** Nothing happens when there is none. */
  delete(bucket: string, key: string): Promise<void>;
}

/** The bucket that holds model packages; the original demands `sagemaker` in its name. */
export const MODEL_BUCKET = 'windfleet-sagemaker-models';
