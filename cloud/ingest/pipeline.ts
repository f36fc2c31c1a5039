/**
 * From the bus into the index: logs by the original's rule, verdicts a document a feature, states; from the object store: captured
 * inferences. What cannot become a document stops nothing: it goes to the dead letters, with its reason.
 *
 * Nothing is lost and nothing doubled. A message is in the spool before its publisher is answered, and leaves it once the index has
 * written its documents; captures lie in the object store, and a cursor tells how far they have been read. What an earlier process left
 * is taken again at start: documents have ids, so that twice is once. While the index is away the spool grows on disk, and memory does not.
 */
import type { Bus, Message } from '../../actors/contracts/bus.ts';
import { CAPTURE_BUCKET } from '../../actors/contracts/capture.ts';
import type { Clock } from '../../actors/contracts/clock.ts';
import type { DeadLetters, LetterSource } from '../../actors/contracts/dead-letters.ts';
import type { Disk } from '../../actors/contracts/disk.ts';
import { reasonOf, StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { DocumentIndex, IndexedDocument } from '../../actors/contracts/index.ts';
import type { Log } from '../../actors/contracts/log.ts';
import type { ObjectEntry, ObjectHead, ObjectStore } from '../../actors/contracts/objects.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { verdictDocuments } from '../original-devices.ts';
import { compileRule } from '../rules/engine.ts';
import { captureDocument, type ThingOfDevice } from './captures.ts';
import { type DocumentMaker, documentMakers, documentsOf, futureReason, isFuture, madeBy } from './documents.ts';
import { openLetters } from './letters.ts';
import { linesOf } from './lines.ts';
import { openSpool, type Spool, type SpooledMessage } from './spool.ts';

/** The original's rule for application logs. */
export const LOG_RULE = "SELECT 'logs' as msg_type, topic(3) as device_name, * FROM 'wind-turbine/logs/#'";

export interface Ingest extends DeadLetters {
  /** Made since the start. */
  readonly documents: number;
  /** Given up since the start: nothing kept them, or no room was left. */
  readonly lost: number;
  /** An object was put: a file of captures is read, anything else left alone. */
  objectCreated(objects: ObjectStore, head: ObjectHead): void;
  /** Resolves once all that was heard has been handed to the index, or waits for it. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

export interface IngestPorts {
  readonly bus: Bus;
  readonly index: DocumentIndex;
  readonly clock: Clock;
  readonly log: Log;
  /** Where spool, letters and cursor lie; null: in virtual time nothing outlives the process. */
  readonly disk: Disk | null;
  /** Where captures may have come in while nobody listened; absent: nowhere. */
  readonly objects?: ObjectStore;
  /** Absent: devices are called as their things. */
  readonly thingOfDevice?: ThingOfDevice;
  /** Told of the captures of devices that report no verdicts themselves. */
  readonly captured?: (captures: readonly IndexedDocument[]) => void;
  /** What other rules make of messages. */
  readonly makers?: readonly DocumentMaker[];
}

const FLUSH_MS = 5_000;
const LINE_BYTES = 2 ** 20;
const BATCH = 2_000; // documents between two flushes, while what waited is taken again
const BACKLOG = 100_000; // documents that wait in memory where there is no spool
const CURSOR = 'captures.json';
const CURSOR_MARGIN_MS = 60_000; // an object that was being put when its neighbour was read

export async function startIngest(ports: IngestPorts): Promise<Ingest> {
  const { bus, index, clock, log, disk, objects, thingOfDevice, captured } = ports;
  const makers = [...documentMakers(compileRule(LOG_RULE)), ...(ports.makers ?? [])];
  const letters = await openLetters(disk, log);
  const spool = disk && (await openSpool(disk, clock, log));
  const now = (): Millis => clock.epoch + clock.now();
  const backlog: { readonly index: string; readonly documents: readonly IndexedDocument[] }[] = [];
  let backlogSize = 0;
  let [documents, lost, replayed] = [0, 0, 0];
  let isBehind = false; // the index has not taken something that the spool still holds
  let captures = { read: 0, saved: 0, areMissed: false }; // epoch milliseconds of the newest object
  let tail: Promise<void> = Promise.resolve();
  let timer = 0;
  let isClosed = false;

  const inTurn = (work: () => Promise<void>): Promise<void> => {
    tail = tail.then(work).catch((error: unknown) => log.error({ reason: reasonOf(error) }, 'ingestion'));
    return tail;
  };
  const refuse = (source: LetterSource, payload: Uint8Array, reason: string) => letters.keep(source, payload, reason, now());
  const refuseOf = ({ topic, from, heardAt }: SpooledMessage, payload: Uint8Array, reason: string) =>
    refuse({ kind: 'message', topic, from, heardAt }, payload, reason);

  /** @returns how many documents. @throws StoreUnavailable when the index is away */
  const take = async (message: SpooledMessage): Promise<number> => {
    let made = 0;
    for (const { index: name, documents: batch, refused } of documentsOf(message, makers)) {
      for (const { payload, reason } of refused) refuseOf(message, payload, reason);
      if (batch.length > 0) await index.add(name, batch);
      made += batch.length;
    }
    return made;
  };
  /** As `take`, from the bus: what the index does not take waits where it can. */
  const takeHeard = async (message: SpooledMessage, wanting: readonly DocumentMaker[]) => {
    if (isBehind) return; // it is in the spool
    for (const { index: name, documents: batch, refused } of madeBy(message, wanting)) {
      for (const { payload, reason } of refused) refuseOf(message, payload, reason);
      if (batch.length === 0) continue;
      documents += batch.length;
      try {
        if (backlog.length > 0) throw new StoreUnavailable('others wait already');
        await index.add(name, batch);
      } catch (error) {
        if (spool) {
          if (!isBehind) log.warn({ reason: reasonOf(error) }, 'the index is away: messages wait on disk');
          isBehind = true;
        } else wait(name, batch);
      }
    }
  };
  const wait = (name: string, batch: readonly IndexedDocument[]) => {
    backlog.push({ index: name, documents: batch });
    for (backlogSize += batch.length; backlogSize > BACKLOG; ) {
      const oldest = backlog.shift()!.documents.length;
      backlogSize -= oldest;
      lost += oldest;
    }
  };

  const hearer =
    (wanting: readonly DocumentMaker[]) =>
    (message: Message): unknown => {
      const { topic, payload, from = null, qos } = message;
      const heard: SpooledMessage = { topic, payload, from, heardAt: now() };
      const kept = spool?.keep(heard, qos === 1);
      void inTurn(() => takeHeard(heard, wanting));
      if (qos === 1) return kept; // its publisher is answered when it is on disk
      kept?.catch((error: unknown) => {
        lost++;
        log.warn({ topic, reason: reasonOf(error) }, 'a message of QoS 0 is not on disk: it is lost if this process ends now');
      });
      return undefined;
    };

  const readCaptures = async (store: ObjectStore, { key, modifiedAt }: Pick<ObjectEntry, 'key' | 'modifiedAt'>) => {
    const read: IndexedDocument[] = [];
    const unreported: IndexedDocument[] = [];
    for await (const { number, bytes, isTooLong } of linesOf(store.get(CAPTURE_BUCKET, key), LINE_BYTES)) {
      const source = { kind: 'object', bucket: CAPTURE_BUCKET, key, line: number } as const;
      try {
        if (isTooLong) throw new Error(`the line is longer than ${LINE_BYTES} bytes`);
        const { document, isReported } = captureDocument(Buffer.from(bytes).toString('utf8'), thingOfDevice);
        if (isFuture(document.at, now())) throw new Error(futureReason(document.at, now()));
        read.push(document);
        if (!isReported) unreported.push(document);
      } catch (error) {
        refuse(source, bytes, reasonOf(error));
      }
    }
    await index.add('captures', read);
    await index.add('verdicts', unreported.flatMap(verdictDocuments));
    documents += read.length;
    captures.read = Math.max(captures.read, modifiedAt);
    captured?.(unreported);
  };
  const readObject = async (store: ObjectStore, entry: Pick<ObjectEntry, 'key' | 'modifiedAt'>) => {
    try {
      await readCaptures(store, entry);
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || !objects) {
        refuse({ kind: 'object', bucket: CAPTURE_BUCKET, key: entry.key, line: 0 }, new Uint8Array(), reasonOf(error));
        return;
      }
      captures.areMissed = true; // the store or the index is away: it is read again from the cursor
    }
  };
  /** What came in while nobody listened, or could not be read. */
  const catchUpCaptures = async () => {
    if (!objects) return;
    captures.areMissed = false;
    for (let after: string | undefined; ; ) {
      const page = await objects.page(CAPTURE_BUCKET, { limit: 1_000, ...(after === undefined ? {} : { after }) });
      for (const entry of page.objects)
        if (entry.key.endsWith('.jsonl') && entry.modifiedAt >= captures.saved - CURSOR_MARGIN_MS) await readObject(objects, entry);
      if (page.next === null) return;
      after = page.next;
    }
  };

  /** @throws StoreUnavailable */
  const flushIndex = async () => {
    for (const { index: name, document, reason } of await index.flush())
      refuse({ kind: 'message', topic: `index:${name}`, from: null, heardAt: now() }, Buffer.from(JSON.stringify(document)), reason);
  };
  /** Takes what the spool holds again. @throws StoreUnavailable */
  const catchUp = async (kept: Spool, segments: readonly string[]) => {
    let since = 0;
    for await (const message of kept.read(segments)) {
      since += await take(message);
      if (since < BATCH) continue;
      since = 0;
      await flushIndex();
    }
    await flushIndex();
  };
  /** @param closing what the spool held when this was called, which the index has been handed by the time that it runs */
  const settle = async (closing: Promise<readonly string[]> | null, isFirst = false) => {
    const segments = (await closing) ?? [];
    try {
      await flushIndex();
      if (spool && (isBehind || isFirst)) {
        isBehind = false;
        await catchUp(spool, segments);
      }
      for (let next = backlog[0]; next; next = backlog[0]) {
        await index.add(next.index, next.documents);
        backlog.shift();
        backlogSize -= next.documents.length;
      }
      if (captures.areMissed || isFirst) await catchUpCaptures();
      await flushIndex();
    } catch (error) {
      if (!isBehind && segments.length > 0) isBehind = true;
      log.warn({ reason: reasonOf(error) }, 'the index could not be written: what it lacks waits');
      return;
    }
    await spool?.drop(segments);
    if (disk && !captures.areMissed && captures.read > captures.saved) {
      await disk.write(`${CURSOR}.tmp`, Buffer.from(JSON.stringify({ modifiedAt: captures.read })));
      await disk.rename(`${CURSOR}.tmp`, CURSOR);
      captures.saved = captures.read;
    }
  };
  const flushSoon = () => {
    if (isClosed) return;
    timer = clock.setTimeout(flushSoon, FLUSH_MS);
    const closing = spool ? spool.cut() : null; // now: what is heard from here on is handed over after the flush
    void inTurn(() => settle(closing));
  };

  captures = { ...captures, saved: await cursorOf(disk), read: 0 };
  const left = spool ? spool.cut() : null;
  void inTurn(() => settle(left, true));
  for (const filter of new Set(makers.map((maker) => maker.filter)))
    await bus.subscribe(filter, hearer(makers.filter((maker) => maker.filter === filter)));
  timer = clock.setTimeout(flushSoon, FLUSH_MS);

  return {
    get documents() {
      return documents;
    },
    get lost() {
      return lost;
    },
    objectCreated(store, head) {
      if (head.bucket !== CAPTURE_BUCKET || !head.key.endsWith('.jsonl')) return;
      void inTurn(() => readObject(store, head));
    },
    list: letters.list,
    show: letters.show,
    counts: () => ({ ...letters.counts(), replayed }),
    async replay(id) {
      const { source, payload, isCut } = await letters.show(id);
      if (isCut) return { documents: null, reason: 'it was too long to be kept whole' };
      const made = source.kind === 'message' ? remade(source, payload) : remadeCapture(payload);
      if ('reason' in made) return { documents: null, reason: made.reason };
      for (const { index: name, documents: batch } of made.batches) await index.add(name, batch);
      await flushIndex();
      await letters.remove(id);
      replayed++;
      return { documents: made.batches.reduce((sum, { documents: batch }) => sum + batch.length, 0) };
    },
    async settled() {
      await tail;
      await letters.settled();
    },
    async close() {
      isClosed = true;
      clock.clearTimeout(timer);
      await spool?.close();
      const closing = spool ? spool.cut() : null;
      await inTurn(() => settle(closing));
      await letters.settled();
    },
  };

  type Remade =
    | { readonly reason: string }
    | { readonly batches: readonly { readonly index: string; readonly documents: readonly IndexedDocument[] }[] };

  function remade(source: Extract<LetterSource, { kind: 'message' }>, payload: Uint8Array): Remade {
    const made = documentsOf({ ...source, payload }, makers);
    const [refused] = made.flatMap((one) => one.refused);
    if (refused) return { reason: refused.reason };
    return made.length === 0 ? { reason: `nothing is made of ${source.topic} here` } : { batches: made };
  }

  function remadeCapture(payload: Uint8Array): Remade {
    try {
      const { document } = captureDocument(Buffer.from(payload).toString('utf8'), thingOfDevice);
      return { batches: [{ index: 'captures', documents: [document] }] };
    } catch (error) {
      return { reason: reasonOf(error) };
    }
  }
}

/** Epoch milliseconds of the newest object that has been read; 0: none has, or nobody knows. */
async function cursorOf(disk: Disk | null): Promise<Millis> {
  const bytes = await disk?.read(CURSOR);
  try {
    const { modifiedAt } = JSON.parse(Buffer.from(bytes ?? []).toString('utf8')) as { modifiedAt: unknown };
    return typeof modifiedAt === 'number' && modifiedAt >= 0 ? modifiedAt : 0;
  } catch {
    return 0;
  }
}
