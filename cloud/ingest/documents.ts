/** What each message of the fleet becomes: documents of an index, and parts of it that cannot become one. Pure: the same message, the same documents. */
import { z } from 'zod';
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { topicMatches } from '../../actors/contracts/bus.ts';
import { reasonOf } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { DocumentBatch, IndexedDocument } from '../../actors/contracts/index.ts';
import type { VerdictReport } from '../../actors/contracts/telemetry.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { CompiledRule } from '../rules/engine.ts';
import { readPayload } from '../rules/payload.ts';
import { parseVerdict } from '../telemetry-door.ts';
import { readLogBytes } from './log-bytes.ts';
import { logDocuments } from './logs.ts';
import { RECORDS_MAX, StateMessage, thingOf } from './messages.ts';
import type { SpooledMessage } from './spool.ts';

export interface MadeDocuments {
  readonly index: string;
  readonly documents: DocumentBatch;
  /** Of all documents, where they are of one instant: so that nobody makes them to know. */
  readonly at?: Millis;
  /** Parts as messages of their own: mended, they may be sent again. */
  readonly refused: readonly { readonly payload: Uint8Array; readonly reason: string }[];
}

/** From a filter's messages to documents. @throws Error, ZodError when nothing of it can become one */
export interface DocumentMaker {
  readonly filter: string;
  make(message: SpooledMessage): MadeDocuments;
}

/**
 * A device whose clock is further ahead than this is wrong: its documents would stand above everybody's for as long. A day, since the
 * original writes its local time as if it were UTC, up to 14 hours ahead.
 */
const FUTURE_MS = 86_400_000;

/** @param logs what takes the logs, as AWS's would */
export const documentMakers = (logs: CompiledRule): readonly DocumentMaker[] => [
  {
    filter: logs.from,
    make(message) {
      const bytes = readLogBytes(message.payload, deskTurbine.channels.length, RECORDS_MAX);
      const row = bytes ? logs.runOn(message, { logs: bytes }) : logs.run(message);
      if (row === null) return { index: 'logs', documents: [], refused: [] };
      const { documents, refused } = logDocuments(row);
      const parts = refused.map(({ record, reason }) => ({ payload: Buffer.from(JSON.stringify({ logs: [record] })), reason }));
      return { index: 'logs', documents, refused: parts };
    },
  },
  {
    filter: 'windfleet/+/verdict',
    make({ topic, payload }) {
      const thing = thingOf(topic);
      const verdict = parseVerdict(readPayload(payload));
      return { index: 'verdicts', documents: verdictBatch(thing, verdict), at: verdict.at, refused: [] };
    },
  },
  {
    filter: 'windfleet/+/state',
    make({ topic, payload }) {
      const thing = thingOf(topic);
      const { at, state, cause, model, update } = StateMessage.parse(readPayload(payload));
      const told = { state, cause, model: model ?? '', update: update ?? '' };
      const id = `${thing}:${at}:${JSON.stringify(Object.values(told))}`; // a clock may date two states alike
      return { index: 'states', documents: [{ id, at, thing, ...told }], refused: [] };
    },
  },
];

/** A document a feature. A farm's verdicts have many more features than anybody looks at: so they are made when somebody does. */
function verdictBatch(thing: ThingName, { at, model, score, scores, announced }: VerdictReport): DocumentBatch {
  return {
    length: Object.keys(scores).length,
    *[Symbol.iterator]() {
      const verdict = `${thing}:${at}:${score}:`; // a clock that was set back gives its dates again, to other windows
      for (const feature in scores) {
        const own = scores[feature];
        yield { id: verdict + feature, at, thing, feature, score: own, anomalous: own > 1, announced, model };
      }
    },
  };
}

const OWN = '$windfleet/documents/'; // nobody but this process may publish on such a topic

/** Documents that this process makes itself, as a message, so that they wait where messages wait. */
export const ownMessage = (index: string, documents: readonly IndexedDocument[], heardAt: Millis): SpooledMessage => ({
  topic: OWN + index,
  payload: Buffer.from(JSON.stringify(documents)),
  from: null,
  heardAt,
});

/** Back from `ownMessage`. */
export const ownMaker: DocumentMaker = {
  filter: `${OWN}+`,
  make: ({ topic, payload }) => ({
    index: topic.slice(OWN.length),
    documents: JSON.parse(Buffer.from(payload).toString('utf8')) as readonly IndexedDocument[],
    refused: [],
  }),
};

/** All that a message becomes, by everybody who wants it. @param now against which its time is held */
export const documentsOf = (
  message: SpooledMessage,
  makers: readonly DocumentMaker[],
  now: Millis = message.heardAt,
): readonly MadeDocuments[] =>
  madeBy(
    message,
    makers.filter(({ filter }) => topicMatches(filter, message.topic)),
    now,
  );

/** As above, by those who want it all: what fails fails alone. */
export const madeBy = (
  message: SpooledMessage,
  wanting: readonly DocumentMaker[],
  now: Millis = message.heardAt,
): readonly MadeDocuments[] =>
  wanting.map((maker) => {
    try {
      return withoutFuture(maker.make(message), message.payload, now);
    } catch (error) {
      const reason = error instanceof z.ZodError ? z.prettifyError(error) : reasonOf(error);
      return { index: '', documents: [], refused: [{ payload: message.payload, reason }] };
    }
  });

function withoutFuture(made: MadeDocuments, payload: Uint8Array, now: Millis): MadeDocuments {
  if (made.at !== undefined && !isFuture(made.at, now)) return made;
  const documents = [...made.documents];
  const ahead = documents.find(({ at }) => isFuture(at, now));
  if (!ahead) return made;
  const reason = futureReason(ahead.at, now);
  return { ...made, documents: documents.filter(({ at }) => !isFuture(at, now)), refused: [...made.refused, { payload, reason }] };
}

export const isFuture = (at: Millis, now: Millis): boolean => at > now + FUTURE_MS;
export const futureReason = (at: Millis, now: Millis): string =>
  `its clock is ${Math.round((at - now) / 3_600_000)} hours ahead of here; a day is taken`;
