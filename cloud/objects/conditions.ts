/** Whether an object may take the place of what is there. */
import { NotFound, ObjectRefused } from '../../actors/contracts/errors.ts';
import type { ObjectEntry } from '../../actors/contracts/objects.ts';

/** @param before what is there; null: nothing. @throws ObjectRefused PreconditionFailed; NotFound for a condition on what is not there */
export function checkConditions(
  key: string,
  before: Pick<ObjectEntry, 'etag'> | null,
  { ifNoneMatch, ifMatch }: { readonly ifNoneMatch?: '*'; readonly ifMatch?: string },
): void {
  if (ifNoneMatch && before) throw alreadyThere(key);
  if (ifMatch === undefined) return;
  if (!before) throw new NotFound(`there is no object ${key} to replace`);
  if (before.etag !== ifMatch)
    throw new ObjectRefused('PreconditionFailed', `object ${key} is not the one of ETag ${ifMatch}: it has changed meanwhile`);
}

export const alreadyThere = (key: string) => new ObjectRefused('PreconditionFailed', `there is an object ${key} already`);
