/** Where logs, verdicts and alarms become documents that people can ask. */
import type { Millis } from './units.ts';

/** The indexes that there are from the first day, though nothing be in them yet. */
export const DOCUMENT_INDEXES: readonly string[] = ['logs', 'verdicts', 'states', 'alarms', 'captures'];

/**
 * A flat document; numbers stay numbers. `id` makes redelivery harmless: the same id is the same document, and comes with the same
 * `thing` and `at` each time (an index may look for it there alone).
 */
export interface IndexedDocument {
  readonly id: string;
  /** Epoch milliseconds of the device's own clock. */
  readonly at: Millis;
  readonly thing: string;
  readonly [field: string]: string | number | boolean | null;
}

/** Documents, as an array has them; others are made while somebody goes through them, which may never come to pass. */
export interface DocumentBatch extends Iterable<IndexedDocument> {
  readonly length: number;
}

export interface Aggregation {
  readonly index: string;
  /** Inclusive, epoch milliseconds. */
  readonly from?: Millis;
  /** Exclusive. */
  readonly to?: Millis;
  /** Width of a bucket of time; absent: one bucket. */
  readonly every?: Millis;
  /** Fields to group by. */
  readonly by: readonly string[];
  readonly agg: 'mean' | 'max' | 'min' | 'sum' | 'count';
  /** The field that is aggregated; absent for `count`. */
  readonly field?: string;
  /** Only documents whose fields equal these. */
  readonly where?: Readonly<Record<string, string | number | boolean>>;
}

export interface AggregationRow {
  /** Start of the bucket; null without `every`. */
  readonly at: Millis | null;
  readonly by: Readonly<Record<string, string | number | boolean | null>>;
  readonly value: number;
}

/** A document that the index will never take, whoever tries again: a field holds another type than before. */
export interface RefusedDocument {
  readonly index: string;
  readonly document: IndexedDocument;
  readonly reason: string;
}

export interface DocumentIndex {
  /**
   * Upserts by id. Readable and durable after `flush`. Takes all of them or, when too many wait to be written, none.
   * @throws StoreUnavailable when it took none: keep them, and add them again after a `flush` that went well
   */
  add(index: string, documents: DocumentBatch): Promise<void>;
  /** Rows by time, then by group. @throws QueryInvalid for an unknown index or field. */
  aggregate(query: Aggregation): Promise<readonly AggregationRow[]>;
  /** Newest first. */
  latest(index: string, options?: { readonly thing?: string; readonly limit?: number }): Promise<readonly IndexedDocument[]>;
  /**
   * Writes what was added before the call.
   * @returns those that it will never take; each is told once
   * @throws StoreUnavailable when the store is away or full: what waits goes on waiting
   */
  flush(): Promise<readonly RefusedDocument[]>;
  /** Flushes once more, and lets go. */
  close(): Promise<void>;
}

/** Where documents go. Credentials are in the environment alone. */
export type IndexChoice =
  | { readonly kind: 'duckdb' }
  | { readonly kind: 'elasticsearch' | 'opensearch'; readonly node: string; readonly prefix: string };
