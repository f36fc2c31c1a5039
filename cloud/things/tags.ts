/** Tags of whatever has an ARN. */
import { ThingRefused } from '../../actors/contracts/errors.ts';
import type { Documents } from './documents.ts';
import { checkTag } from './names.ts';
import type { Tags, Texts } from './ports.ts';

const MOST = 50; // AWS: of a resource

export function openTags(documents: Documents): Tags {
  const stored = documents.collection<Texts>('tags');
  return {
    async tag(arn, tags) {
      for (const [key, value] of Object.entries(tags)) checkTag(key, value);
      const merged = Object.fromEntries([...Object.entries(stored.get(arn) ?? {}), ...Object.entries(tags)]);
      if (Object.keys(merged).length > MOST) throw new ThingRefused('LimitExceeded', `${arn} would have more than ${MOST} tags`);
      stored.put(arn, merged);
      await documents.saved();
    },
    async untag(arn, keys) {
      stored.put(arn, Object.fromEntries(Object.entries(stored.get(arn) ?? {}).filter(([key]) => !keys.includes(key))));
      await documents.saved();
    },
    of: (arn) => stored.get(arn) ?? {},
    async forget(arn) {
      stored.remove(arn);
      await documents.saved();
    },
  };
}
