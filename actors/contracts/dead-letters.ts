/** What could not become a document: kept whole with its reason, to be looked into and tried again. */
import type { Millis } from './units.ts';

export interface DeadLetter {
  /** From its source and its payload: the same bad record is one letter, however often it comes. */
  readonly id: string;
  /** A message's topic, an object's line, or an index. */
  readonly source: LetterSource;
  /** Why it could not be taken, in words. */
  readonly reason: string;
  /** When it was refused last, epoch milliseconds. */
  readonly at: Millis;
  /** Bytes of the payload as it came. */
  readonly bytes: number;
  /** Whether the payload was too long to be kept whole; such a letter cannot be replayed. */
  readonly isCut: boolean;
}

export type LetterSource =
  | {
      readonly kind: 'message';
      readonly topic: string;
      /** The client that published it; null when nobody knows. */
      readonly from: string | null;
      /** When it was heard, epoch milliseconds. */
      readonly heardAt: Millis;
    }
  | {
      readonly kind: 'object';
      readonly bucket: string;
      readonly key: string;
      /** From 1; 0: the whole object. */
      readonly line: number;
    }
  | {
      /** A document that its index does not take. */
      readonly kind: 'document';
      readonly index: string;
    };

export interface DeadLetterWithPayload extends DeadLetter {
  readonly payload: Uint8Array;
}

export interface DeadLetterCounts {
  readonly letters: number;
  readonly bytes: number;
  /** Since the start: refused, the oldest pushed out by newer ones, and replayed with success. */
  readonly refused: number;
  readonly pushedOut: number;
  readonly replayed: number;
}

export interface DeadLetters {
  /** Newest first. */
  list(): readonly DeadLetter[];
  /** @throws NotFound */
  show(id: string): Promise<DeadLetterWithPayload>;
  /**
   * Runs it through the pipeline again; gone when it became documents.
   * @returns how many; null and the reason of now when it was refused again
   * @throws NotFound
   */
  replay(id: string): Promise<ReplayResult>;
  counts(): DeadLetterCounts;
}

export type ReplayResult = { readonly documents: number } | { readonly documents: null; readonly reason: string };
