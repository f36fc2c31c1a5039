/** The read side of an object store behind the console's port: `GET <base>/objects/<bucket>/<key>`, from any byte on. */
import { NotFound, RemoteRefused, reasonOf, StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { ObjectStore } from '../../actors/contracts/objects.ts';

/** @param base `http://127.0.0.1:7070` */
export function httpObjects(base: string): ObjectStore {
  const url = (bucket: string, key: string) =>
    `${base}/objects/${encodeURIComponent(bucket)}/${key.split('/').map(encodeURIComponent).join('/')}`;
  const ask = async (bucket: string, key: string, init: RequestInit): Promise<Response | null> => {
    const response = await fetch(url(bucket, key), { ...init, redirect: 'error' }).catch((error: unknown) => {
      throw new RemoteRefused(`the object store at ${base} does not answer: ${reasonOf(error)}`, { cause: error });
    });
    if (response.status === 404) return null;
    if (!response.ok) throw new StoreUnavailable(`object ${key} in ${bucket}: ${base} answers ${response.status}`);
    return response;
  };
  const readOnly = (): never => {
    throw new StoreUnavailable('a device only reads objects');
  };

  return {
    async head(bucket, key) {
      const response = await ask(bucket, key, { method: 'HEAD' });
      if (!response) return null;
      const etag = (response.headers.get('etag') ?? '').replaceAll('"', '');
      return {
        bucket,
        key,
        bytes: Number(response.headers.get('content-length')),
        etag,
        sha256: /^[0-9a-f]{64}$/.test(etag) ? etag : null, // what the console's route has for one
        modifiedAt: Date.parse(response.headers.get('last-modified') ?? '') || 0,
        contentType: response.headers.get('content-type'),
        metadata: {},
      };
    },
    async *get(bucket, key, { from = 0, to, signal } = {}) {
      let left = to === undefined ? Infinity : to - from;
      if (left <= 0) return;
      const response = await ask(bucket, key, { headers: from > 0 ? { range: `bytes=${from}-` } : {}, ...(signal ? { signal } : {}) });
      if (!response?.body) throw new NotFound(`there is no object ${key} in ${bucket}`);
      if (from > 0 && response.status !== 206) throw new StoreUnavailable(`object ${key} in ${bucket}: ${base} does not give ranges`);
      try {
        for await (const chunk of response.body) {
          yield left < chunk.length ? chunk.subarray(0, left) : chunk;
          left -= chunk.length;
          if (left <= 0) return;
        }
      } catch (error) {
        throw new StoreUnavailable(`object ${key} in ${bucket} broke off: ${reasonOf(error)}`, { cause: error });
      }
    },
    put: async () => readOnly(),
    page: async () => readOnly(),
    list: async () => readOnly(),
    delete: async () => readOnly(),
  };
}
