/** Things by their certificates with AWS's usual policy, each its own topics: for tests of who asks, not of who decides. */
import { createHash } from 'node:crypto';
import type { BusAuthorizer } from '../../actors/contracts/bus.ts';
import { policyAuthorizer } from '../../cloud/bus/policies.ts';
import { filterContains } from '../../cloud/bus/topic-rules.ts';

export interface TestThings {
  readonly authorizer: BusAuthorizer;
  /** @param topics filters of what it may publish, subscribe to and receive; absent: its own. */
  add(fingerprint: string, thing: string, topics?: readonly string[]): void;
  revoke(fingerprint: string, options?: { readonly quietly?: boolean }): void;
}

export const ownTopics = (thing: string): string[] => [
  `$aws/things/${thing}/jobs/#`,
  `$aws/things/${thing}/shadow/#`,
  `windfleet/${thing}/#`,
  `wind-turbine/logs/${thing}`,
];

export function testThings(): TestThings {
  const known = new Map<string, { readonly thing: string; readonly topics: readonly string[]; isActive: boolean }>();
  const hearing: ((id: string) => void)[] = [];
  return {
    authorizer: policyAuthorizer<string>({
      identities: {
        ofCertificate: (der) => {
          const id = createHash('sha256').update(der).digest('hex');
          return known.get(id)?.isActive ? id : null;
        },
        thingOf: (id) => known.get(id)?.thing ?? null,
      },
      policies: {
        mayDo(id, action, resource) {
          const one = known.get(id);
          if (!one?.isActive) return false;
          return action === 'iot:Connect' ? resource === one.thing : one.topics.some((filter) => filterContains(filter, resource));
        },
      },
      certificates: {
        isActive: (id) => known.get(id)?.isActive ?? false,
        onRevoked: (ended) => hearing.push(ended),
      },
    }),
    add: (fingerprint, thing, topics = ownTopics(thing)) => known.set(fingerprint, { thing, topics, isActive: true }),
    revoke(fingerprint, { quietly = false } = {}) {
      const one = known.get(fingerprint);
      if (one) one.isActive = false;
      if (!quietly) for (const ended of hearing) ended(fingerprint);
    },
  };
}
