/** A bus over any MQTT broker (3.1.1 or 5, plain or TLS) by the `mqtt` client: it reconnects, and its subscriptions stand again before anyone is told. */
import { connect, type MqttClient } from 'mqtt';
import type { Bus } from '../../actors/contracts/bus.ts';
import { RemoteRefused, reasonOf } from '../../actors/contracts/errors.ts';
import {
  CONNECT_TIMEOUT_MS,
  type ClientOptions,
  type ClientTls,
  MAX_WAITING,
  RECONNECT_MS,
  SESSION_S,
  unreachable,
} from './client-options.ts';
import { clientSubscriptions } from './client-subscriptions.ts';

export interface MqttOptions extends ClientOptions {
  /** `mqtt://127.0.0.1:1883`, `mqtts://127.0.0.1:8883` */
  readonly url: string;
  /** With `mqtts:`; TLS 1.2 or newer. */
  readonly tls?: ClientTls;
  /** Whether the broker may be out of reach at first: then what is subscribed stands once it answers. Default: no. */
  readonly mayBeAway?: boolean;
}

/** @throws RemoteRefused when no broker answers there and it may not be away, or it refuses. */
export async function mqttBus({
  url,
  clientId,
  log,
  tls,
  version = 4,
  session = 'fresh',
  will,
  reconnectMs = RECONNECT_MS,
  mayBeAway = false,
}: MqttOptions): Promise<Bus> {
  const isKept = session === 'kept';
  const client: MqttClient = connect(url, {
    clientId,
    protocolVersion: version,
    clean: !isKept,
    ...(isKept && version === 5 ? { properties: { sessionExpiryInterval: SESSION_S } } : {}),
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: reconnectMs,
    resubscribe: false, // below, where it can be waited for
    ...(tls ? { ...tls, minVersion: 'TLSv1.2' as const } : {}),
    ...(will ? { will: { ...will, payload: Buffer.from(will.payload) } } : {}),
  });
  const subscriptions = clientSubscriptions();
  const reconnected: (() => void)[] = [];
  let waiting = 0;
  let isClosed = false;
  const stands = () => {
    if (isClosed) throw new RemoteRefused(`the connection of ${clientId} to ${url} has been closed`);
  };

  client.on('error', (error) => log.debug({ url, reason: error.message }, 'MQTT'));
  client.on('close', () => log.debug({ url }, 'MQTT connection closed'));
  client.on('message', (topic, payload) => subscriptions.heard({ topic, payload })); // before CONNACK: a kept session's come right behind it
  await new Promise<void>((connected, failed) => {
    client.once('connect', () => connected());
    client.once('error', failed);
    client.once('close', () => failed(new Error('the connection was closed')));
  }).catch(async (error: unknown) => {
    if (mayBeAway && isAway(error)) {
      log.warn({ url, reason: reasonOf(error) }, 'no MQTT broker answers yet: it is tried again and again');
      return;
    }
    await client.endAsync(true);
    throw unreachable(url, error);
  });
  client.on('connect', ({ sessionPresent }) => {
    const filters = subscriptions.filters();
    const standing = sessionPresent || filters.length === 0 ? Promise.resolve() : client.subscribeAsync(filters, { qos: 1 }).then(() => {});
    standing.then(
      () => {
        for (const heard of reconnected) heard();
      },
      (error: unknown) => log.warn({ url, reason: reasonOf(error) }, 'MQTT subscriptions could not be renewed'),
    );
  });

  return {
    clientId,
    async publish(topic, payload, { qos = 0, retain = false } = {}) {
      stands();
      if (!client.connected && qos === 0) throw new RemoteRefused(`no connection to ${url}`);
      if (waiting >= MAX_WAITING) throw new RemoteRefused(`${waiting} messages wait for ${url} already`);
      waiting++;
      try {
        await client.publishAsync(topic, Buffer.from(payload), { qos, retain });
      } catch (error) {
        throw new RemoteRefused(`${url} did not take a message on ${topic}: ${reasonOf(error)}`, { cause: error });
      } finally {
        waiting--;
      }
    },
    async subscribe(filter, hear) {
      stands();
      await subscriptions.add(filter, hear, async () => {
        if (mayBeAway && !client.connected) return; // with the others, when it connects
        try {
          const [granted] = await client.subscribeAsync(filter, { qos: 1 });
          if (granted && granted.qos >= 0x80) throw new Error('not allowed');
        } catch (error) {
          throw new RemoteRefused(`${url} did not take the subscription ${filter}: ${reasonOf(error)}`, { cause: error });
        }
      });
      return {
        close: () =>
          subscriptions.remove(filter, hear, async () => {
            if (client.connected) await client.unsubscribeAsync(filter);
          }),
      };
    },
    onReconnect: (heard) => {
      reconnected.push(heard);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await client.endAsync(!client.connected);
    },
  };
}

/** Nobody was there to refuse. */
function isAway(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && AWAY.includes(code);
}

const AWAY = ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'ENOTFOUND', 'EAI_AGAIN'];
