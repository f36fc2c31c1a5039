/**
 * Where a key lies in its bucket's folder: percent-encoded as `<name>.object`, a name longer than a file system takes as nested
 * folders, `<piece>.d/<piece>.object`. The name tells the key, so a listing opens no file. No key can be `..`, or end as another file.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const LONGEST = 200; // of the 255 bytes that a name may have, with room for the ending
const OBJECT = '.object';
const FOLDER = '.d';

/** @param key one that `checkKey` has passed */
export function pathOf(key: string): string {
  const name = encodeURIComponent(key).replaceAll('.', '%2E');
  return name.length <= LONGEST ? name + OBJECT : `${pieces(name).join(`${FOLDER}/`)}${OBJECT}`;
}

/** Cut so that no escape is in two pieces. */
function pieces(name: string): string[] {
  const cut: string[] = [];
  for (let at = 0; at < name.length; ) {
    const lastEscape = name.slice(at, at + LONGEST).lastIndexOf('%');
    const end = at + LONGEST < name.length && lastEscape > LONGEST - 3 ? at + lastEscape : at + LONGEST;
    cut.push(name.slice(at, end));
    at = end;
  }
  return cut;
}

/** Every key of a bucket's folder, in any order; none for a folder that is not there. */
export async function keysIn(folder: string): Promise<string[]> {
  const keys: string[] = [];
  const walk = async (at: string, before: string): Promise<void> => {
    for (const entry of await readdir(at).catch(nothingThere)) {
      if (entry.endsWith(OBJECT)) keys.push(decodeURIComponent(before + entry.slice(0, -OBJECT.length)));
      else if (entry.endsWith(FOLDER)) await walk(join(at, entry), before + entry.slice(0, -FOLDER.length));
    }
  };
  await walk(folder, '');
  return keys;
}

function nothingThere(error: { readonly code?: string }): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
