/**
 * The embedded MQTT broker (3.1, 3.1.1 and 5; QoS 0 and 1, as AWS IoT Core): a port without TLS for the workshop, one with mTLS
 * for things, and connections from within the process.
 */
import type { Broker, BusAuthorizer, ClientIdentity } from '../../actors/contracts/bus.ts';
import type { Clock } from '../../actors/contracts/clock.ts';
import type { Log } from '../../actors/contracts/log.ts';
import { Connection } from './connection.ts';
import { BROKER_LIMITS, type BrokerLimits } from './limits.ts';
import { holder, newHold } from './holds.ts';
import { admissionGate, type Listener, type ListenerPorts, listenPlain, listenTls, type Peer, type TlsMaterial } from './listeners.ts';
import { type LocalClient, localClient } from './local-client.ts';
import { openPort } from './open-port.ts';
import { Router, type Subscriber } from './router.ts';
import type { SessionPorts } from './session.ts';

export interface EmbeddedOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** The wall's: connections live there, whatever time the farm has. */
  readonly wall: Clock;
  readonly log: Log;
  /** Absent: no port with TLS. */
  readonly tls?: { readonly port: number; readonly material: TlsMaterial; readonly authorizer: BusAuthorizer };
  readonly limits?: Partial<BrokerLimits>;
  /** Clients from outside are admitted once it resolves: a message that nobody serves yet would be acknowledged and lost. Absent: at once. */
  readonly ready?: Promise<void>;
}

const TICK_MS = 1_000;
const TAKEOVER_WINDOW_MS = 10_000;

/** @throws EnvironmentLacking when a port is taken. */
export async function embeddedBroker({ host, port, wall, log, tls, limits: changed, ready }: EmbeddedOptions): Promise<Broker> {
  const limits = { ...BROKER_LIMITS, ...changed };
  const router = new Router(limits, () => wall.epoch + wall.now());
  const locals = new Map<string, LocalClient>();
  const live = new Map<string, Connection>();
  const connections = new Set<Connection>();
  const waiting = { bytes: 0 };
  const takeovers = new Map<string, number>();
  const { count } = router;

  const sessionPorts = (authorizer: BusAuthorizer): SessionPorts => ({
    limits,
    authorizer,
    count,
    waiting,
    overflowed(session) {
      const { clientId, thing } = session.identity;
      count('closed.overflow');
      log.warn(
        { client: clientId, thing, waits: session.backlog },
        'an MQTT client takes too little: its session ends rather than to lose a message',
      );
      live.get(clientId)?.end('quotaExceeded', 'more waits for it than may', { isRude: true });
      router.end(session);
    },
  });

  const door = (given: BusAuthorizer): ListenerPorts => {
    const authorizer: BusAuthorizer = ready ? { ...given, connect: (request) => ready.then(() => given.connect(request)) } : given;
    const sessions = sessionPorts(authorizer);
    authorizer.onRevoked?.((principal) => {
      for (const connection of [...connections])
        if (connection.identity?.principal === principal) {
          count('closed.revoked');
          connection.end('administrative', 'its certificate no longer stands');
        }
    });
    return {
      limits,
      clock: wall,
      log,
      count,
      accept(socket, peer: Peer) {
        const connection = new Connection(socket, {
          router,
          limits,
          authorizer,
          sessions,
          clock: wall,
          log,
          live,
          peer,
          isOurs: (clientId) => locals.has(clientId),
          mayTakeOver(clientId) {
            const times = (takeovers.get(clientId) ?? 0) + 1;
            takeovers.set(clientId, times);
            return times <= limits.takeovers;
          },
        });
        connections.add(connection);
        socket.on('close', () => connections.delete(connection));
      },
    };
  };

  const plain = door(openPort());
  const gate = admissionGate(plain);
  const listeners: Listener[] = [await listenPlain(host, port, gate, plain)];
  if (tls) {
    try {
      listeners.push(await listenTls(host, tls.port, tls.material, gate, door(tls.authorizer)));
    } catch (error) {
      await listeners[0].close();
      throw error;
    }
  }

  let forgotAt = wall.now();
  const tick = () => {
    const now = wall.now();
    for (const connection of [...connections]) connection.tick(now);
    for (const session of [...router.sessions.values()]) if (session.endsAt !== null && now > session.endsAt) router.end(session);
    if (now - forgotAt >= TAKEOVER_WINDOW_MS) {
      takeovers.clear();
      forgotAt = now;
    }
    timer = wall.setTimeout(tick, TICK_MS);
  };
  let timer = wall.setTimeout(tick, TICK_MS);
  let isClosed = false;

  return {
    address: { host, port: listeners[0].port },
    tlsAddress: listeners[1] ? { host, port: listeners[1].port } : null,
    connect(clientId, { nameless = false } = {}) {
      if (locals.has(clientId)) throw new Error(`a client ${clientId} is connected already`);
      const identity: ClientIdentity = { clientId, principal: null, thing: null };
      const subscriber: Subscriber = {
        receive({ topic, payload, qos, from, isNameless, hold }) {
          if (hold) hold.isHeard = true;
          const message = { topic, payload, qos, isAwaited: hold !== undefined, ...(from === null || isNameless ? {} : { from }) };
          router.later(() => client.deliver(message, holder(hold)));
        },
      };
      const client = localClient(clientId, {
        publish(topic, payload, { qos, retain }) {
          const served = router.serve({ topic, payload }, identity);
          if (served) served.catch((error: unknown) => log.error({ topic, reason: String(error) }, 'a request on a reserved topic failed'));
          else if (qos === 0 && !nameless)
            router.route({ topic, payload, qos, retain, properties: null, from: clientId, isNameless: nameless });
          else {
            const hold = newHold();
            router.route({ topic, payload, qos, retain, properties: null, from: clientId, isNameless: nameless, hold });
            if (hold.isHeard)
              return new Promise<void>((delivered) => router.later(delivered)).then(() => Promise.all(hold.works)).then(() => {});
          }
          return Promise.resolve();
        },
        async subscribed(filter) {
          router.subscribe(filter, subscriber, 1);
          for (const { topic, payload } of router.retainedFor(filter)) router.later(() => client.deliverTo(filter, { topic, payload }));
        },
        unsubscribed: async (filter) => router.unsubscribe(filter, subscriber),
        closed: () => locals.delete(clientId),
      });
      locals.set(clientId, client);
      return client;
    },
    reserve: (filter, serve) => router.reserve(filter, serve),
    async announce(topic, payload) {
      router.route({ topic, payload: Buffer.from(payload), qos: 1, retain: false, properties: null, from: null });
    },
    reply(clientId, topic, payload) {
      const message = { topic, payload: Buffer.from(payload) };
      const local = locals.get(clientId);
      if (local) return router.later(() => local.deliver(message));
      const session = router.sessions.get(clientId);
      // To the one that asked: that it may receive what it asked for needs no policy of its own
      session?.hand({ ...message, qos: 1, retain: false, properties: null, from: null }, router.grantOf(session, topic) ?? 0);
    },
    clients: () => [...connections].flatMap(({ identity }) => identity ?? []),
    retained: () => router.retained.values(),
    counters: () => ({
      ...router.counters,
      connections: gate.sockets.size,
      sessions: router.sessions.size,
      'waiting.bytes': waiting.bytes,
    }),
    async close() {
      if (isClosed) return;
      isClosed = true;
      wall.clearTimeout(timer);
      for (const client of [...locals.values()]) await client.close();
      const ended = Promise.all(listeners.map((listener) => listener.close()));
      for (const connection of [...connections]) connection.end('shuttingDown', 'the broker ends', { withWill: false });
      // What was written just now still goes out; nobody is waited for.
      await new Promise<void>((turned) => setImmediate(turned));
      for (const socket of gate.sockets) socket.destroy();
      await ended;
    },
  };
}
