/** A connection to a broker from within its own process: subscriptions here, publishing as the broker gives it. */
import type { Bus, Hear, Message } from '../../actors/contracts/bus.ts';
import { RemoteRefused } from '../../actors/contracts/errors.ts';
import { TopicTree } from './topic-tree.ts';

export type Hearers = Set<Hear>;

export interface LocalClient extends Bus {
  /** Hands a message to every subscription that covers its topic. @param held told of each promise that a hearer returned */
  deliver(message: Message, held?: (work: Promise<unknown>) => void): void;
  /** The subscriptions that cover a topic, until the next one comes or goes: for a broker that remembers them and tells each by itself. */
  hearersOf(topic: string): Iterable<Hearers>;
  /** As `deliver`, to the subscriptions of one filter: for a broker that calls once a filter. */
  deliverTo(filter: string, message: Message): void;
}

export interface LocalClientPorts {
  readonly publish: (topic: string, payload: Uint8Array, options: { readonly qos: 0 | 1; readonly retain: boolean }) => Promise<void>;
  /** A filter that no subscription of this client covered before is wanted, or no longer. */
  readonly subscribed: (filter: string) => Promise<void>;
  readonly unsubscribed: (filter: string) => Promise<void>;
  readonly closed: () => void;
}

export function localClient(clientId: string, ports: LocalClientPorts): LocalClient {
  const subscriptions = new Map<string, Hearers>();
  const tree = new TopicTree<Hearers>();
  let isClosed = false;
  const closedError = () => new RemoteRefused(`the connection of ${clientId} has been closed`);

  return {
    clientId,
    publish(topic, payload, { qos = 0, retain = false } = {}) {
      if (isClosed) return Promise.reject(closedError());
      return ports.publish(topic, typeof payload === 'string' ? Buffer.from(payload) : payload, { qos, retain });
    },
    async subscribe(filter, hear) {
      if (isClosed) throw closedError();
      const hearers: Hearers = subscriptions.get(filter) ?? new Set();
      hearers.add(hear);
      if (!subscriptions.has(filter)) {
        subscriptions.set(filter, hearers);
        tree.add(filter, hearers, 0);
        await ports.subscribed(filter);
      }
      return {
        async close() {
          hearers.delete(hear);
          if (hearers.size > 0 || subscriptions.get(filter) !== hearers) return;
          subscriptions.delete(filter);
          tree.remove(filter, hearers);
          await ports.unsubscribed(filter);
        },
      };
    },
    onReconnect: () => {}, // nothing comes between
    deliver(message, held) {
      for (const hearers of tree.match(message.topic).keys()) tell(hearers, message, held);
    },
    hearersOf: (topic) => tree.match(topic).keys(),
    deliverTo(filter, message) {
      const hearers = subscriptions.get(filter);
      if (hearers) tell(hearers, message);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      const filters = [...subscriptions];
      subscriptions.clear();
      for (const [filter, hearers] of filters) {
        tree.remove(filter, hearers);
        hearers.clear();
        await ports.unsubscribed(filter);
      }
      ports.closed();
    },
  };
}

/** To everybody who hears now: who comes or goes meanwhile changes nothing. @param held told of each promise that a hearer returns */
export function tell(hearers: Hearers, message: Message, held?: (work: Promise<unknown>) => void): void {
  for (const hear of hearers.size > 1 ? [...hearers] : hearers) {
    const work = hear(message);
    if (work instanceof Promise) held?.(work);
  }
}
