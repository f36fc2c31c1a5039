/**
 * A story as YAML (JSON is YAML too): every fault is named by file, line and column, and nothing that a file can hold does harm — no
 * code, no tags, no aliases without end, no keys that objects keep to themselves.
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  stringify,
  visit,
} from 'yaml';
import { FileInvalid, reasonOf } from '../../actors/contracts/errors.ts';
import type { Scenario } from '../dsl.ts';
import { readShape } from './shape.ts';
import { type Path, refuseStory, type StorySource } from './source.ts';

const HINT = 'a story is YAML in UTF-8, as windfleet scenario validate --help shows';
const ALIASES_MAX = 100;
const FAULTS_SHOWN = 20;
/** An entry of a story stands three deep, an attribute five. */
const DEPTH_MAX = 32;

/** @throws FileInvalid naming every fault by file, line and column. */
export function parseStory(given: string, file: string): Omit<StorySource, 'folder'> {
  const text = given.replace(/^\uFEFF/, '');
  refuseText(text, file);
  const lines = new LineCounter();
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${Math.max(1, col)}`;
  };
  const doc = parsed(text, lines, file);
  refuseLines([...doc.errors, ...doc.warnings].map((error) => `${at(error.pos[0])} ${yamlReason(error.code, error.message)}`));
  const place = (path: Path) => {
    for (let depth = path.length; depth >= 0; depth--) {
      const node = nodeAt(doc, path.slice(0, depth));
      if (node?.range) return at(node.range[0]);
    }
    return `${file}:1:1`;
  };
  const found = readShape(plain(doc, at));
  if ('faults' in found) refuseStory(found.faults, place);
  return { story: (found as { story: Scenario }).story, name: file, place };
}

/** A story as YAML that `parseStory` reads back as the same. @param schema where the JSON Schema lies, for editors; null: not said */
export function printStory(story: Scenario, schema: string | null = null): string {
  const head = schema === null ? '' : `# yaml-language-server: $schema=${schema}\n`;
  return head + stringify(story, { lineWidth: 120, collectionStyle: 'any', aliasDuplicateObjects: false });
}

function parsed(text: string, lines: LineCounter, file: string): Document.Parsed {
  const deep = tooDeep(text);
  if (deep !== null) refuseLines([`${file}:${deep} is nested more than ${DEPTH_MAX} deep`]);
  return parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
}

/** `line:col` of the first bracket or indented block that is too deep to be read; null when there is none. Quoted brackets count: no story has so many. */
function tooDeep(text: string): string | null {
  let line = 1;
  let start = 0;
  let brackets = 0;
  let dashes = 0;
  let isIndent = true;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === '\n') {
      line++;
      start = i + 1;
      dashes = 0;
      isIndent = true;
      continue;
    }
    if (c === '[' || c === '{') brackets++;
    else if ((c === ']' || c === '}') && brackets > 0) brackets--;
    else if (isIndent && (c === '-' || c === '?' || c === ':') && /\s/.test(text[i + 1] ?? ' ')) dashes++;
    else if (isIndent && c !== ' ' && c !== '\t') isIndent = false;
    if (brackets > DEPTH_MAX || dashes > DEPTH_MAX || (isIndent && i - start > 16 * DEPTH_MAX)) return `${line}:${i - start + 1}`;
  }
  return null;
}

/** The document as plain values. @throws FileInvalid for aliases that grow beyond all measure, and for keys and values that no story has */
function plain(doc: Document.Parsed, at: (offset: number) => string): unknown {
  const faults: string[] = [];
  let alias = 0;
  const offset = (node: unknown) => (isNode(node) ? (node.range?.[0] ?? 0) : 0);
  visit(doc, {
    Pair: (_, { key }) => {
      if (!isScalar(key)) faults.push(`${at(offset(key))} a key must be a word`);
      else if (key.value === '__proto__') faults.push(`${at(offset(key))} __proto__: is not known here`);
      else if (key.value === '<<') faults.push(`${at(offset(key))} <<: entries are not merged: write them out`);
    },
    Node: (_, node) => {
      if (isAlias(node)) alias ||= offset(node);
      else if (node.tag !== undefined && !PLAIN_TAGS.has(node.tag))
        faults.push(`${at(offset(node))} the tag ${node.tag} is not known here`);
    },
  });
  refuseLines(faults);
  try {
    return doc.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    refuseLines([`${at(alias)} ${reasonOf(error)}`]); // the only reason for which it throws
    throw error;
  }
}

const PLAIN_TAGS: ReadonlySet<string> = new Set(
  ['map', 'seq', 'str', 'int', 'float', 'bool', 'null'].map((name) => `tag:yaml.org,2002:${name}`),
);

/** The node of a value or, where it has one, its key. */
function nodeAt(doc: Document.Parsed, path: Path): Node | null {
  let node: unknown = doc.contents;
  let key: Node | null = null;
  for (const part of path) {
    if (isAlias(node)) node = node.resolve(doc);
    if (isMap(node)) {
      const pair = node.items.find((item) => isPair(item) && isScalar(item.key) && String(item.key.value) === String(part));
      if (!pair) return null;
      key = pair.key as unknown as Node;
      node = pair.value;
    } else if (isSeq(node)) {
      key = null;
      node = node.items[Number(part)];
      if (node === undefined) return null;
    } else return null;
  }
  return key ?? (isNode(node) ? node : null);
}

/** Empty, or no text at all: none of it is shown then, since it could be anything. */
function refuseText(text: string, file: string): void {
  if (text.replace(/^#.*$/gm, '').trim() === '') refuseLines([`${file}:1:1 is empty`]);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what tells
  const strange = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\uFFFD]/.exec(text);
  if (!strange) return;
  const before = text.slice(0, strange.index).split('\n');
  refuseLines([`${file}:${before.length}:${before[before.length - 1].length + 1} is no text (UTF-8)`]);
}

function yamlReason(code: string, message: string): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins: a file holds one story';
  if (code === 'DUPLICATE_KEY') return 'the key is there already: keys are unique';
  return message.split('\n')[0];
}

function refuseLines(faults: readonly string[]): void {
  if (faults.length === 0) return;
  const rest = faults.length - FAULTS_SHOWN;
  throw new FileInvalid([...faults.slice(0, FAULTS_SHOWN), ...(rest > 0 ? [`and ${rest} more`] : [])].join('\n'), { hint: HINT });
}
