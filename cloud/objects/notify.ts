/** An object store that tells of what was put into it, as S3 does with its events: after the object can be read. */
import type { ObjectHead, ObjectStore } from '../../actors/contracts/objects.ts';

/** @param created must not throw: the object is stored, whoever hears of it */
export const notifyingObjects = <S extends ObjectStore>(objects: S, created: (head: ObjectHead) => void): S => ({
  ...objects,
  async put(...order: Parameters<S['put']>) {
    const [bucket, key, body, options] = order;
    const head = await objects.put(bucket, key, body, options);
    created(head);
    return head;
  },
});
