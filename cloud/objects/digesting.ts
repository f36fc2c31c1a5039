/** Length, MD5 and SHA-256 of what goes by. */
import { createHash } from 'node:crypto';
import type { ObjectBody } from '../../actors/contracts/objects.ts';

export interface Digests {
  readonly bytes: number;
  /** Hex. */
  readonly md5: string;
  readonly sha256: string;
}

export function digesting(): { update(chunk: Uint8Array): void; end(): Digests } {
  const md5 = createHash('md5');
  const sha256 = createHash('sha256');
  let bytes = 0;
  return {
    update(chunk) {
      bytes += chunk.length;
      md5.update(chunk);
      sha256.update(chunk);
    },
    end: () => ({ bytes, md5: md5.digest('hex'), sha256: sha256.digest('hex') }),
  };
}

/** A body as chunks, whatever it came as. */
export async function* bytesOf(body: ObjectBody): AsyncIterable<Uint8Array> {
  if (body instanceof Uint8Array) yield body;
  else yield* body;
}
