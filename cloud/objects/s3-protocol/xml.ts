/**
 * The XML of S3. Written: elements and text, what XML 1.0 has no character for as `�`. Read: elements and text alone; no document
 * type, no processing instruction but the first, at most 8 deep — so there is nothing to expand and nothing to fetch.
 */
import { S3Failure } from './failure.ts';

/** Text, number, truth; a list repeats its element; undefined and null are left out. */
export type Xml = string | number | boolean | null | undefined | { readonly [name: string]: Xml } | readonly Xml[];

export const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';

export function writeDocument(root: string, content: Xml, namespace: string | null = NAMESPACE): string {
  const attribute = namespace === null ? '' : ` xmlns="${namespace}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${attribute}>${inside(content)}</${root}>`;
}

function inside(content: Xml): string {
  if (content === null || content === undefined) return '';
  if (typeof content !== 'object') return escapeText(String(content));
  return Object.entries(content)
    .map(([name, value]) => (Array.isArray(value) ? value.map((one) => element(name, one)).join('') : element(name, value as Xml)))
    .join('');
}

const element = (name: string, value: Xml) => (value === undefined || value === null ? '' : `<${name}>${inside(value)}</${name}>`);

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#13;', '\n': '&#10;' };
const SPECIAL = /[&<>"\r\n]/g;
const NO_CHARACTER = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

const escapeText = (text: string) => text.replace(SPECIAL, (found) => ESCAPES[found]).replace(NO_CHARACTER, '\ufffd');

export interface Element {
  readonly name: string;
  readonly text: string;
  readonly children: readonly Element[];
}

const DEPTH = 8;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** @throws S3Failure MalformedXML */
export function readDocument(bytes: Uint8Array): Element {
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    throw malformed();
  }
  const stack: { name: string; text: string; children: Element[] }[] = [{ name: '', text: '', children: [] }];
  const token = /<\?xml[^>]*\?>|<!--[\s\S]*?-->|<(\/?)([A-Za-z_][\w.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;
  while (token.lastIndex < text.length) {
    const found = token.exec(text);
    if (!found) throw malformed();
    const [, closes, name, , isEmpty, characters] = found;
    const open = stack[stack.length - 1];
    if (characters !== undefined) open.text += unescapeText(characters);
    else if (name === undefined) continue;
    else if (closes) {
      if (stack.length === 1 || open.name !== name) throw malformed();
      stack.pop();
    } else {
      const child = { name, text: '', children: [] };
      open.children.push(child);
      if (!isEmpty) stack.push(child);
      if (stack.length > DEPTH) throw malformed();
    }
  }
  const [document] = stack;
  if (stack.length !== 1 || document.children.length !== 1 || document.text.trim() !== '') throw malformed();
  return document.children[0];
}

const NAMED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

const unescapeText = (text: string) =>
  text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w+));|&/g, (_, decimal, hex, name) => {
    if (name !== undefined && Object.hasOwn(NAMED, name)) return NAMED[name];
    const code = decimal !== undefined ? Number(decimal) : hex !== undefined ? Number.parseInt(hex, 16) : Number.NaN;
    if (!(code > 0 && code <= 0x10ffff) || (code >= 0xd800 && code < 0xe000)) throw malformed();
    return String.fromCodePoint(code);
  });

/** The text of the only child of that name; null without one. @throws S3Failure MalformedXML when there are more */
export function childText({ children }: Element, name: string): string | null {
  const found = children.filter((child) => child.name === name);
  if (found.length > 1) throw malformed();
  return found.length === 0 ? null : found[0].text;
}

export const malformed = () =>
  new S3Failure('MalformedXML', 'The XML you provided was not well-formed or did not validate against our published schema');
