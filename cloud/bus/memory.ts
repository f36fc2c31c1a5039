/**
 * A broker in memory, for virtual time: messages are delivered in the order in which they were published, each after the one
 * before it has been heard out, within the same instant.
 */
import { type Broker, type Message, type RetainedMessage, topicMatches } from '../../actors/contracts/bus.ts';
import { Fifo } from './fifo.ts';
import { type Hold, holder, newHold } from './holds.ts';
import { type Hearers, type LocalClient, localClient, tell } from './local-client.ts';

const REMEMBERED_TOPICS = 10_000;
const SENT = Promise.resolve(); // one for all: a farm says hundreds of thousands of things that nobody answers
const UNHELD = holder(undefined);

/** @param date epoch milliseconds, for what is retained */
export function memoryBroker(date: () => number = () => 0): Broker {
  const clients = new Map<string, LocalClient>();
  const reserved: { readonly filter: string; readonly serve: Parameters<Broker['reserve']>[1] }[] = [];
  const keepers = new Map<string, (typeof reserved)[number] | null>(); // by topic: they are few and messages many
  const heardBy = new Map<string, readonly Hearers[]>(); // by topic, until a subscription comes or goes
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

  const hearersOf = (topic: string): readonly Hearers[] => {
    let found = heardBy.get(topic);
    if (found) return found;
    found = [...clients.values()].flatMap((client) => [...client.hearersOf(topic)]);
    if (heardBy.size >= REMEMBERED_TOPICS) heardBy.clear();
    heardBy.set(topic, found);
    return found;
  };
  const route = (message: Message, hold?: Hold) =>
    later(() => {
      const held = hold ? holder(hold) : UNHELD;
      for (const hearers of hearersOf(message.topic)) tell(hearers, message, held);
    });

  /** Resolves once all who hear the message have done with it. */
  const heardOut = async (message: Message): Promise<void> => {
    const hold = newHold();
    route(message, hold);
    await new Promise<void>((delivered) => later(delivered));
    await Promise.all(hold.works);
  };

  return {
    address: null,
    tlsAddress: null,
    clients: () => [],
    retained: () => retained.values(),
    counters: () => ({}),
    connect(clientId, { nameless = false } = {}) {
      if (clients.has(clientId)) throw new Error(`a client ${clientId} is connected already`);
      const client = localClient(clientId, {
        publish(topic, payload, { qos, retain }) {
          const isAwaited = qos === 1 || nameless;
          const message: Message = { topic, payload, qos, isAwaited, ...(nameless ? {} : { from: clientId }) };
          const keeper = keeperOf(topic);
          if (keeper) {
            later(() => void keeper.serve(message, clientId, { clientId, principal: null, thing: null }));
            return SENT;
          }
          if (retain && payload.length === 0) retained.delete(topic);
          else if (retain) retained.set(topic, { topic, payload, qos, at: date() });
          if (isAwaited) return heardOut(message);
          route(message);
          return SENT;
        },
        async subscribed(filter) {
          heardBy.clear();
          for (const message of retained.values()) if (topicMatches(filter, message.topic)) later(() => client.deliver(message));
        },
        unsubscribed: async () => heardBy.clear(),
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
      heardBy.clear();
      queue.clear();
    },
  };
}
