/**
 * The document of a device shadow, and what an update makes of it (iot-jobs.md §2; AWS IoT's device shadow documents):
 * objects are merged, null removes, arrays and all else are replaced whole; each leaf has the instant of its last update.
 */
import { invalid, shown } from './names.ts';
import type { Json, JsonObject } from './ports.ts';

/** One half of a shadow; metadata has the shape of its state, with `{ timestamp }` for each leaf. */
export interface Section {
  readonly state: JsonObject;
  readonly metadata: JsonObject;
}

export interface ShadowDocument {
  /** Null: nothing is in it. */
  readonly desired: Section | null;
  readonly reported: Section | null;
  readonly version: number;
  /** Epoch seconds. */
  readonly timestamp: number;
}

const DEEPEST = 8; // AWS IoT: levels of a section
const LARGEST = 8 * 1024; // AWS IoT: bytes of the state, without metadata
const POLLUTING = new Set(['__proto__', 'constructor', 'prototype']);

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** @param patch absent: unchanged; null: the section goes. @returns null when nothing is left */
export function mergeSection(before: Section | null, patch: Json | undefined, timestamp: number): Section | null {
  if (patch === undefined) return before;
  if (!isObject(patch)) return null;
  const merged = merge(before?.state ?? {}, before?.metadata ?? {}, patch, timestamp);
  return Object.keys(merged.state).length === 0 ? null : merged;
}

function merge(state: JsonObject, metadata: JsonObject, patch: JsonObject, timestamp: number): Section {
  const states = new Map(Object.entries(state));
  const stamps = new Map(Object.entries(metadata));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) {
      states.delete(key);
      stamps.delete(key);
    } else if (isObject(value)) {
      const [old, oldStamps] = [states.get(key), stamps.get(key)];
      const inner = merge(isObject(old) ? old : {}, isObject(old) && isObject(oldStamps) ? oldStamps : {}, value, timestamp);
      states.set(key, inner.state);
      stamps.set(key, inner.metadata);
    } else {
      states.set(key, value);
      stamps.set(key, stamped(value, timestamp));
    }
  }
  return { state: Object.fromEntries(states), metadata: Object.fromEntries(stamps) };
}

/** The shape of a value with an instant for each leaf. */
export function stamped(value: Json, timestamp: number): Json {
  if (Array.isArray(value)) return value.map((one: Json) => stamped(one, timestamp));
  if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, stamped(one, timestamp)]));
  return { timestamp };
}

/** What is desired and not reported so, with its metadata; null when nothing is. */
export function deltaOf({ desired, reported }: ShadowDocument): Section | null {
  return desired && difference(desired, reported?.state ?? {});
}

function difference({ state, metadata }: Section, reported: JsonObject): Section | null {
  const states: [string, Json][] = [];
  const stamps: [string, Json][] = [];
  for (const [key, value] of Object.entries(state)) {
    const has = Object.hasOwn(reported, key) ? reported[key] : undefined;
    const stamp = metadata[key];
    if (isObject(value) && isObject(has)) {
      const inner = difference({ state: value, metadata: isObject(stamp) ? stamp : {} }, has);
      if (!inner) continue;
      states.push([key, inner.state]);
      stamps.push([key, inner.metadata]);
    } else if (!isSame(value, has)) {
      states.push([key, value]);
      stamps.push([key, stamp]);
    }
  }
  return states.length === 0 ? null : { state: Object.fromEntries(states), metadata: Object.fromEntries(stamps) };
}

/** Equal as JSON: the order of members does not count. */
export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (Array.isArray(a))
    return Array.isArray(b) && a.length === b.length && a.every((one: Json, i) => isSame(one, (b as readonly Json[])[i]));
  if (!isObject(a)) return a === b;
  if (!isObject(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && isSame(a[key], b[key]));
}

/** `{ desired, reported }` of states or of metadata, without what is empty. */
export const halves = ({ desired, reported }: ShadowDocument, of: 'state' | 'metadata'): JsonObject => ({
  ...(desired ? { desired: desired[of] } : {}),
  ...(reported ? { reported: reported[of] } : {}),
});

/** Whether the whole state is larger than a shadow may be. */
export const isTooLarge = (document: ShadowDocument): boolean => Buffer.byteLength(JSON.stringify(halves(document, 'state'))) > LARGEST;

/** @throws ThingRefused InvalidRequest for what a section may not hold, however deep. Recursion ends at the deepest level allowed. */
export function checkSection(name: 'desired' | 'reported', section: Json | undefined): void {
  if (section === undefined || section === null) return;
  if (!isObject(section)) throw invalid(`${name} node must be an object`);
  check(section, 1);
}

function check(value: Json, level: number): void {
  if (typeof value === 'number') {
    // JSON has no bounds, a double has: better refused than kept as another number
    if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value)))
      throw invalid('a number is beyond ±(2^53 − 1)');
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (level > DEEPEST) throw invalid(`JSON contains too many levels of nesting; maximum is ${DEEPEST}`);
  if (Array.isArray(value)) {
    for (const one of value as readonly Json[]) {
      if (one === null) throw invalid('arrays may not contain null');
      check(one, level + 1);
    }
    return;
  }
  for (const [key, one] of Object.entries(value)) {
    if (POLLUTING.has(key)) throw invalid(`${shown(key)} is no name of an attribute`);
    check(one, level + 1);
  }
}
