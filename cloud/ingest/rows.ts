/**
 * Rows of a user's own rule as documents: flat, numbers stay numbers, members of objects by `outer_inner`. A row may say which `thing`
 * it is about, when (`at`, `ts`, `timestamp`: epoch milliseconds or a date) and its `id`; else its topic, its arrival and its content do.
 * A message that is delivered twice is one document when it says when; without a time of its own each delivery is one.
 */
import { createHash } from 'node:crypto';
import { isThingName } from '../../actors/contracts/ids.ts';
import type { IndexedDocument } from '../../actors/contracts/index.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { compileRule } from '../rules/engine.ts';
import type { DocumentMaker } from './documents.ts';
import type { SpooledMessage } from './spool.ts';

export interface UserRule {
  readonly sql: string;
  /** Where its rows go. */
  readonly index: string;
}

const FIELDS_MAX = 256;
const DEPTH_MAX = 8;
const NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,63}$/;
const TEXT_MAX = 32_768;

/** @throws FileInvalid for SQL that is none */
export function ruleMaker({ sql, index }: UserRule): DocumentMaker {
  const rule = compileRule(sql);
  return {
    filter: rule.from,
    make(message) {
      const row = rule.run(message);
      return { index, documents: row === null ? [] : [documentOf(row, message)], refused: [] };
    },
  };
}

/** @throws Error for what is no flat document */
function documentOf(row: Readonly<Record<string, unknown>>, { topic, payload, heardAt }: SpooledMessage): IndexedDocument {
  const fields: Record<string, string | number | boolean | null> = {};
  flatten(row, '', 0, fields);
  const { id, thing, at, ts, timestamp } = fields;
  const instant = instantOf(at ?? ts ?? timestamp);
  // Without a time of its own a message that says the same again says something new, and only its arrival tells the two apart.
  const arrival = instant === null ? String(heardAt) : '';
  const device = [thing, fields['device_name'], topic.split('/').at(-1)].find((name) => typeof name === 'string' && isThingName(name));
  return {
    ...fields,
    id:
      typeof id === 'string' && id !== ''
        ? id
        : createHash('sha256').update(`${topic}\n${arrival}\n`).update(payload).digest('hex').slice(0, 32),
    at: instant ?? heardAt,
    thing: String(device ?? 'unknown'),
  };
}

function flatten(value: object, prefix: string, depth: number, fields: Record<string, string | number | boolean | null>): void {
  if (depth > DEPTH_MAX) throw new Error(`the row is nested deeper than ${DEPTH_MAX}`);
  for (const [name, member] of Object.entries(value)) {
    const field = prefix + name;
    if (!NAME.test(field)) throw new Error(`${JSON.stringify(field)} is no name for a field: letters, digits and _, 64 at most`);
    if (Array.isArray(member)) throw new Error(`${field} is an array: choose one of its items, as ${field}[0]`);
    if (typeof member === 'object' && member !== null) flatten(member, `${field}_`, depth + 1, fields);
    else if (typeof member === 'string' && member.length > TEXT_MAX) throw new Error(`${field} is longer than ${TEXT_MAX} characters`);
    else fields[field] = member as string | number | boolean | null;
    if (Object.keys(fields).length > FIELDS_MAX) throw new Error(`the row has more than ${FIELDS_MAX} fields`);
  }
}

function instantOf(value: unknown): Millis | null {
  const at = typeof value === 'number' ? value : typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isFinite(at) && at >= 0 ? at : null;
}
