/**
 * A bus over AWS IoT Core, or whatever speaks as it does, by AWS's own client (aws-iot-device-sdk-v2): mTLS with any CA, any
 * port, MQTT 3.1.1 or 5. It reconnects by itself; what it had subscribed to stands again before anyone is told.
 */
import type { Bus } from '../../actors/contracts/bus.ts';
import type { Clock } from '../../actors/contracts/clock.ts';
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

export interface AwsIotOptions extends ClientOptions {
  /** `<id>-ats.iot.<region>.amazonaws.com`, or a name that the broker's certificate has. */
  readonly host: string;
  /** 8883 at AWS. */
  readonly port: number;
  /** `ca` empty: the machine's own, which know Amazon's. */
  readonly tls: ClientTls;
  readonly clock: Clock;
}

const GOODBYE_MS = 1_000;
const ATTEMPTS = 5;

/** What a version's client is to the bus. */
interface Client {
  readonly isConnected: () => boolean;
  publish(topic: string, payload: Buffer, qos: 0 | 1, retain: boolean): Promise<void>;
  subscribe(filters: readonly string[]): Promise<void>;
  unsubscribe(filter: string): Promise<void>;
  end(): Promise<void>;
}

interface Heard {
  readonly message: (topic: string, payload: Uint8Array) => void;
  readonly back: (sessionPresent: boolean) => void;
}

/** @throws RemoteRefused when no broker answers there, or it refuses. */
export async function awsIotBus(options: AwsIotOptions): Promise<Bus> {
  const { host, port, clientId, log, version = 4 } = options;
  const address = `${host}:${port}`;
  const subscriptions = clientSubscriptions();
  const reconnected: (() => void)[] = [];
  let waiting = 0;
  let isClosed = false;
  const stands = () => {
    if (isClosed) throw new RemoteRefused(`the connection of ${clientId} to ${address} has been closed`);
  };
  const sdk = await import('aws-iot-device-sdk-v2');
  const heard: Heard = {
    message(topic, payload) {
      try {
        subscriptions.heard({ topic, payload });
      } catch (defect) {
        // thrown into the library's native code it would end the process without a word
        setImmediate(() => {
          throw defect;
        });
      }
    },
    back(sessionPresent) {
      const filters = subscriptions.filters();
      const standing = sessionPresent || filters.length === 0 ? Promise.resolve() : client.subscribe(filters);
      standing.then(
        () => {
          for (const one of reconnected) one();
        },
        (error: unknown) => log.warn({ address, reason: reasonOf(error) }, 'MQTT subscriptions could not be renewed'),
      );
    },
  };
  const connect = version === 5 ? connect5 : connect311;
  const client: Client = await connect(sdk, options, heard).catch((error: unknown) => {
    throw unreachable(address, error);
  });

  return {
    clientId,
    async publish(topic, payload, { qos = 0, retain = false } = {}) {
      stands();
      if (!client.isConnected() && qos === 0) throw new RemoteRefused(`no connection to ${address}`);
      if (waiting >= MAX_WAITING) throw new RemoteRefused(`${waiting} messages wait for ${address} already`);
      waiting++;
      try {
        await client.publish(topic, Buffer.from(payload), qos, retain);
      } catch (error) {
        throw new RemoteRefused(`${address} did not take a message on ${topic}: ${reasonOf(error)}`, { cause: error });
      } finally {
        waiting--;
      }
    },
    async subscribe(filter, hear) {
      stands();
      await subscriptions.add(filter, hear, () =>
        client.subscribe([filter]).catch((error: unknown) => {
          throw new RemoteRefused(`${address} did not take the subscription ${filter}: ${reasonOf(error)}`, { cause: error });
        }),
      );
      return {
        close: () =>
          subscriptions.remove(filter, hear, async () => {
            if (client.isConnected()) await client.unsubscribe(filter);
          }),
      };
    },
    onReconnect: (one) => {
      reconnected.push(one);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      await client.end();
    },
  };
}

type Sdk = typeof import('aws-iot-device-sdk-v2');

async function connect311(
  { iot, mqtt }: Sdk,
  { host, port, tls, clientId, session, will, log, reconnectMs = RECONNECT_MS }: AwsIotOptions,
  heard: Heard,
): Promise<Client> {
  const builder = iot.AwsIotMqttConnectionConfigBuilder.new_mtls_builder(tls.cert, tls.key)
    .with_endpoint(host)
    .with_port(port)
    .with_client_id(clientId)
    .with_clean_session(session !== 'kept')
    .with_timeout_ms(CONNECT_TIMEOUT_MS)
    .with_reconnect_min_sec(Math.max(1, Math.round(reconnectMs / 1_000)))
    .with_reconnect_max_sec(8)
    .with_keep_alive_seconds(60);
  if (tls.ca) builder.with_certificate_authority(tls.ca);
  if (will) builder.with_will({ ...will, qos: will.qos as number });
  const connection = new mqtt.MqttClient().new_connection(builder.build());
  let isConnected = false;
  connection.on('error', (error) => log.debug({ host, reason: error.message }, 'MQTT'));
  connection.on('message', (topic, payload) => heard.message(topic, bytesOf(payload)));
  connection.on('interrupt', () => {
    isConnected = false;
  });
  connection.on('resume', (_code, sessionPresent) => {
    isConnected = true;
    heard.back(sessionPresent);
  });
  await connection.connect();
  isConnected = true;

  return {
    isConnected: () => isConnected,
    async publish(topic, payload, qos, retain) {
      for (let attempt = 1; ; attempt++) {
        try {
          await connection.publish(topic, payload, qos as number, retain);
          return;
        } catch (error) {
          // With a clean session the library drops what was on its way when a connection breaks: QoS 1 is said again on the next one.
          if (qos === 0 || attempt === ATTEMPTS || !reasonOf(error).includes('CANCELLED_FOR_CLEAN_SESSION')) throw error;
          log.debug({ host, topic, attempt }, 'a message is sent again: the connection broke while it was on its way');
          if (!isConnected) await new Promise<void>((resumed) => connection.once('resume', () => resumed()));
        }
      }
    },
    async subscribe(filters) {
      for (const filter of filters) {
        const { qos, error_code } = await connection.subscribe(filter, 1);
        if (error_code || (qos as number) >= 0x80) throw new Error('not allowed');
      }
    },
    unsubscribe: async (filter) => void (await connection.unsubscribe(filter)),
    async end() {
      isConnected = false;
      await connection.disconnect();
    },
  };
}

async function connect5(
  { iot, mqtt5 }: Sdk,
  { host, port, tls, clientId, session, will, log, clock, reconnectMs = RECONNECT_MS }: AwsIotOptions,
  heard: Heard,
): Promise<Client> {
  const builder = iot.AwsIotMqtt5ClientConfigBuilder.newDirectMqttBuilderWithMtlsFromMemory(host, tls.cert, tls.key)
    .withPort(port)
    .withConnackTimeoutMs(CONNECT_TIMEOUT_MS)
    .withMinReconnectDelayMs(reconnectMs)
    .withMaxReconnectDelayMs(8_000)
    .withSessionBehavior(session === 'kept' ? mqtt5.ClientSessionBehavior.RejoinAlways : mqtt5.ClientSessionBehavior.Clean)
    .withConnectProperties({
      clientId,
      keepAliveIntervalSeconds: 60,
      ...(session === 'kept' ? { sessionExpiryIntervalSeconds: SESSION_S } : {}),
      ...(will ? { will: { topicName: will.topic, payload: will.payload, qos: will.qos as number, retain: will.retain } } : {}),
    });
  if (tls.ca) builder.withCertificateAuthority(tls.ca);
  const client = new mqtt5.Mqtt5Client(builder.build());
  /** When a message comes in just now the library never says that it has stopped: closing it ends it all the same. */
  const stop = async (goodbye?: { reasonCode: 0 }) => {
    await new Promise<void>((done) => {
      const late = clock.setTimeout(done, GOODBYE_MS);
      client.once('stopped', () => {
        clock.clearTimeout(late);
        done();
      });
      client.stop(goodbye);
    });
    client.close();
  };
  let isConnected = false;
  let wasConnected = false;
  client.on('error', (error) => log.debug({ host, reason: reasonOf(error) }, 'MQTT'));
  client.on('messageReceived', ({ message }) => heard.message(message.topicName, bytesOf(message.payload)));
  client.on('disconnection', () => {
    isConnected = false;
  });
  await new Promise<void>((connected, failed) => {
    client.on('connectionSuccess', ({ connack }) => {
      isConnected = true;
      if (wasConnected) heard.back(connack.sessionPresent);
      wasConnected = true;
      connected();
    });
    client.on('connectionFailure', ({ error, connack }) => {
      if (!wasConnected) failed(connack ? new Error(`not authorised: reason ${connack.reasonCode}`) : error);
    });
    client.start();
  }).catch((error: unknown) => {
    client.stop({ reasonCode: 0 });
    client.close();
    throw error;
  });

  return {
    isConnected: () => isConnected,
    async publish(topicName, payload, qos, retain) {
      const done = await client.publish({ topicName, payload, qos: qos as number, retain });
      if (done && done.reasonCode >= 0x80) throw new Error(`not allowed: reason ${done.reasonCode}`);
    },
    async subscribe(filters) {
      const { reasonCodes } = await client.subscribe({ subscriptions: filters.map((topicFilter) => ({ topicFilter, qos: 1 })) });
      const refused = reasonCodes.find((code) => (code as number) >= 0x80);
      if (refused !== undefined) throw new Error(`not allowed: reason ${refused}`);
    },
    unsubscribe: async (filter) => void (await client.unsubscribe({ topicFilters: [filter] })),
    async end() {
      isConnected = false;
      await stop({ reasonCode: 0 });
    },
  };
}

/** A copy of the library's; an empty payload comes as a buffer that has been taken away (detached). */
function bytesOf(payload: unknown): Uint8Array {
  if (typeof payload === 'string') return Buffer.from(payload);
  if (payload instanceof ArrayBuffer) return payload.byteLength === 0 ? new Uint8Array() : new Uint8Array(payload.slice(0));
  return payload ? Buffer.from(payload as Uint8Array) : new Uint8Array();
}
