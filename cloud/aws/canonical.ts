/**
 * What a client signs (SigV4): the request in canonical form. The path is escaped once more than it is on the wire, as every
 * service but S3 has it; each byte outside `A-Za-z0-9-._~` becomes `%XX`.
 *
 *   method ⏎ path ⏎ query ⏎ name:value ⏎ … ⏎ ⏎ signed names ⏎ sha256(body)
 */

export interface RequestHead {
  readonly method: string;
  /** The path as it came, escaped, without the query. */
  readonly path: string;
  /** What follows the `?` as it came; empty without one. */
  readonly query: string;
  /** By lower-case name; bytes as Latin-1, a header that came more than once joined with commas. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Text whose Latin-1 bytes are what is hashed. @param signed names in lower case, as the client listed them */
export function canonicalRequest({ method, path, query, headers }: RequestHead, signed: readonly string[], bodySha256: string): string {
  let lines = '';
  for (const name of signed) lines += `${name}:${trimAll(headers.get(name) ?? '')}\n`;
  return `${method}\n${canonicalPath(path)}\n${canonicalQuery(query)}\n${lines}\n${signed.join(';')}\n${bodySha256}`;
}

/** Without empty and dot segments, a slash at the end kept. */
function canonicalPath(path: string): string {
  if (PLAIN_PATH.test(path)) return path;
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(escapeBytes(segment));
  }
  const end = kept.length > 0 && path.endsWith('/') ? '/' : '';
  return `/${kept.join('/')}${end}`;
}

/** Nothing to escape, no empty or dot segment. */
const PLAIN_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9_.~-]+)+$/;

/** Sorted by escaped name, then by escaped value. */
function canonicalQuery(query: string): string {
  if (query === '') return '';
  return query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      return at < 0 ? [recode(pair), ''] : [recode(pair.slice(0, at)), recode(pair.slice(at + 1))];
    })
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

/** Escapes as SigV4 does what came escaped in any other way. */
const recode = (text: string) => (PLAIN.test(text) ? text : escapeBytes(unescapeBytes(text)));

const PLAIN = /^[A-Za-z0-9_.~-]*$/;

const HEX = Array.from({ length: 256 }, (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`);

/** @param text a character a byte */
function escapeBytes(text: string): string {
  if (PLAIN.test(text)) return text;
  let escaped = '';
  for (let i = 0; i < text.length; i++) escaped += PLAIN.test(text[i]) ? text[i] : HEX[text.charCodeAt(i) & 0xff];
  return escaped;
}

/** A character a byte. A `%` that begins no escape stands for itself. */
const unescapeBytes = (text: string) =>
  text.replace(/\+/g, ' ').replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));

/** Blanks at the ends gone, those within are one. */
const trimAll = (value: string) => (/^\s|\s\s|\s$|\t/.test(value) ? value.trim().replace(/\s+/g, ' ') : value);
