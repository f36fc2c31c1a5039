/** A whole object in memory. */
import type { ObjectStore } from '../../actors/contracts/objects.ts';

/** @throws NotFound, StoreUnavailable */
export async function readObject(objects: ObjectStore, bucket: string, key: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of objects.get(bucket, key)) chunks.push(chunk);
  return Buffer.concat(chunks);
}
