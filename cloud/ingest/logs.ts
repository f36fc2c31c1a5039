/** Log messages of turbines → documents with numbers, under ids that make a redelivery harmless. */
import { z } from 'zod';
import { deskTurbine } from '../../actors/contracts/channels.ts';
import { isThingName } from '../../actors/contracts/ids.ts';
import type { IndexedDocument } from '../../actors/contracts/index.ts';
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
  const { device_name: thing, logs } = Message.parse(message);
  const documents: IndexedDocument[] = [];
  const refused: RefusedRecord[] = [];
  for (const { ts, data } of logs) {
    if (data.length !== deskTurbine.channels.length) {
      refused.push({ record: { ts, data }, reason: `${thing} at ${ts}: ${data.length} values, not ${deskTurbine.channels.length}` });
      continue;
    }
    const values = data.map((text) => (text === '' ? null : Number(text)));
    const wrong = values.findIndex((value) => value !== null && !Number.isFinite(value));
    if (wrong >= 0)
      refused.push({
        record: { ts, data },
        reason: `${thing} at ${ts}: ${deskTurbine.channels[wrong].name} is ${JSON.stringify(data[wrong])}, no number`,
      });
    else {
      const fields = Object.fromEntries(deskTurbine.channels.map(({ name }, i) => [name, values[i]]));
      documents.push({
        id: `${thing}:${ts}:${data[0]}`,
        at: Date.parse(ts),
        thing,
        deviceId: thing,
        turbineId: thing.replace(/^jetson-/, 'Turbine '),
        ...fields,
      });
    }
  }
  return { documents, refused };
}
