/**
 * Objects of captures → the index, line by line: an object need not fit into memory, a line that is none is a dead letter, and one
 * object cannot fill the shelf of letters.
 */
import { CAPTURE_BUCKET } from '../../actors/contracts/capture.ts';
import type { LetterSource } from '../../actors/contracts/dead-letters.ts';
import { reasonOf } from '../../actors/contracts/errors.ts';
import type { DocumentIndex, IndexedDocument } from '../../actors/contracts/index.ts';
import type { ObjectReader } from '../../actors/contracts/objects.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { verdictDocuments } from '../original-devices.ts';
import { type CaptureDocument, captureDocument, type ThingOfDevice } from './captures.ts';
import { futureReason, isFuture } from './documents.ts';
import { linesOf } from './lines.ts';

export interface CaptureReaderPorts {
  readonly index: DocumentIndex;
  /** Epoch milliseconds. */
  readonly now: () => Millis;
  /** @param bytes of all of it, when `payload` is only its beginning */
  readonly refuse: (source: LetterSource, payload: Uint8Array, reason: string, bytes?: number) => void;
  readonly thingOfDevice: ThingOfDevice | undefined;
  /** Told of the captures of devices that report no verdicts themselves. */
  readonly captured: ((captures: readonly IndexedDocument[]) => void) | undefined;
}

export interface CaptureReader {
  /**
   * All lines of one object. @returns how many became documents
   * @throws StoreUnavailable, NotFound of the store or the index; what it has read until then is in the index, and may be read again
   */
  read(objects: ObjectReader, key: string): Promise<number>;
  /** One line. @throws Error saying what is wrong with it */
  line(bytes: Uint8Array): CaptureDocument;
}

const LINE_BYTES = 2 ** 20;
const BATCH = 2_000; // documents
const LETTERS_MAX = 100; // of one object
const GZIP = [0x1f, 0x8b];

/** Whether an object of the captures' bucket holds records: what was too long for them lies in `raw-data`. */
export const isCaptureFile = (key: string): boolean => key.endsWith('.jsonl') && !key.includes('/raw-data/');

export function captureReader({ index, now, refuse, thingOfDevice, captured }: CaptureReaderPorts): CaptureReader {
  const line = (bytes: Uint8Array) => {
    const made = captureDocument(bytes, thingOfDevice);
    if (isFuture(made.document.at, now())) throw new Error(futureReason(made.document.at, now()));
    return made;
  };

  return {
    line,
    async read(objects, key) {
      const source = (number: number) => ({ kind: 'object', bucket: CAPTURE_BUCKET, key, line: number }) as const;
      let batch: CaptureDocument[] = [];
      let taken = 0;
      let refused = 0;
      const hand = async () => {
        const unreported = batch.flatMap(({ document, isReported }) => (isReported ? [] : [document]));
        await index.add(
          'captures',
          batch.map(({ document }) => document),
        );
        await index.add('verdicts', unreported.flatMap(verdictDocuments));
        taken += batch.length;
        batch = [];
        captured?.(unreported);
      };
      for await (const { number, bytes, isTooLong, length } of linesOf(plain(objects.get(CAPTURE_BUCKET, key)), LINE_BYTES)) {
        try {
          if (isTooLong) throw new Error(`the line has ${length} bytes, and ${LINE_BYTES} at most are read`);
          batch.push(line(bytes));
        } catch (error) {
          if (++refused <= LETTERS_MAX) refuse(source(number), bytes, reasonOf(error), length);
        }
        if (batch.length >= BATCH) await hand();
      }
      if (batch.length > 0) await hand();
      if (refused > LETTERS_MAX)
        refuse(source(0), new Uint8Array(), `${refused} of its lines are no captures; the first ${LETTERS_MAX} are letters of their own`);
      return taken;
    },
  };
}

/** @throws Error for what is compressed: nothing that unpacks itself is read here */
async function* plain(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let isFirst = true;
  for await (const chunk of chunks) {
    if (isFirst && GZIP.every((byte, i) => chunk[i] === byte))
      throw new Error('it is compressed (gzip), and captures are plain lines of JSON');
    isFirst = false;
    yield chunk;
  }
}
