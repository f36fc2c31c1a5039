/** S3 asked the plain way: any method, path, headers and bytes, signed with AWS's own signer, sent as they are over a socket of their own. */
import { connect } from 'node:net';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Key } from './aws-client.ts';

export interface S3Ask {
  readonly method?: string;
  /** Escaped, with the query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** What `x-amz-content-sha256` says; absent: the digest of the body. */
  readonly payload?: string;
  readonly at?: Date;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
  /** The code of an error; empty for none. */
  readonly code: string;
}

const signerOf = (key: Key) =>
  new SignatureV4({ credentials: key, region: 'us-east-1', service: 's3', sha256: Sha256, uriEscapePath: false, applyChecksum: true });

const requestOf = (url: string, { method = 'GET', path, headers = {}, body, payload }: S3Ask) => {
  const [pathname, query = ''] = path.split('?');
  const { host, hostname } = new URL(url);
  return {
    method,
    protocol: 'http:',
    hostname,
    path: pathname,
    query: Object.fromEntries(new URLSearchParams(query)),
    headers: { host, ...headers, ...(payload === undefined ? {} : { 'x-amz-content-sha256': payload }) },
    ...(body === undefined ? {} : { body }),
  };
};

export async function signedS3(url: string, key: Key, ask: S3Ask): Promise<Record<string, string>> {
  const { headers } = await signerOf(key).sign(requestOf(url, ask), { signingDate: ask.at ?? new Date() });
  return headers;
}

/** @returns path and query. */
export async function presignedS3(url: string, key: Key, ask: S3Ask, expiresIn = 60): Promise<string> {
  const unsigned = { unsignableHeaders: new Set(['x-amz-content-sha256']), unhoistableHeaders: new Set(['x-amz-content-sha256']) };
  const request = requestOf(url, { ...ask, payload: 'UNSIGNED-PAYLOAD' });
  const { path, query } = await signerOf(key).presign(request, { expiresIn, signingDate: ask.at ?? new Date(), ...unsigned });
  return `${path}?${Object.entries(query ?? {})
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join('&')}`;
}

/** Sends it, and hears the answer out. @param headers all of them but the length of the body, which a lie may give */
export function sendS3(
  url: string,
  { method = 'GET', path, body = '' }: Pick<S3Ask, 'method' | 'path' | 'body'>,
  headers: Readonly<Record<string, string>>,
): Promise<S3Answer> {
  const { hostname, port, host } = new URL(url);
  const bytes = Buffer.from(body);
  const own: Record<string, string> = { host, connection: 'close', ...headers };
  if (!('content-length' in own) && bytes.length > 0) own['content-length'] = String(bytes.length);
  return new Promise((done, failed) => {
    const socket = connect(Number(port), hostname);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('error', failed);
    socket.on('close', () => done(answerOf(Buffer.concat(chunks))));
    const lines = Object.entries(own).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'));
    socket.write(bytes);
    if (Number(own['content-length'] ?? 0) > bytes.length) socket.end(); // and says that there is no more
  });
}

export async function askS3(url: string, key: Key, ask: S3Ask): Promise<S3Answer> {
  return sendS3(url, ask, await signedS3(url, key, ask));
}

function answerOf(bytes: Buffer): S3Answer {
  const at = bytes.indexOf('\r\n\r\n');
  const [first = '', ...lines] = bytes.toString('latin1', 0, at).split('\r\n');
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  const text = at < 0 ? '' : bytes.toString('utf8', at + 4);
  return { status: Number(first.split(' ')[1] ?? 0), headers, text, code: /<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? '' };
}
