/**
 * The embedded MQTT 3.1.1 broker (aedes) on TCP, with connections from within the process beside those from outside.
 *
 * Publications on reserved topics never reach routing: `authorizePublish` takes them out and lets an empty message go on, so
 * that a QoS 1 client still gets its PUBACK.
 */
import { createServer, type Socket } from 'node:net';
import { Aedes, type Client, type PublishPacket } from 'aedes';
import { type Broker, type Message, topicMatches } from '../../actors/contracts/bus.ts';
import { EnvironmentLacking } from '../../actors/contracts/errors.ts';
import type { Log } from '../../actors/contracts/log.ts';
import { type LocalClient, localClient } from './local-client.ts';

export interface AedesOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly log: Log;
}

const SERVED = '$windfleet/served'; // where an emptied reserved message goes: nobody may subscribe there
const MAX_PAYLOAD = 128 * 1024; // AWS IoT: 128 kB a publication
const MAX_CONNECTIONS = 1_000;

/** @throws EnvironmentLacking when the port is taken. */
export async function aedesBroker({ host, port, log }: AedesOptions): Promise<Broker> {
  const broker = await Aedes.createBroker({ heartbeatInterval: 60_000, drainTimeout: 30_000, maxClientsIdLength: 128, queueLimit: 1_000 });
  const locals = new Map<string, LocalClient>();
  const remotes = new Map<string, Client>();
  const sockets = new Set<Socket>();
  const reserved: { readonly filter: string; readonly serve: (request: Message, client: string) => void }[] = [];

  const takeReserved = (topic: string, payload: Uint8Array, client: string): boolean => {
    const keeper = reserved.find(({ filter }) => topicMatches(filter, topic));
    if (keeper) setImmediate(() => keeper.serve({ topic, payload }, client)); // a reply must not overtake the PUBACK, nor recurse
    return keeper !== undefined;
  };

  const route = (topic: string, payload: Uint8Array, qos: 0 | 1, retain: boolean): Promise<void> =>
    new Promise((sent, failed) => {
      // Out of the caller's stack: publishing from within a delivery would recurse.
      setImmediate(() => {
        if (broker.closed) return sent();
        broker.publish({ cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain, dup: false }, (error) =>
          error ? failed(error) : sent(),
        );
      });
    });

  broker.preConnect = (_client, packet, done) => {
    const isTaken = typeof packet.clientId === 'string' && locals.has(packet.clientId);
    done(isTaken ? new Error(`client id ${packet.clientId} belongs to the farm itself`) : null, !isTaken);
  };
  broker.authorizePublish = (client, packet, done) => {
    if (packet.payload.length > MAX_PAYLOAD) return done(new Error(`a payload of ${packet.payload.length} bytes is over ${MAX_PAYLOAD}`));
    if (client && takeReserved(packet.topic, Buffer.from(packet.payload), client.id)) {
      packet.topic = SERVED;
      packet.payload = Buffer.alloc(0);
      packet.retain = false;
    } else if (packet.topic.startsWith('$')) return done(new Error(`topic ${packet.topic} is reserved`));
    done(null);
  };
  broker.authorizeSubscribe = (_client, subscription, done) => {
    // [MQTT-3.9.3]: a null subscription is answered with 0x80, not with silence
    done(null, subscription.topic.startsWith('$windfleet') || subscription.topic.startsWith('$SYS') ? null : subscription);
  };
  broker.on('clientReady', (client) => remotes.set(client.id, client));
  broker.on('clientDisconnect', (client) => {
    if (remotes.get(client.id) === client) remotes.delete(client.id);
  });
  broker.on('clientError', (client, error) => log.debug({ client: client?.id, reason: error.message }, 'an MQTT client failed'));
  broker.on('connectionError', (client, error) => log.debug({ client: client?.id, reason: error.message }, 'an MQTT connection failed'));

  const server = createServer((socket) => {
    if (sockets.size >= MAX_CONNECTIONS) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {}); // aedes hears of it too; without a listener it would end the process
    broker.handle(socket);
  });
  await new Promise<void>((listening, failed) => {
    server.once('error', failed);
    server.listen(port, host, listening);
  }).catch(async (error: NodeJS.ErrnoException) => {
    await new Promise<void>((closed) => broker.close(closed));
    if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') throw error;
    throw new EnvironmentLacking(`MQTT port ${port} on ${host} ${error.code === 'EACCES' ? 'may not be opened' : 'is taken'}`, {
      cause: error,
      hint: 'end what uses it, or choose another with --mqtt-port (0 picks a free one)',
    });
  });
  const bound = server.address();

  return {
    address: { host, port: typeof bound === 'object' && bound ? bound.port : port },
    connect(clientId) {
      if (locals.has(clientId)) throw new Error(`a client ${clientId} is connected already`);
      const hearers = new Map<string, (packet: PublishPacket, done: () => void) => void>();
      const client = localClient(clientId, {
        publish: (topic, payload, { qos, retain }) =>
          takeReserved(topic, payload, clientId) ? Promise.resolve() : route(topic, payload, qos, retain),
        subscribed: (filter) =>
          new Promise((done) => {
            const hear = (packet: PublishPacket, heard: () => void) => {
              if (topicMatches(filter, packet.topic))
                client.deliverTo(filter, { topic: packet.topic, payload: Buffer.from(packet.payload) });
              heard();
            };
            hearers.set(filter, hear);
            broker.subscribe(filter, hear, done);
          }),
        unsubscribed: (filter) =>
          new Promise((done) => {
            const hear = hearers.get(filter);
            hearers.delete(filter);
            if (!hear || broker.closed) return done();
            broker.unsubscribe(filter, hear, done);
          }),
        closed: () => locals.delete(clientId),
      });
      locals.set(clientId, client);
      return client;
    },
    reserve: (filter, serve) => {
      reserved.push({ filter, serve });
    },
    announce: (topic, payload) => route(topic, Buffer.from(payload), 1, false),
    reply(clientId, topic, payload) {
      const message = { topic, payload: Buffer.from(payload) };
      const local = locals.get(clientId);
      if (local) setImmediate(() => local.deliver(message));
      else remotes.get(clientId)?.publish({ cmd: 'publish', ...message, qos: 0, retain: false, dup: false }, () => {}); // a client that goes meanwhile asks again
    },
    async close() {
      for (const client of [...locals.values()]) await client.close();
      const ended = new Promise<void>((closed) => server.close(() => closed()));
      await new Promise<void>((closed) => broker.close(closed));
      for (const socket of sockets) socket.destroy();
      await ended;
    },
  };
}
