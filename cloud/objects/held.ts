/**
 * Objects that this cloud holds itself (memory, disk), with what its S3 protocol needs beyond the port: buckets, conditions on what is
 * there, and the attributes that S3 keeps beside the bytes.
 */
import type { GetOptions, ObjectBody, ObjectHead, ObjectStore, PutOptions } from '../../actors/contracts/objects.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { Digests } from './digesting.ts';

export const ALGORITHMS = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
export type Algorithm = (typeof ALGORITHMS)[number];

/** As a client sent it, after it was found to be right. */
export interface Checksum {
  readonly algorithm: Algorithm;
  /** Base64; of parts' checksums together `<base64>-<parts>`. */
  readonly value: string;
  readonly type: 'FULL_OBJECT' | 'COMPOSITE';
}

export interface Attributes {
  readonly checksum: Checksum | null;
  /** `cache-control`, `content-disposition`, `content-encoding`, `content-language`, `expires`: given back as they came. */
  readonly headers: Readonly<Record<string, string>>;
}

export type HeldHead = ObjectHead & Attributes;

export interface HeldPutOptions extends PutOptions {
  /** Only when the object that is there has this ETag. */
  readonly ifMatch?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Asked when the body has ended, before the object stands: what only the end tells. What it throws refuses the object. */
  readonly seal?: (digests: Digests) => { readonly etag?: string; readonly checksum?: Checksum };
}

/** One state of an object, whatever is put there meanwhile. */
export interface OpenObject {
  readonly head: HeldHead;
  /** Once. Closes it at its end. */
  bytes(options?: GetOptions): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

export interface BucketEntry {
  readonly name: string;
  readonly createdAt: Millis;
}

export interface HeldObjects extends ObjectStore {
  /** Makes the bucket when it is not there. */
  put(bucket: string, key: string, body: ObjectBody, options?: HeldPutOptions): Promise<HeldHead>;
  head(bucket: string, key: string): Promise<HeldHead | null>;
  list(bucket: string, prefix?: string): Promise<readonly HeldHead[]>;
  /** Null when there is none. Who opens it closes it. */
  open(bucket: string, key: string): Promise<OpenObject | null>;
  hasBucket(bucket: string): Promise<boolean>;
  /** Sorted by name. */
  buckets(): Promise<readonly BucketEntry[]>;
  /** False when it is there already. */
  createBucket(bucket: string): Promise<boolean>;
  /** @throws ObjectRefused BucketNotEmpty; NotFound */
  removeBucket(bucket: string): Promise<void>;
}
