/**
 * From the bus into the index: logs by the original's rule, verdicts a document a feature, states and alarms; from the object store:
 * captured inferences. A bad message or line stops nothing: it is counted and kept among the dead letters.
 */
import { z } from 'zod';
import type { Bus, Message } from '../../actors/contracts/bus.ts';
import type { Clock } from '../../actors/contracts/clock.ts';
import { CAPTURE_BUCKET } from '../../actors/contracts/capture.ts';
import { reasonOf } from '../../actors/contracts/errors.ts';
import type { DocumentIndex, IndexedDocument } from '../../actors/contracts/index.ts';
import type { Log } from '../../actors/contracts/log.ts';
import type { ObjectHead, ObjectStore } from '../../actors/contracts/objects.ts';
import { runRule } from '../rules/engine.ts';
import { verdictDocuments } from '../original-devices.ts';
import { parseVerdict } from '../telemetry-door.ts';
import { captureDocuments, type ThingOfDevice } from './captures.ts';
import { StateMessage, thingOf } from './messages.ts';
import { logDocuments } from './logs.ts';

/** The original's rule for application logs. */
export const LOG_RULE = "SELECT 'logs' as msg_type, topic(3) as device_name, * FROM 'wind-turbine/logs/#'";

export interface DeadLetter {
  readonly topic: string;
  readonly reason: string;
  /** The start of the payload. */
  readonly payload: string;
}

export interface Ingest {
  readonly documents: number;
  readonly refused: number;
  /** The last ones, oldest first. */
  deadLetters(): readonly DeadLetter[];
  /** An object was put: a file of captures is read, anything else left alone. */
  objectCreated(objects: ObjectStore, head: ObjectHead): void;
  /** Resolves once all that was heard is in the index. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const KEPT = 1_000;
const FLUSH_MS = 5_000;
const MAX_CAPTURE_BYTES = 16 * 2 ** 20;

export async function startIngest({
  bus,
  index,
  clock,
  log,
  thingOfDevice,
  captured,
}: {
  readonly bus: Bus;
  readonly index: DocumentIndex;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent: devices are called as their things. */
  readonly thingOfDevice?: ThingOfDevice;
  /** Told of the captures of devices that report no verdicts themselves. */
  readonly captured?: (captures: readonly IndexedDocument[]) => void;
}): Promise<Ingest> {
  const dead: DeadLetter[] = [];
  let documents = 0;
  let refused = 0;
  let tail: Promise<void> = Promise.resolve();
  let timer = 0;

  const refuse = (topic: string, payload: Uint8Array, reason: string) => {
    refused++;
    dead.push({ topic, reason, payload: Buffer.from(payload.subarray(0, 500)).toString('utf8') });
    if (dead.length > KEPT) dead.shift();
  };
  const add = (name: string, batch: readonly IndexedDocument[]) => {
    documents += batch.length;
    tail = tail
      .then(() => index.add(name, batch))
      .catch((error: unknown) => log.error({ index: name, reason: reasonOf(error) }, 'documents could not be indexed'));
  };
  /** Reads JSON, and makes documents of it. */
  const hear =
    <T>(name: string, parse: (body: unknown) => T, documentsOf: (thing: string, body: T) => IndexedDocument[]) =>
    ({ topic, payload }: Message) => {
      try {
        add(name, documentsOf(thingOf(topic), parse(JSON.parse(Buffer.from(payload).toString('utf8')))));
      } catch (error) {
        refuse(topic, payload, error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error));
      }
    };

  const readCaptures = async (objects: ObjectStore, { bucket, key, bytes }: ObjectHead) => {
    if (bytes > MAX_CAPTURE_BYTES) throw new Error(`${bytes} bytes of captures in one object; ${MAX_CAPTURE_BYTES} at most`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of objects.get(bucket, key)) chunks.push(chunk);
    const result = captureDocuments(Buffer.concat(chunks).toString('utf8'), thingOfDevice);
    for (const { line, reason, text } of result.refused) refuse(`${bucket}/${key}:${line}`, Buffer.from(text), reason);
    if (result.refused.length > 0)
      log.warn({ key, lines: result.refused.length, reason: result.refused[0].reason }, 'captures that are none');
    documents += result.documents.length;
    await index.add('captures', result.documents);
    await index.add('verdicts', result.unreported.flatMap(verdictDocuments));
    captured?.(result.unreported);
  };

  await runRule(LOG_RULE, {
    bus,
    refused: refuse,
    action(document, topic) {
      const result = logDocuments(document);
      for (const { reason } of result.refused) refuse(topic, Buffer.alloc(0), reason);
      add('logs', result.documents);
    },
  });
  await bus.subscribe(
    'windfleet/+/verdict',
    hear('verdicts', parseVerdict, (thing, { at, model, scores, announced }) => {
      const verdict = `${thing}:${at}:`;
      const documents: IndexedDocument[] = [];
      for (const feature in scores) {
        const score = scores[feature];
        documents.push({ id: verdict + feature, at, thing, feature, score, anomalous: score > 1, announced, model });
      }
      return documents;
    }),
  );
  await bus.subscribe(
    'windfleet/+/state',
    hear(
      'states',
      (body) => StateMessage.parse(body),
      (thing, { at, state, cause, model, update }) => [
        { id: `${thing}:${at}:${state}`, at, thing, state, cause, model: model ?? '', update: update ?? '' },
      ],
    ),
  );
  const flush = () => {
    timer = clock.setTimeout(flush, FLUSH_MS);
    tail = tail
      .then(() => index.flush())
      .then((refusals) => {
        for (const { index: name, document, reason } of refusals) refuse(`index:${name}`, Buffer.from(JSON.stringify(document)), reason);
      })
      .catch((error: unknown) => log.error({ reason: reasonOf(error) }, 'the index could not be written'));
  };
  timer = clock.setTimeout(flush, FLUSH_MS);

  return {
    get documents() {
      return documents;
    },
    get refused() {
      return refused;
    },
    deadLetters: () => dead,
    objectCreated(objects, head) {
      if (head.bucket !== CAPTURE_BUCKET || !head.key.endsWith('.jsonl')) return;
      tail = tail
        .then(() => readCaptures(objects, head))
        .catch((error: unknown) => refuse(`${head.bucket}/${head.key}`, Buffer.alloc(0), reasonOf(error)));
    },
    settled: () => tail,
    async close() {
      clock.clearTimeout(timer);
      await tail;
    },
  };
}
