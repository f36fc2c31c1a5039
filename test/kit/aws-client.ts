/** Asks an AWS-shaped service the plain way: any method, path and body, signed with AWS's own signer. */
import { type IncomingHttpHeaders, Agent, request } from 'node:http';
import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';

export interface Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface Ask {
  readonly method: string;
  /** Path and query as they go on the wire, escaped. */
  readonly path: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly service: string;
  readonly region?: string;
  /** The instant that is signed. */
  readonly at?: Date;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly json: Record<string, unknown>;
}

/** Headers of the request with its signature. @param host `127.0.0.1:7070` */
export async function signedHeaders(host: string, key: Key, ask: Ask): Promise<Record<string, string>> {
  const { method, path, body, headers = {}, service, region = 'eu-west-1', at } = ask;
  const [pathname, query = ''] = path.split('?');
  const signer = new SignatureV4({ credentials: key, region, service, sha256: Sha256, uriEscapePath: true, applyChecksum: true });
  const signed = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname: host.split(':')[0],
      path: pathname,
      query: Object.fromEntries(new URLSearchParams(query)),
      headers: { host, ...headers },
      ...(body === undefined ? {} : { body }),
    },
    at ? { signingDate: at } : {},
  );
  return signed.headers;
}

const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** Sends what it is given, whether that makes sense or not. */
export function send(
  url: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body?: string | Uint8Array,
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((done, failed) => {
    const asked = request({ hostname, port, method, path, headers, agent }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        let json = {};
        try {
          json = JSON.parse(bytes.toString() || '{}') as Record<string, unknown>;
        } catch {
          // bytes of something else
        }
        done({ status: response.statusCode ?? 0, headers: response.headers, bytes, json });
      });
    });
    asked.on('error', failed);
    asked.end(body);
  });
}

export async function ask(url: string, key: Key, wanted: Ask): Promise<Answer> {
  const headers = await signedHeaders(new URL(url).host, key, wanted);
  return send(url, wanted.method, wanted.path, headers, wanted.body);
}
