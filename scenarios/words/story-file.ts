/** A story from a file: `.yaml`, `.yml` and `.json` are read, `.js`, `.mjs` and, where Node can, `.ts` are imported. */
import { isUtf8 } from 'node:buffer';
import { closeSync, openSync, readSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import { FileInvalid, reasonOf, UsageError } from '../../actors/contracts/errors.ts';
import { importStory } from './module.ts';
import type { StorySource } from './source.ts';
import { parseStory } from './yaml.ts';

const BYTES_MAX = 1_000_000;
const TEXTS = ['.yaml', '.yml', '.json'];
const MODULES = ['.js', '.mjs', '.ts', '.mts'];

/** Whether a word of the command line is a file's path rather than a story's name. */
export const isStoryFile = (word: string): boolean => word === '-' || /[/\\]/.test(word) || [...TEXTS, ...MODULES].includes(extname(word));

/**
 * @param path `-` is the standard input, as YAML
 * @throws FileInvalid naming every fault by file, line and column.
 */
export async function readStory(path: string): Promise<StorySource> {
  if (path === '-') return { ...parseStory(readCapped(0, '<stdin>'), '<stdin>'), folder: process.cwd() };
  const kind = extname(path);
  const folder = dirname(resolve(path));
  if (MODULES.includes(kind)) return { ...(await importStory(path, readBounded(path))), folder };
  if (!TEXTS.includes(kind))
    throw new UsageError(`${path} is no story: its name ends with none of ${[...TEXTS, ...MODULES].join(', ')}`, {
      hint: 'write it as YAML, and call it NAME.yaml',
    });
  return { ...parseStory(readBounded(path), path), folder };
}

/** The text of a file that may be anything: never more of it is read than a story can be long. @throws FileInvalid */
export function readBounded(path: string): string {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    throw unreadable(path, error);
  }
  try {
    return readCapped(descriptor, path);
  } finally {
    closeSync(descriptor);
  }
}

function readCapped(descriptor: number, path: string): string {
  const bytes = Buffer.alloc(BYTES_MAX + 1);
  let length = 0;
  try {
    for (;;) {
      const more = readSync(descriptor, bytes, length, bytes.length - length, null);
      length += more;
      if (more === 0 || length > BYTES_MAX) break;
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  if (length > BYTES_MAX)
    throw new FileInvalid(`${path}:1:1 is larger than ${BYTES_MAX / 1e6} MB: no story is so long`, {
      hint: 'a recording or a wind series stays in a file of its own: the story names it',
    });
  const text = bytes.subarray(0, length);
  if (isUtf8(text)) return text.toString('utf8');
  const before = text.toString('utf8').split('\uFFFD', 1)[0].split('\n');
  throw new FileInvalid(`${path}:${before.length}:${before[before.length - 1].length + 1} is no text (UTF-8)`, {
    hint: 'a story is YAML in UTF-8',
  });
}

const unreadable = (path: string, error: unknown) =>
  new FileInvalid(`${path} cannot be read: ${reasonOf(error)}`, {
    cause: error,
    hint: 'stories of the library go by name: windfleet scenario list',
  });
