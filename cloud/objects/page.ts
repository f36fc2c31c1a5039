/** Cuts a page out of the keys of a bucket, as ListObjectsV2 does: what has the prefix, follows `after`, grouped at the delimiter. */
import type { PageOptions } from '../../actors/contracts/objects.ts';
import { byBytes } from './names.ts';

export const MOST_IN_PAGE = 1_000;

export interface KeyPage {
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
  readonly next: string | null;
}

/** @param keys in any order */
export function pageOf(keys: Iterable<string>, { prefix = '', after, delimiter = '', limit = MOST_IN_PAGE }: PageOptions): KeyPage {
  const wanted: string[] = [];
  for (const key of keys) if (key.startsWith(prefix) && (after === undefined || byBytes(key, after) > 0)) wanted.push(key);
  wanted.sort(byBytes);

  const page = { keys: [] as string[], prefixes: [] as string[] };
  let last: string | null = null;
  for (const key of wanted) {
    const group = groupOf(key, prefix, delimiter);
    if (group !== null && (group === page.prefixes.at(-1) || group === after)) continue;
    if (page.keys.length + page.prefixes.length >= limit) return { ...page, next: last };
    (group === null ? page.keys : page.prefixes).push(group ?? key);
    last = group ?? key;
  }
  return { ...page, next: null };
}

/** The key up to the first delimiter behind the prefix, with it; null when there is none. */
function groupOf(key: string, prefix: string, delimiter: string): string | null {
  if (delimiter === '') return null;
  const at = key.indexOf(delimiter, prefix.length);
  return at < 0 ? null : key.slice(0, at + delimiter.length);
}
