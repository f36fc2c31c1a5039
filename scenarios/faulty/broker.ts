/**
 * A broker that can be restarted: while it is down every connection is cut, and what it held in memory is gone: sessions, what waited
 * for clients, retained messages. Clients connect again by themselves, each within a second.
 */
import type { Broker } from '../../actors/contracts/bus.ts';
import type { Links } from './links.ts';
import type { Tally } from './tally.ts';

export interface RestartableBroker extends Broker {
  down(): Promise<void>;
  up(): void;
}

/** @param carries client ids whose connection is shared by clients with links of their own */
export function restartableBroker(broker: Broker, links: Links, tally: Tally, carries: readonly string[]): RestartableBroker {
  return {
    ...broker,
    get address() {
      return broker.address;
    },
    get tlsAddress() {
      return broker.tlsAddress;
    },
    connect(clientId) {
      const bus = broker.connect(clientId);
      return carries.includes(clientId) ? bus : links.connect(clientId, bus, 'service');
    },
    reserve(filter, serve) {
      broker.reserve(filter, (request, client, identity) => {
        tally.seen(request.topic, request.payload);
        return serve(request, client, identity);
      });
    },
    async down() {
      links.cutAll('broker-restart', true);
      const janitor = broker.connect('windfleet-janitor');
      for (const { topic } of [...broker.retained()]) await janitor.publish(topic, '', { retain: true });
      await janitor.close();
    },
    up: () => links.cutAll('broker-restart', false),
  };
}
