/**
 * A message's payload as JSON: an object in UTF-8, not deeper than 64, no name twice (JSON's parser would take the last and say nothing)
 * and none that reaches an object's making.
 */
import { isUtf8 } from 'node:buffer';

const DEPTH_MAX = 64;
const FORBIDDEN = new Set(['__proto__', 'constructor', 'prototype']);
const [QUOTE, BACKSLASH, COLON, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST] = Buffer.from('"\\:{}[]');

/** @throws Error, SyntaxError saying what is wrong with it */
export function readPayload(payload: Uint8Array): Readonly<Record<string, unknown>> {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength); // no copy
  if (!isUtf8(bytes)) throw new Error('it is no UTF-8');
  const members = countMembers(bytes);
  const value: unknown = JSON.parse(bytes.toString('utf8'));
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('it is no JSON object');
  if (checkNames(value) !== members) throw new Error('a name is there twice in one object');
  return value as Record<string, unknown>;
}

/** Members of all objects in what may be JSON. @throws Error when it is too deep for whoever walks through it */
function countMembers(bytes: Buffer): number {
  let members = 0;
  let depth = 0;
  let inText = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inText) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === COLON) members++;
    else if (byte === OPEN || byte === OPEN_LIST) {
      if (++depth > DEPTH_MAX) throw new Error(`it is nested deeper than ${DEPTH_MAX}`);
    } else if (byte === CLOSE || byte === CLOSE_LIST) depth--;
  }
  return members;
}

/** @returns how many members there are. @throws Error for a name that may not be */
function checkNames(value: object): number {
  let members = 0;
  const isList = Array.isArray(value);
  for (const name of Object.keys(value)) {
    if (!isList) {
      members++;
      if (FORBIDDEN.has(name)) throw new Error(`${name} is no name for a member`);
    }
    const member: unknown = (value as Record<string, unknown>)[name];
    if (typeof member === 'object' && member !== null) members += checkNames(member);
  }
  return members;
}
