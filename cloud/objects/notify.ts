/** An object store that tells of what was put into it, as S3 does with its events: after the object can be read. */
import type { ObjectHead, ObjectStore } from '../../actors/contracts/objects.ts';

/** @param created must not throw: the object is stored, whoever hears of it */
export const notifyingObjects = (objects: ObjectStore, created: (head: ObjectHead) => void): ObjectStore => ({
  ...objects,
  async put(bucket, key, bytes) {
    const head = await objects.put(bucket, key, bytes);
    created(head);
    return head;
  },
});
