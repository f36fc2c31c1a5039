/** Log messages of turbines → documents with numbers, under ids that make a redelivery harmless. */
import { z } from 'zod';
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { isThingName } from '../../actors/contracts/ids.ts';
import type { IndexedDocument } from '../../actors/contracts/index.ts';
import { readDecimal } from './decimal.ts';
import { LogBytes } from './log-bytes.ts';
import { LogMessage } from './messages.ts';

const Message = LogMessage.extend({ device_name: z.string().refine(isThingName, 'is no name of a thing') });

/** A record that has not the desk turbine's fields, with the reason. */
export interface RefusedRecord {
  readonly record: { readonly ts: string; readonly data: readonly string[] };
  readonly reason: string;
}

/** @param message what the rule made of it: `device_name` and `logs`. @throws ZodError for what is no log message */
export function logDocuments(message: unknown): {
  readonly documents: readonly IndexedDocument[];
  readonly refused: readonly RefusedRecord[];
} {
  const { device_name, logs: bytes } = message as { readonly device_name?: unknown; readonly logs?: unknown };
  if (bytes instanceof LogBytes && typeof device_name === 'string' && isThingName(device_name))
    return { documents: bytesDocuments(device_name, bytes), refused: [] };
  const { device_name: thing, logs } = Message.parse(message);
  const documents: IndexedDocument[] = [];
  const refused: RefusedRecord[] = [];
  const turbineId = turbineOf(thing);
  for (const record of logs) {
    const { ts, data } = record;
    if (data.length !== NAMES.length) {
      refused.push({ record, reason: `${thing} at ${ts}: ${data.length} values, not ${NAMES.length}` });
      continue;
    }
    const values: (number | null)[] = [];
    let wrong = -1;
    for (let i = 0; i < NAMES.length; i++) {
      const value = data[i] === '' ? null : readDecimal(data[i]);
      if (value !== null && Number.isNaN(value)) {
        wrong = i;
        break;
      }
      values.push(value);
    }
    if (wrong < 0) documents.push(new LogDocument(thing, turbineId, `${thing}:${ts}:${data[0]}`, Date.parse(ts), values));
    else refused.push({ record, reason: `${thing} at ${ts}: ${NAMES[wrong]} is ${JSON.stringify(data[wrong])}, no number` });
  }
  return { documents, refused };
}

interface LogDocument extends IndexedDocument {
  readonly deviceId: string;
  readonly turbineId: string;
}

/**
 * These are the most documents that there are. What a constructor makes gets room for all of its fields at once: three times as fast as
 * adding them to a literal. It is a plain object for all that.
 */
const LogDocument = function (
  this: Record<string, string | number | null>,
  thing: string,
  turbineId: string,
  id: string,
  at: number,
  values: readonly (number | null)[],
) {
  this['id'] = id;
  this['at'] = at;
  this['thing'] = thing;
  this['deviceId'] = thing;
  this['turbineId'] = turbineId;
  for (let i = 0; i < NAMES.length; i++) this[NAMES[i]] = values[i];
} as unknown as new (
  thing: string,
  turbineId: string,
  id: string,
  at: number,
  values: readonly (number | null)[],
) => LogDocument;
LogDocument.prototype = Object.prototype;

const NAMES = deskTurbine.channels.map(({ name }) => name);

/** As the original's Lambda calls it. */
const turbineOf = (thing: string) => thing.replace(/^jetson-/, 'Turbine ');

function bytesDocuments(thing: string, { records, values }: LogBytes): IndexedDocument[] {
  const turbineId = turbineOf(thing);
  const row: (number | null)[] = [];
  return records.map(({ ts, at, first }, r) => {
    for (let i = 0; i < NAMES.length; i++) {
      const value = values[r * NAMES.length + i];
      row[i] = Number.isNaN(value) ? null : value;
    }
    return new LogDocument(thing, turbineId, `${thing}:${ts}:${first}`, at, row);
  });
}
