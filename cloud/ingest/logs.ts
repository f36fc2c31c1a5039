/** Log messages of turbines → documents with numbers, under ids that make a redelivery harmless. */
import { z } from 'zod';
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { isThingName } from '../../actors/contracts/ids.ts';
import type { IndexedDocument } from '../../actors/contracts/index.ts';
import { LogMessage, RECORDS_MAX, TEXT_MAX } from './messages.ts';

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
  const { device_name: thing, logs } = isPlain(message) ? message : Message.parse(message);
  const documents: IndexedDocument[] = [];
  const refused: RefusedRecord[] = [];
  const turbineId = thing.replace(/^jetson-/, 'Turbine ');
  for (const record of logs) {
    const { ts, data } = record;
    if (data.length !== NAMES.length) {
      refused.push({ record, reason: `${thing} at ${ts}: ${data.length} values, not ${NAMES.length}` });
      continue;
    }
    // One shape for all of them, field by field: these are the most documents that there are.
    const document: Record<string, string | number | null> & { id: string; at: number; thing: string } = {
      id: `${thing}:${ts}:${data[0]}`,
      at: Date.parse(ts),
      thing,
      deviceId: thing,
      turbineId,
    };
    let wrong = -1;
    for (let i = 0; i < NAMES.length; i++) {
      const value = data[i] === '' ? null : Number(data[i]);
      if (value !== null && !Number.isFinite(value)) {
        wrong = i;
        break;
      }
      document[NAMES[i]] = value;
    }
    if (wrong < 0) documents.push(document);
    else refused.push({ record, reason: `${thing} at ${ts}: ${NAMES[wrong]} is ${JSON.stringify(data[wrong])}, no number` });
  }
  return { documents, refused };
}

const NAMES = deskTurbine.channels.map(({ name }) => name);
const TIME = /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;

/** As the fleet writes them; whatever looks different is for the schema, which alone says what is wrong. */
function isPlain(message: unknown): message is z.infer<typeof Message> {
  const { device_name: thing, logs } = message as { readonly device_name?: unknown; readonly logs?: unknown };
  if (typeof thing !== 'string' || !isThingName(thing) || !Array.isArray(logs) || logs.length > RECORDS_MAX) return false;
  for (const record of logs as readonly unknown[]) {
    if (typeof record !== 'object' || record === null) return false;
    const { ts, data } = record as { readonly ts?: unknown; readonly data?: unknown };
    if (typeof ts !== 'string' || !TIME.test(ts) || !Array.isArray(data)) return false;
    for (const text of data as readonly unknown[]) if (typeof text !== 'string' || text.length > TEXT_MAX) return false;
  }
  return true;
}
