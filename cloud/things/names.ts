/** What AWS IoT lets names, attributes and tags look like. All throw ThingRefused InvalidRequest with the rule and what was given. */
import { didYouMean, ThingRefused } from '../../actors/contracts/errors.ts';
import { isThingName } from '../../actors/contracts/ids.ts';
import type { Texts } from './ports.ts';

const ATTRIBUTE_NAME = /^[a-zA-Z0-9_.,@/:#-]{1,128}$/;
const ATTRIBUTE_VALUE = /^[a-zA-Z0-9_.,@/:#=[\]-]{0,800}$/; // the model text has no `=[]`, the service takes them
const TAG_KEY = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]{1,128}$/u;
const DESCRIPTION = /^[^\p{C}]{0,2028}$/u;
const POLLUTING = new Set(['__proto__', 'constructor', 'prototype']);

/** The group that every thing is in. */
export const FARM = 'farm';

export const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

export const invalid = (message: string, hint?: string): ThingRefused =>
  new ThingRefused('InvalidRequest', message, hint === undefined ? {} : { hint });

/** As it may be shown in a message: short, with nothing that moves a cursor. */
export const shown = (text: unknown): string => JSON.stringify(text)?.slice(0, 160) ?? 'nothing';

export function checkName(what: 'thing' | 'group' | 'thing type', name: string): void {
  if (!isThingName(name) || POLLUTING.has(name))
    throw invalid(`${shown(name)} is no name of a ${what}`, '1 to 128 of letters, digits, : _ -');
}

export function checkDescription(text: string): void {
  if (!DESCRIPTION.test(text)) throw invalid('a description has at most 2028 characters, none of them a control character');
}

/** @param most how many there may be */
export function checkAttributes(attributes: Texts, most: number, why = ''): void {
  const entries = Object.entries(attributes);
  if (entries.length > most) throw invalid(`${entries.length} attributes are more than ${most}${why}`);
  for (const [name, value] of entries) {
    if (!ATTRIBUTE_NAME.test(name) || POLLUTING.has(name))
      throw invalid(`${shown(name)} is no name of an attribute: 1 to 128 of a-z A-Z 0-9 _ . , @ / : # -`);
    if (typeof value !== 'string' || !ATTRIBUTE_VALUE.test(value))
      throw invalid(`attribute ${name} has a value that it may not have: up to 800 of a-z A-Z 0-9 _ . , @ / : # = [ ] -`);
  }
}

export function checkTag(key: string, value: unknown): asserts value is string {
  if (!TAG_KEY.test(key) || POLLUTING.has(key) || /^aws:/i.test(key)) throw invalid(`${shown(key)} is no key of a tag`);
  if (typeof value !== 'string' || value.length > 256) throw invalid(`tag ${key} has a value that is no text of at most 256 characters`);
}

/** What AWS does with given attributes: put to those there are (an empty text removes), or in their place. */
export function mergedAttributes(before: Texts, given: Texts, merge: boolean): Texts {
  const merged = new Map(merge ? Object.entries(before) : []);
  for (const [name, value] of Object.entries(given)) value === '' ? merged.delete(name) : merged.set(name, value);
  return Object.fromEntries(merged);
}

export const sameTexts = (a: Texts, b: Texts): boolean => {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name]);
};

/** @param known names near which it may be meant to be; only looked through when they are few */
export function absent(what: string, name: string, known: Iterable<string> = []): ThingRefused {
  const near = [...known];
  return new ThingRefused('ResourceNotFound', `there is no ${what} ${shown(name)}.${near.length <= 2_000 ? didYouMean(name, near) : ''}`);
}

/** @throws ThingRefused VersionConflict */
export function checkVersion(what: string, version: number, expected: number | undefined): void {
  if (expected !== undefined && expected !== version)
    throw new ThingRefused('VersionConflict', `${what} is at version ${version}, not ${expected}`, {
      hint: 'read it again and decide anew',
    });
}
