/** Where packages and captures lie: buckets of keys, S3's way. */

export interface ObjectHead {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
  /** Hex SHA-256 of the whole object. */
  readonly sha256: string;
}

export interface ObjectStore {
  /** Atomic: a reader sees the old object or the new one. Durable when it resolves. */
  put(bucket: string, key: string, bytes: Uint8Array): Promise<ObjectHead>;
  /** Null when there is none. */
  head(bucket: string, key: string): Promise<ObjectHead | null>;
  /**
   * Chunks in order, from byte `from` on. A chunk's memory is the reader's.
   * @throws NotFound when there is no such object; StoreUnavailable when the store breaks off.
   */
  get(bucket: string, key: string, options?: { readonly from?: number; readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>;
  /** Sorted by key. */
  list(bucket: string, prefix?: string): Promise<readonly ObjectHead[]>;
  delete(bucket: string, key: string): Promise<void>;
}

/** The bucket that holds model packages; the original demands `sagemaker` in its name. */
export const MODEL_BUCKET = 'windfleet-sagemaker-models';
