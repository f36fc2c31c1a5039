/** The object store as the job service asks it: a document's text, and URLs for what documents name. */
import { JobRefused, NotFound } from '../../actors/contracts/errors.ts';
import type { JobObjects } from '../../actors/contracts/jobs.ts';
import type { ObjectStore } from '../../actors/contracts/objects.ts';
import { MAX_DOCUMENT_BYTES } from './limits.ts';

export const jobObjects = (objects: ObjectStore, presign: JobObjects['presign']): JobObjects => ({
  presign,
  async read(bucket, key) {
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) return null; // no store has such a bucket
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const chunk of objects.get(bucket, key)) {
        bytes += chunk.length;
        if (bytes > MAX_DOCUMENT_BYTES)
          throw new JobRefused('InvalidRequest', `the job document in ${bucket} is longer than ${MAX_DOCUMENT_BYTES} bytes`);
        chunks.push(chunk.slice()); // the chunk is ours, but its buffer may be shared
      }
      return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
    } catch (error) {
      if (error instanceof NotFound) return null;
      if (error instanceof TypeError) throw new JobRefused('InvalidRequest', `the job document in ${bucket} is no UTF-8`);
      throw error;
    }
  },
});
