/** A story as a module with a default export. Its values carry no positions: where something stands is looked for in the module's text. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { FileInvalid, reasonOf } from '../../actors/contracts/errors.ts';
import type { Scenario } from '../dsl.ts';
import { WHAT_KEYS } from './schema.ts';
import { readShape } from './shape.ts';
import { type Path, refuseStory, type StorySource } from './source.ts';

const DEPTH_MAX = 32;

/**
 * Runs the module: a story file is as trusted as the program that it is given to.
 *
 * @param text of the module
 * @throws FileInvalid when it cannot be imported, or is no story
 */
export async function importStory(path: string, text: string): Promise<Omit<StorySource, 'folder'>> {
  const canImportTypes = (process.features as { typescript?: string | false }).typescript;
  if (/\.m?ts$/.test(path) && !canImportTypes)
    throw new FileInvalid(`${path}: Node ${process.versions.node} cannot import TypeScript`, {
      hint: 'compile it (npx tsc) and name the .js, write it as YAML, or use Node 22.18 or newer',
    });
  let module: { readonly default?: unknown };
  try {
    module = (await import(pathToFileURL(resolve(path)).href)) as { readonly default?: unknown };
  } catch (error) {
    throw new FileInvalid(`${path} cannot be imported: ${reasonOf(error)}${whereIn(error, path)}`, {
      cause: error,
      hint: 'a story module is ECMAScript: `export default { … }`',
    });
  }
  if (module.default === undefined)
    throw new FileInvalid(`${path}:1:1 has no default export`, { hint: 'a story module says `export default scenario({ … })`' });
  return storyModule(module.default, path, text);
}

/** @throws FileInvalid naming everything that is no story's. @param text of the module; null when it is not at hand */
export function storyModule(raw: unknown, path: string, text: string | null): Omit<StorySource, 'folder'> {
  const place = (at: Path) => (text === null ? path : `${path}:${lineOf(at, raw, text)}`);
  const found = readShape(plain(raw));
  if ('faults' in found) refuseStory(found.faults, place);
  return { story: (found as { story: Scenario }).story, name: path, place };
}

/** Only data: what a module computes has become plain values, and what is no data is seen as such by the schema. */
function plain(raw: unknown, depth = 0): unknown {
  if (depth > DEPTH_MAX) return null; // a value that holds itself
  if (Array.isArray(raw)) return raw.map((value) => plain(value, depth + 1));
  if (typeof raw !== 'object' || raw === null || ![Object.prototype, null].includes(Object.getPrototypeOf(raw))) return raw;
  return Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, plain(value, depth + 1)]));
}

/** `line:col` of what stands at a path, or of what is around it: of an entry, its first word as often as it came before; else the beginning. */
function lineOf(path: Path, raw: unknown, text: string): string {
  const [list, index] = path;
  const entries = typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>)[String(list)] : null;
  if (!Array.isArray(entries) || typeof index !== 'number')
    return lineOfOffset(new RegExp(`\\b${String(list)}\\b['"]?\\s*:`).exec(text)?.index ?? 0, text);
  const marks = entries.map(markOf);
  const mark = marks[index];
  if (mark === null) return '1:1';
  const nth = marks.slice(0, index).filter((other) => other?.source === mark.source).length;
  const found = [...text.matchAll(mark)][nth];
  return lineOfOffset(found?.index ?? 0, text);
}

/** What tells an entry in the text: `that: 'alarm'`, `fault: 'bearing-wear'`, `replay: 'a.csv'`. */
function markOf(entry: unknown): RegExp | null {
  if (typeof entry !== 'object' || entry === null) return null;
  const key = ['that', ...WHAT_KEYS, 'replay', 'serial', 'like'].find((word) => Object.hasOwn(entry, word));
  if (key === undefined) return null;
  const value = String((entry as Record<string, unknown>)[key]).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`\\b${key}['"]?\\s*:\\s*['"\`]${value}['"\`]`, 'g');
}

function lineOfOffset(offset: number, text: string): string {
  const before = text.slice(0, offset).split('\n');
  return `${before.length}:${before[before.length - 1].length + 1}`;
}

/** Where a module breaks, as far as its error tells. */
function whereIn(error: unknown, path: string): string {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const [, line] = new RegExp(`${resolve(path).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}:(\\d+)`).exec(stack) ?? [];
  return line === undefined ? '' : ` (line ${line})`;
}
