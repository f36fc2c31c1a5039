/**
 * A broker in memory, for virtual time: messages are delivered in the order in which they were published, each after the one
 * before it has been heard out, within the same instant.
 */
import { type Broker, type Message, type RetainedMessage, topicMatches } from '../../actors/contracts/bus.ts';
import { Fifo } from './fifo.ts';
import { type Hold, holder, newHold } from './holds.ts';
import { type LocalClient, localClient } from './local-client.ts';

const REMEMBERED_TOPICS = 10_000;

/** @param date epoch milliseconds, for what is retained */
export function memoryBroker(date: () => number = () => 0): Broker {
  const clients = new Map<string, LocalClient>();
  const reserved: { readonly filter: string; readonly serve: Parameters<Broker['reserve']>[1] }[] = [];
  const keepers = new Map<string, (typeof reserved)[number] | null>(); // by topic: they are few and messages many
  const retained = new Map<string, RetainedMessage>();
  const queue = new Fifo<() => void>();
  let draining = false;

  const drain = () => {
    for (let next = queue.shift(); next; next = queue.shift()) next();
    draining = false;
  };
  const later = (deliver: () => void) => {
    queue.push(deliver);
    if (draining) return;
    draining = true;
    queueMicrotask(drain);
  };

  const keeperOf = (topic: string) => {
    let keeper = keepers.get(topic);
    if (keeper !== undefined) return keeper;
    keeper = reserved.find(({ filter }) => topicMatches(filter, topic)) ?? null;
    if (keepers.size >= REMEMBERED_TOPICS) keepers.clear();
    keepers.set(topic, keeper);
    return keeper;
  };

  const route = (message: Message, hold?: Hold) =>
    later(() => {
      for (const one of clients.values()) one.deliver(message, holder(hold));
    });

  return {
    address: null,
    tlsAddress: null,
    clients: () => [],
    retained: () => retained.values(),
    counters: () => ({}),
    connect(clientId, { nameless = false } = {}) {
      if (clients.has(clientId)) throw new Error(`a client ${clientId} is connected already`);
      const client = localClient(clientId, {
        async publish(topic, payload, { qos, retain }) {
          const isAwaited = qos === 1 || nameless;
          const message: Message = { topic, payload, qos, isAwaited, ...(nameless ? {} : { from: clientId }) };
          const keeper = keeperOf(topic);
          if (keeper) {
            later(() => void keeper.serve(message, clientId, { clientId, principal: null, thing: null }));
            return;
          }
          if (retain && payload.length === 0) retained.delete(topic);
          else if (retain) retained.set(topic, { topic, payload, qos, at: date() });
          if (!isAwaited) return route(message);
          const hold = newHold();
          route(message, hold);
          await new Promise<void>((delivered) => later(delivered));
          await Promise.all(hold.works);
        },
        async subscribed(filter) {
          for (const message of retained.values()) if (topicMatches(filter, message.topic)) later(() => client.deliver(message));
        },
        unsubscribed: async () => {},
        closed: () => clients.delete(clientId),
      });
      clients.set(clientId, client);
      return client;
    },
    reserve: (filter, serve) => {
      reserved.push({ filter, serve });
      keepers.clear();
    },
    announce: async (topic, payload) => route({ topic, payload: Buffer.from(payload) }),
    reply(client, topic, payload) {
      later(() => clients.get(client)?.deliver({ topic, payload: Buffer.from(payload) }));
    },
    async close() {
      clients.clear();
      queue.clear();
    },
  };
}
