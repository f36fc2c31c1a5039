/**
 * The read side of an object store behind the console's port, as a device asks it: `GET <base>/objects/<bucket>/<key>`, from any byte on.
 *
 * It asks one host and no other: its name is resolved once and the address kept, so that no later answer of the DNS leads elsewhere, and a
 * redirect is refused. A server that says nothing is given up, one that answers a range with the whole is read on from where it was asked.
 */
import { lookup as resolve } from 'node:dns/promises';
import { type IncomingMessage, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { FleetError, NotFound, ObjectRefused, RemoteRefused, reasonOf, StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { ObjectStore } from '../../actors/contracts/objects.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { isPlaceOfNobody } from './addresses.ts';

export interface HttpObjectsOptions {
  /** After so long without a byte a request is given up; wall time. */
  readonly silenceMs?: Millis;
  /** Addresses of a name, for tests; absent: the system's. */
  readonly addressesOf?: (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>;
}

/** @param base `http://127.0.0.1:7070` */
export function httpObjects(base: string, { silenceMs = 30_000, addressesOf = systemAddresses }: HttpObjectsOptions = {}): ObjectStore {
  const { protocol, hostname, origin } = new URL(base);
  const host = hostname.replace(/^\[|\]$/g, '');
  const send = protocol === 'https:' ? httpsRequest : httpRequest;
  const url = (bucket: string, key: string) =>
    `${base}/objects/${encodeURIComponent(bucket)}/${key.split('/').map(encodeURIComponent).join('/')}`;

  let pinned: Promise<{ readonly address: string; readonly family: number }> | null = null;
  const pin = () => {
    pinned ??= addressOf(host, addressesOf);
    pinned.catch(() => {
      pinned = null; // the DNS was away: nothing is known yet that could be kept
    });
    return pinned;
  };

  const ask = async (
    method: 'GET' | 'HEAD',
    bucket: string,
    key: string,
    from = 0,
    signal?: AbortSignal,
  ): Promise<IncomingMessage | null> => {
    const { address, family } = await pin();
    const lookup: LookupFunction = (_, options, found) => (options.all ? found(null, [{ address, family }]) : found(null, address, family));
    const response = await new Promise<IncomingMessage>((answered, failed) => {
      const headers = { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) };
      const request = send(url(bucket, key), { method, headers, lookup, agent: false, ...(signal ? { signal } : {}) }, answered);
      request.setTimeout(silenceMs, () =>
        request.destroy(new StoreUnavailable(`object ${key} in ${bucket}: ${origin} has said nothing for ${silenceMs} ms`)),
      );
      request.on('error', (error) =>
        failed(
          error instanceof FleetError
            ? error
            : new RemoteRefused(`the object store at ${origin} does not answer: ${reasonOf(error)}`, { cause: error }),
        ),
      );
      request.end();
    });
    const refusal = refusalOf(response, `object ${key} in ${bucket}: ${origin}`);
    if (refusal === null) return response;
    response.on('error', () => {}).destroy();
    if (response.statusCode === 404) return null;
    throw refusal;
  };
  const readOnly = (): never => {
    throw new StoreUnavailable('a device only reads objects');
  };

  return {
    async head(bucket, key) {
      const response = await ask('HEAD', bucket, key);
      if (!response) return null;
      response.resume();
      const { headers } = response;
      const etag = (headers.etag ?? '').replaceAll('"', '');
      return {
        bucket,
        key,
        bytes: Number(headers['content-length'] ?? Number.NaN),
        etag,
        sha256: /^[0-9a-f]{64}$/.test(etag) ? etag : null, // what the console's route has for one
        modifiedAt: Date.parse(headers['last-modified'] ?? '') || 0,
        contentType: headers['content-type'] ?? null,
        metadata: {},
      };
    },
    async *get(bucket, key, { from = 0, to, signal } = {}) {
      let left = to === undefined ? Infinity : to - from;
      if (left <= 0) return;
      const response = await ask('GET', bucket, key, from, signal);
      if (!response) throw new NotFound(`there is no object ${key} in ${bucket}`);
      try {
        let skip = from - firstByte(response, `object ${key} in ${bucket}: ${origin}`);
        if (skip < 0) throw new StoreUnavailable(`object ${key} in ${bucket}: ${origin} answers with another range than it was asked for`);
        for await (const chunk of response as AsyncIterable<Buffer>) {
          const wanted = chunk.subarray(Math.min(skip, chunk.length));
          skip -= chunk.length - wanted.length;
          if (wanted.length === 0) continue;
          yield left < wanted.length ? wanted.subarray(0, left) : wanted;
          left -= wanted.length;
          if (left <= 0) return;
        }
      } catch (error) {
        if (error instanceof FleetError) throw error;
        throw new StoreUnavailable(`object ${key} in ${bucket} broke off: ${reasonOf(error)}`, { cause: error });
      } finally {
        response.destroy();
      }
    },
    put: async () => readOnly(),
    page: async () => readOnly(),
    list: async () => readOnly(),
    delete: async () => readOnly(),
  };
}

/** Why an answer is none; null for one that is. */
function refusalOf({ statusCode = 0, headers }: IncomingMessage, who: string): Error | null {
  if (statusCode >= 300 && statusCode < 400) return new ObjectRefused('Redirected', `${who} answers ${statusCode}: it leads elsewhere`);
  if (statusCode === 401 || statusCode === 403) return new ObjectRefused('AccessDenied', `${who} answers ${statusCode}`);
  if (statusCode !== 200 && statusCode !== 206) return new StoreUnavailable(`${who} answers ${statusCode}`);
  const encoding = headers['content-encoding'] ?? 'identity';
  return encoding === 'identity' ? null : new StoreUnavailable(`${who} answers in ${JSON.stringify(encoding)}, which nobody asked for`);
}

/** Where in the object the answer begins: a server may give the whole to who asked for a part. @throws StoreUnavailable */
function firstByte({ statusCode, headers }: IncomingMessage, who: string): number {
  if (statusCode !== 206) return 0;
  const first = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers['content-range'] ?? '')?.[1];
  if (first === undefined) throw new StoreUnavailable(`${who} answers with a part, and not with which`);
  return Number(first);
}

const systemAddresses = (host: string) => resolve(host, { all: true });

/** @throws RemoteRefused for a name that is nobody's, or leads to where no store is */
async function addressOf(host: string, addressesOf: typeof systemAddresses | NonNullable<HttpObjectsOptions['addressesOf']>) {
  const found = isIP(host)
    ? [{ address: host, family: isIP(host) }]
    : await addressesOf(host).catch((error: unknown) => {
        throw new RemoteRefused(`the object store’s host ${host} is not known: ${reasonOf(error)}`, { cause: error });
      });
  const usable = found.find(({ address }) => !isPlaceOfNobody(address));
  if (!usable)
    throw new RemoteRefused(`the object store’s host ${host} leads to ${found.map(({ address }) => address).join(', ') || 'no address'}`, {
      hint: 'link-local, multicast and unspecified addresses are no place of a store',
    });
  return usable;
}
