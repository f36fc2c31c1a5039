/** Publish and subscribe, MQTT's way: topics with `/`, filters with `+` and `#`; who stands behind a connection, and what it may. */
import type { ThingName } from './ids.ts';

export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** The client that published it; absent where nobody can know, or when it did not come over MQTT. */
  readonly from?: string;
  /** As it was published; absent where nobody can know. */
  readonly qos?: 0 | 1;
  /** Its publisher has no answer yet: the promises of those who hear it come first. */
  readonly isAwaited?: boolean;
}

/** A message that new subscribers get first. */
export interface RetainedMessage extends Message {
  readonly qos: 0 | 1;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface Subscription {
  close(): Promise<void>;
}

/** What it returns says nothing, but for a promise. */
export type Hear = (message: Message) => unknown;

/** One client's connection to a broker. */
export interface Bus {
  readonly clientId: string;

  /** Resolves once the broker has it (QoS 1) or it is sent (QoS 0). Delivery to subscribers may come later. */
  publish(topic: string, payload: string | Uint8Array, options?: { readonly qos?: 0 | 1; readonly retain?: boolean }): Promise<void>;

  /**
   * `hear` is called a message at a time, in the order of arrival; what it throws is a defect. Resolves once the broker has confirmed.
   * A promise that `hear` returns holds back the acknowledgement of a QoS 1 message, where broker and subscriber are one process: when
   * it fails, the publisher is not answered and its connection ends, so that it sends again.
   */
  subscribe(filter: string, hear: Hear): Promise<Subscription>;

  /** Called at every (re)connect after the first one, once subscriptions stand again. */
  onReconnect(heard: () => void): void;

  close(): Promise<void>;
}

/** Who stands behind a connection to a broker. */
export interface ClientIdentity {
  readonly clientId: string;
  /** The certificate it showed: SHA-256 of its DER in lower-case hex, AWS's certificate id. Null: none (the open port, or this process). */
  readonly principal: string | null;
  /** The thing that the certificate belongs to; null for a client that is no thing. */
  readonly thing: ThingName | null;
}

/** What a client asks of a topic, in the words of AWS IoT's policy actions (`iot:Publish`, `iot:RetainPublish`, …). */
export type TopicAction = 'publish' | 'retain' | 'subscribe' | 'receive';

export interface ConnectRequest {
  /** As the client sent it; empty when it left the choice to the broker. */
  readonly clientId: string;
  /** Of the certificate of its TLS connection, which has been verified to come from the CA; null on a port without TLS. */
  readonly principal: string | null;
  /** DER of that certificate. */
  readonly certificate: Uint8Array | null;
  /** Whether the client brings a will, and whether its session outlives the connection (AWS's connect attributes). */
  readonly attributes: { readonly lastWill: boolean; readonly persistent: boolean };
}

/** `clientId` is the one that the session goes by: the client's own or, when it sent none, one that the authorizer gave. */
export type Admission = { readonly identity: ClientIdentity } | { readonly refused: string };

/** Decides for a broker who may connect and what they may do there: enforced by the broker, known by the registry. */
export interface BusAuthorizer {
  connect(request: ConnectRequest): Admission | Promise<Admission>;
  /** Asked for every publication, retained one, will, subscription and delivery. `topic` is a filter for `subscribe`. Must not block. */
  may(identity: ClientIdentity, action: TopicAction, topic: string): boolean;
  /** Asked again and again while the connection lives, at most 60 s apart: false once its certificate is revoked or gone. */
  stands(identity: ClientIdentity): boolean | Promise<boolean>;
  /** Tells of a principal that no longer stands, so that its connections end at once. */
  onRevoked?(ended: (principal: string) => void): void;
}

/** A broker as the services beside it see it. */
export interface Broker {
  /** A connection from within this process: it may do everything. `nameless` is HTTP's: its messages do not say who published them, and of either quality resolve once those who hear them have kept them. */
  connect(clientId: string, options?: { readonly nameless?: boolean }): Bus;

  /**
   * Takes every publication on topics that match `filter` away from routing and hands it to `serve`, with the client it came
   * from: other clients never see it. AWS IoT's reserved topics work so. A client whose policies do not allow the topic never
   * gets as far. While many promises of one client are open, no more is read from it: nothing is dropped.
   */
  reserve(filter: string, serve: (request: Message, client: string, identity: ClientIdentity) => void | Promise<void>): void;

  /**
   * Delivers to one connected client, whether or not it subscribed, and to nobody else: at QoS 1 when it has a subscription of
   * that quality, else at QoS 0. Nothing happens when it is gone.
   */
  reply(client: string, topic: string, payload: string): void;

  /** Publishes as the service itself: routed to whoever subscribed, on reserved topics too. */
  announce(topic: string, payload: string): Promise<void>;

  /** Where an outside client connects without TLS; null for a broker without a port. */
  readonly address: { readonly host: string; readonly port: number } | null;

  /** Where things connect by mTLS; null when it is not open. */
  readonly tlsAddress: { readonly host: string; readonly port: number } | null;

  /** Who is connected from outside now. */
  clients(): readonly ClientIdentity[];

  /** Retained messages, by topic: AWS's `GetRetainedMessage` and `ListRetainedMessages`. */
  retained(): Iterable<RetainedMessage>;

  /** What happened since the start, by name: messages in and out, refusals, drops. */
  counters(): Readonly<Record<string, number>>;

  close(): Promise<void>;
}

/** Whether an MQTT topic filter covers a topic. [MQTT-4.7.2-1]: a leading wildcard does not match topics beginning with `$`. */
export function topicMatches(filter: string, topic: string): boolean {
  const want = filter.split('/');
  const have = topic.split('/');
  if (have[0].startsWith('$') && (want[0] === '+' || want[0] === '#')) return false;
  for (let i = 0; i < want.length; i++) {
    if (want[i] === '#') return true;
    if (i >= have.length || (want[i] !== '+' && want[i] !== have[i])) return false;
  }
  return want.length === have.length;
}
