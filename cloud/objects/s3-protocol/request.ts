/** An S3 request as it is on the wire, taken apart once: bucket and key by path, query by name. */
import type { IncomingMessage } from 'node:http';
import { S3Failure } from './failure.ts';

export interface S3Request {
  readonly method: string;
  /** As it came, escaped, without the query. */
  readonly path: string;
  /** In the order that they came; a name without `=` has the empty value. */
  readonly pairs: readonly (readonly [name: string, value: string])[];
  readonly query: ReadonlyMap<string, string>;
  /** By lower-case name; a header that came more than once is joined with commas. */
  readonly headers: ReadonlyMap<string, string>;
  /** Null: the service. */
  readonly bucket: string | null;
  /** Null: the bucket. */
  readonly key: string | null;
  readonly body: IncomingMessage;
}

/** @throws S3Failure InvalidURI, InvalidArgument */
export function readRequest(body: IncomingMessage): S3Request {
  const url = body.url ?? '/';
  const at = url.indexOf('?');
  const path = at < 0 ? url : url.slice(0, at);
  const pairs = at < 0 ? [] : readPairs(url.slice(at + 1));
  const query = new Map(pairs);
  if (query.size < pairs.length) throw new S3Failure('InvalidArgument', 'a query parameter is given twice');
  const slash = path.indexOf('/', 1);
  const bucket = unescaped(slash < 0 ? path.slice(1) : path.slice(1, slash));
  const key = slash < 0 ? '' : unescaped(path.slice(slash + 1));
  return {
    method: body.method ?? 'GET',
    path,
    pairs,
    query,
    headers: headersOf(body),
    bucket: bucket === '' ? null : bucket,
    key: key === '' ? null : key,
    body,
  };
}

const readPairs = (query: string): (readonly [string, string])[] =>
  query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const at = pair.indexOf('=');
      const [name, value] = at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)];
      return [unescaped(name.replaceAll('+', ' ')), unescaped(value.replaceAll('+', ' '))] as const;
    });

/** @throws S3Failure InvalidURI for what is no UTF-8 */
export function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Failure('InvalidURI', "Couldn't parse the specified URI.");
  }
}

/** As SigV4 has it: all but `A-Za-z0-9-._~` of the UTF-8 bytes. */
export const escapeAll = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (found) => `%${found.charCodeAt(0).toString(16).toUpperCase()}`);

function headersOf({ rawHeaders }: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i].toLowerCase();
    const before = headers.get(name);
    headers.set(name, before === undefined ? rawHeaders[i + 1] : `${before},${rawHeaders[i + 1]}`);
  }
  return headers;
}
