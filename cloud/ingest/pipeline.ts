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
import type { DocumentBatch, DocumentIndex, IndexedDocument, RefusedDocument } from '../../actors/contracts/index.ts';
import type { Log } from '../../actors/contracts/log.ts';
import type { ObjectEntry, ObjectHead, ObjectStore } from '../../actors/contracts/objects.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { compileRule } from '../rules/engine.ts';
import { captureReader, isCaptureFile } from './capture-reader.ts';
import type { ThingOfDevice } from './captures.ts';
import { type DocumentMaker, documentMakers, documentsOf, madeBy, ownMaker, ownMessage } from './documents.ts';
import { openLetters } from './letters.ts';
import { letterReplay } from './replay.ts';
import { type Kept, openSpool, type SpooledMessage } from './spool.ts';

/** The original's rule for application logs. */
export const LOG_RULE = "SELECT 'logs' as msg_type, topic(3) as device_name, * FROM 'wind-turbine/logs/#'";

export interface Ingest extends DeadLetters {
  /** Made since the start. */
  readonly documents: number;
  /** Given up since the start: nothing kept them, or no room was left. */
  readonly lost: number;
  /** Documents that the cloud makes itself, as an alarm's: kept like a message's. */
  keep(index: string, documents: readonly IndexedDocument[]): void;
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
const BATCH = 2_000; // documents between two flushes, while what waited is taken again
const BACKLOG = 100_000; // documents that wait in memory where there is no spool
const QUEUE = 5_000; // messages that wait in memory for their turn where there is one
const CURSOR = 'captures.json';
const CURSOR_MARGIN_MS = 60_000; // an object that was being put when its neighbour was read

/** A message as it came in. */
interface Heard {
  readonly spooled: SpooledMessage;
  /** Null without a spool. */
  readonly kept: Kept | null;
}

export async function startIngest(ports: IngestPorts): Promise<Ingest> {
  const { bus, index, clock, log, disk, objects, thingOfDevice, captured } = ports;
  const heardMakers = [...documentMakers(compileRule(LOG_RULE)), ...(ports.makers ?? [])];
  const makers = [...heardMakers, ownMaker];
  const letters = await openLetters(disk, log);
  const spool = disk && (await openSpool(disk, log));
  const now = (): Millis => clock.epoch + clock.now();
  const backlog: { readonly index: string; readonly documents: DocumentBatch }[] = [];
  let backlogSize = 0;
  let [documents, lost, replayed] = [0, 0, 0];
  let queued = 0;
  let isAway = false; // the index: what comes now waits
  const missed = new Set<string>(); // segments with messages that the index has not been handed
  let captures = { read: 0, saved: await cursorOf(disk), areMissed: false }; // epoch milliseconds of the newest object
  let tail: Promise<void> = Promise.resolve();
  let timer = 0;
  let [isClosed, isSettling, isUnkept] = [false, false, false];

  const inTurn = (work: () => Promise<void>): Promise<void> => {
    tail = tail.then(work).catch((error: unknown) => log.error({ reason: reasonOf(error) }, 'ingestion'));
    return tail;
  };
  const refuse = (source: LetterSource, payload: Uint8Array, reason: string, bytes?: number) =>
    letters.keep(source, payload, reason, now(), bytes);
  const refuseOf = ({ topic, from, heardAt }: SpooledMessage, payload: Uint8Array, reason: string) =>
    refuse({ kind: 'message', topic, from, heardAt }, payload, reason);
  const refuseDocuments = (refused: readonly RefusedDocument[]) => {
    for (const { index: name, document, reason } of refused)
      refuse({ kind: 'document', index: name }, Buffer.from(JSON.stringify(document)), reason);
  };
  /** @throws StoreUnavailable */
  const flushIndex = async () => refuseDocuments(await index.flush());

  // ── from the bus ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

  const takeHeard = async ({ spooled, kept }: Heard, wanting: readonly DocumentMaker[]) => {
    if (isAway && kept) {
      missed.add(kept.segment);
      return;
    }
    for (const { index: name, documents: batch, refused } of madeBy(spooled, wanting)) {
      for (const { payload, reason } of refused) refuseOf(spooled, payload, reason);
      if (batch.length === 0) continue;
      try {
        if (backlog.length > 0) throw new StoreUnavailable('others wait already');
        await index.add(name, batch);
        documents += batch.length;
      } catch (error) {
        if (!kept) {
          wait(name, batch);
          continue;
        }
        if (!isAway) log.warn({ reason: reasonOf(error) }, 'the index is away: messages wait on disk');
        isAway = true;
        missed.add(kept.segment);
      }
    }
  };
  const wait = (name: string, batch: DocumentBatch) => {
    backlog.push({ index: name, documents: batch });
    for (backlogSize += batch.length; backlogSize > BACKLOG; ) {
      const oldest = backlog.shift()!.documents.length;
      backlogSize -= oldest;
      lost += oldest;
    }
  };

  const whenKept = () => {
    isUnkept = false;
  };
  const whenUnkept = (error: unknown) => {
    if (!isUnkept)
      log.warn({ reason: reasonOf(error) }, 'messages are not kept on disk: nobody is answered, and what comes at QoS 0 is unprotected');
    isUnkept = true;
  };
  const keep = (spooled: SpooledMessage, isAwaited: boolean): Heard => {
    const kept = spool?.keep(spooled, isAwaited) ?? null;
    kept?.written.then(whenKept, (error: unknown) => {
      whenUnkept(error);
      if (isAway && !isAwaited) lost++;
    });
    return { spooled, kept };
  };
  const takeSoon = (heard: Heard, wanting: readonly DocumentMaker[]) => {
    if (heard.kept && queued >= QUEUE) {
      missed.add(heard.kept.segment);
      return;
    }
    queued++;
    void inTurn(async () => {
      queued--;
      await takeHeard(heard, wanting);
    });
  };
  let latest: { readonly message: Message; readonly heard: Heard } | null = null;
  const hearer =
    (wanting: readonly DocumentMaker[]) =>
    (message: Message): unknown => {
      if (latest?.message !== message) {
        // once for each message, however many want it
        const { topic, payload, from = null, isAwaited = false } = message;
        latest = { message, heard: keep({ topic, payload, from, heardAt: now() }, isAwaited) };
      }
      const { heard } = latest;
      takeSoon(heard, wanting);
      return message.isAwaited ? heard.kept?.written : undefined; // its publisher is answered when it is on disk
    };

  // ── from the object store ────────────────────────────────────────────────────────────────────────────────────────────────────

  const reader = captureReader({ index, now, refuse, thingOfDevice, captured });
  const readObject = async (store: ObjectStore, { key, modifiedAt }: Pick<ObjectEntry, 'key' | 'modifiedAt'>) => {
    try {
      documents += await reader.read(store, key);
      captures.read = Math.max(captures.read, modifiedAt);
    } catch (error) {
      if (!(error instanceof StoreUnavailable) || !objects)
        refuse({ kind: 'object', bucket: CAPTURE_BUCKET, key, line: 0 }, new Uint8Array(), reasonOf(error));
      else captures.areMissed = true; // the store or the index is away: it is read again from the cursor
    }
  };
  /** What came in while nobody listened, or could not be read. */
  const catchUpCaptures = async () => {
    if (!objects) return;
    captures.areMissed = false;
    for (let after: string | undefined; ; ) {
      const page = await objects.page(CAPTURE_BUCKET, { limit: 1_000, ...(after === undefined ? {} : { after }) });
      for (const entry of page.objects)
        if (isCaptureFile(entry.key) && entry.modifiedAt >= captures.saved - CURSOR_MARGIN_MS) await readObject(objects, entry);
      if (page.next === null) return;
      after = page.next;
    }
  };

  // ── into the index, for good ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes what a segment holds again. @throws StoreUnavailable */
  const catchUp = async (segment: string) => {
    let since = 0;
    for await (const message of spool!.read(segment)) {
      for (const { index: name, documents: batch, refused } of documentsOf(message, makers)) {
        for (const { payload, reason } of refused) refuseOf(message, payload, reason);
        if (batch.length > 0) await index.add(name, batch);
        documents += batch.length;
        since += batch.length;
      }
      if (since < BATCH) continue;
      since = 0;
      await flushIndex();
    }
    await flushIndex();
  };
  /** @param closing what the spool held when this was called: all of it has been handed over, or is missed, by the time that it runs */
  const settle = async (closing: Promise<readonly string[]> | null, isFirst = false) => {
    const segments = (await closing) ?? [];
    if (isFirst) for (const segment of segments) missed.add(segment);
    try {
      await flushIndex();
      isAway = false;
      for (const segment of segments) {
        if (!missed.has(segment)) continue;
        await catchUp(segment);
        missed.delete(segment);
      }
      for (let next = backlog[0]; next; next = backlog[0]) {
        await index.add(next.index, next.documents);
        documents += next.documents.length;
        backlog.shift();
        backlogSize -= next.documents.length;
      }
      if (captures.areMissed || isFirst) await catchUpCaptures();
      await flushIndex();
    } catch (error) {
      isAway = true;
      if (isFirst) captures.areMissed = true;
      log.warn({ reason: reasonOf(error) }, 'the index could not be written: what it lacks waits');
      return;
    }
    await spool?.drop(segments);
    if (disk && !captures.areMissed && captures.read > captures.saved) {
      await disk.write(`${CURSOR}.tmp`, Buffer.from(JSON.stringify({ modifiedAt: captures.read })));
      await disk.rename(`${CURSOR}.tmp`, CURSOR);
      captures = { ...captures, saved: captures.read };
    }
  };
  const settleSoon = (isFirst = false) => {
    const closing = spool ? spool.cut() : null; // now: what is heard from here on is handed over after the flush
    isSettling = true;
    return inTurn(async () => {
      try {
        await settle(closing, isFirst);
      } finally {
        isSettling = false;
      }
    });
  };
  const tick = () => {
    if (isClosed) return;
    timer = clock.setTimeout(tick, FLUSH_MS);
    if (!isSettling) void settleSoon();
  };

  void settleSoon(true);
  for (const filter of new Set(heardMakers.map((maker) => maker.filter)))
    await bus.subscribe(filter, hearer(heardMakers.filter((maker) => maker.filter === filter)));
  timer = clock.setTimeout(tick, FLUSH_MS);
  const replay = letterReplay({ letters, index, makers, reader, objects, now, refused: refuseDocuments });

  return {
    get documents() {
      return documents;
    },
    get lost() {
      return lost;
    },
    keep: (name, batch) => takeSoon(keep(ownMessage(name, batch, now()), false), [ownMaker]),
    objectCreated(store, head) {
      if (head.bucket === CAPTURE_BUCKET && isCaptureFile(head.key)) void inTurn(() => readObject(store, head));
    },
    list: letters.list,
    show: letters.show,
    counts: () => ({ ...letters.counts(), replayed }),
    async replay(id) {
      const result = await replay(id);
      if (result.documents !== null) replayed++;
      return result;
    },
    async settled() {
      await tail;
      await letters.settled();
    },
    async close() {
      isClosed = true;
      clock.clearTimeout(timer);
      await settleSoon();
      await letters.settled();
    },
  };
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
