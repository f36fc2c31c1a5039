/** Publish and subscribe, MQTT's way: topics with `/`, filters with `+` and `#`. */

export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
}

export interface Subscription {
  close(): Promise<void>;
}

/** One client's connection to a broker. */
export interface Bus {
  readonly clientId: string;

  /** Resolves once the broker has it (QoS 1) or it is sent (QoS 0). Delivery to subscribers may come later. */
  publish(topic: string, payload: string | Uint8Array, options?: { readonly qos?: 0 | 1; readonly retain?: boolean }): Promise<void>;

  /** `hear` is called a message at a time, in the order of arrival; what it throws is a defect. Resolves once the broker has confirmed. */
  subscribe(filter: string, hear: (message: Message) => void): Promise<Subscription>;

  /** Called at every (re)connect after the first one, once subscriptions stand again. */
  onReconnect(heard: () => void): void;

  close(): Promise<void>;
}

/** A broker as the services beside it see it. */
export interface Broker {
  /** A connection from within this process. */
  connect(clientId: string): Bus;

  /**
   * Takes every publication on topics that match `filter` away from routing and hands it to `serve`, with the client it came
   * from: other clients never see it. AWS IoT's reserved topics work so.
   */
  reserve(filter: string, serve: (request: Message, client: string) => void): void;

  /** Delivers to one connected client, whether or not it subscribed, and to nobody else. Nothing happens when it is gone. */
  reply(client: string, topic: string, payload: string): void;

  /** Publishes as the service itself: routed to whoever subscribed, on reserved topics too. */
  announce(topic: string, payload: string): Promise<void>;

  /** Where an outside client connects; null for a broker without a port. */
  readonly address: { readonly host: string; readonly port: number } | null;

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
