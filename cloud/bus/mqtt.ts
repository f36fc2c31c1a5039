/** A bus over any MQTT 3.1.1 broker, by the `mqtt` client: it reconnects, and its subscriptions stand again before anyone is told. */
import { connectAsync, type MqttClient } from 'mqtt';
import { type Bus, type Message, topicMatches } from '../../actors/contracts/bus.ts';
import { RemoteRefused, reasonOf } from '../../actors/contracts/errors.ts';
import type { Log } from '../../actors/contracts/log.ts';

export interface MqttOptions {
  /** `mqtt://127.0.0.1:1883` */
  readonly url: string;
  readonly clientId: string;
  readonly log: Log;
}

const CONNECT_TIMEOUT_MS = 5_000;
const RECONNECT_MS = 1_000;

/** @throws RemoteRefused when no broker answers there. */
export async function mqttBus({ url, clientId, log }: MqttOptions): Promise<Bus> {
  const client: MqttClient = await connectAsync(
    url,
    { clientId, protocolVersion: 4, connectTimeout: CONNECT_TIMEOUT_MS, reconnectPeriod: RECONNECT_MS, resubscribe: true },
    false,
  ).catch((error: unknown) => {
    throw new RemoteRefused(`no MQTT broker answers at ${url}: ${reasonOf(error)}`, {
      cause: error,
      hint: 'start the farm or the cloud first, or name its address with --cloud',
    });
  });
  const subscriptions = new Map<string, Set<(message: Message) => void>>();
  const reconnected: (() => void)[] = [];

  client.on('error', (error) => log.debug({ url, reason: error.message }, 'MQTT'));
  client.on('close', () => log.debug({ url }, 'MQTT connection closed'));
  client.on('message', (topic, payload) => {
    for (const [filter, hearers] of subscriptions)
      if (topicMatches(filter, topic)) for (const hear of [...hearers]) hear({ topic, payload });
  });
  client.on('connect', () => {
    // The client resubscribes by itself; asking again confirms that it has been done before anyone acts on it.
    const filters = [...subscriptions.keys()];
    const standing = filters.length === 0 ? Promise.resolve() : client.subscribeAsync(filters, { qos: 1 }).then(() => {});
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
      if (!client.connected && qos === 0) throw new RemoteRefused(`no connection to ${url}`);
      await client.publishAsync(topic, Buffer.from(payload), { qos, retain }).catch((error: unknown) => {
        throw new RemoteRefused(`${url} did not take a message on ${topic}: ${reasonOf(error)}`, { cause: error });
      });
    },
    async subscribe(filter, hear) {
      const hearers = subscriptions.get(filter) ?? new Set();
      hearers.add(hear);
      if (!subscriptions.has(filter)) {
        subscriptions.set(filter, hearers);
        await client.subscribeAsync(filter, { qos: 1 }).catch((error: unknown) => {
          subscriptions.delete(filter);
          throw new RemoteRefused(`${url} did not take the subscription ${filter}: ${reasonOf(error)}`, { cause: error });
        });
      }
      return {
        async close() {
          hearers.delete(hear);
          if (hearers.size > 0) return;
          subscriptions.delete(filter);
          await client.unsubscribeAsync(filter);
        },
      };
    },
    onReconnect: (heard) => {
      reconnected.push(heard);
    },
    close: () => client.endAsync(),
  };
}
