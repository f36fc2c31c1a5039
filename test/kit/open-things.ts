/** All services of things, in memory or on a disk, at a time of the test's choosing. */
import { randomBytes } from 'node:crypto';
import { memoryShelf, type SecretShelf } from '../../cloud/things/authority.ts';
import type { DocumentDisk } from '../../cloud/things/documents.ts';
import { openThings } from '../../cloud/things/things.ts';

export const NOON = Date.UTC(2026, 5, 1, 12);

export async function testThings({ disk = null, shelf = memoryShelf() }: { disk?: DocumentDisk | null; shelf?: SecretShelf } = {}) {
  const time = { now: NOON };
  const things = await openThings({ disk, shelf, now: () => time.now, wallNow: () => time.now, entropy: (bytes) => randomBytes(bytes) });
  return { ...things, time };
}

/** The reason of a refusal, `accepted`, or the defect. */
export async function refusal(work: () => unknown): Promise<string> {
  try {
    await work();
    return 'accepted';
  } catch (error) {
    return (error as { reason?: string }).reason ?? `defect ${error}`;
  }
}
