/**
 * What a client may do on the port without TLS, which listens on loopback only: the workshop's. It has no identity, so everybody
 * there may read and write everything that is not reserved, and speak for any thing on its job and shadow topics, as the original's
 * devices do. Topics that begin with `$` beyond those are the service's: `$aws/events/#` may be heard.
 */
import { type BusAuthorizer, topicMatches } from '../../actors/contracts/bus.ts';
import { filterContains } from './topic-rules.ts';

const SERVED = ['$aws/things/+/jobs/#', '$aws/things/+/shadow/#'];
const HEARD = [...SERVED, '$aws/events/#'];

export function openPort(): BusAuthorizer {
  let unnamed = 0;
  return {
    connect: ({ clientId }) => ({ identity: { clientId: clientId || `$GEN/open-${++unnamed}`, principal: null, thing: null } }),
    may(_identity, action, topic) {
      if (!topic.startsWith('$')) return true;
      if (action === 'subscribe') return HEARD.some((filter) => filterContains(filter, topic));
      if (action === 'receive') return HEARD.some((filter) => topicMatches(filter, topic));
      return action === 'publish' && SERVED.some((filter) => topicMatches(filter, topic));
    },
    stands: () => true,
  };
}
