/**
 * What the broker holds of one client, with or without a connection: its subscriptions, the QoS 1 messages that it has not
 * acknowledged, and what waits for it.
 *
 *   deliver → socket                      while it takes bytes and the window of unacknowledged messages is open
 *           → waits, three lines by rank  telemetry (QoS 0): the oldest goes when it is full, and is counted
 *                                         QoS 1: as above, at a larger size
 *                                         reserved ($aws, jobs): never dropped; when it is full the session ends, and the client learns of it
 */
import type { BusAuthorizer, ClientIdentity, TopicAction } from '../../actors/contracts/bus.ts';
import { topicMatches } from '../../actors/contracts/bus.ts';
import { Fifo } from './fifo.ts';
import type { Hold } from './holds.ts';
import type { BrokerLimits } from './limits.ts';
import { publishPacket } from './mqtt-encode.ts';
import type { FilterRequest, MqttVersion } from './mqtt-packets.ts';

/** A message on its way to subscribers. */
export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  /** Version 5's, unread. */
  readonly properties: Buffer | null;
  /** Null: the service itself. */
  readonly from: string | null;
  /** Its publisher is not to be named to who hears it. */
  readonly isNameless?: boolean;
  /** On what its publisher's answer waits; absent: it has had its answer. */
  readonly hold?: Hold;
}

/** The connection that a session is on now. */
export interface Line {
  readonly version: MqttVersion;
  readonly maximumPacket: number;
  /** Whether its socket holds more than it should. */
  readonly isCongested: boolean;
  write(bytes: Buffer): void;
}

/** What all sessions share. */
export interface SessionPorts {
  readonly limits: BrokerLimits;
  readonly authorizer: BusAuthorizer;
  readonly count: (what: string) => void;
  /** Bytes that wait in all sessions. */
  readonly waiting: { bytes: number };
  /** It could not hold a message that must not be dropped. */
  readonly overflowed: (session: Session) => void;
}

interface Item {
  readonly publication: Publication;
  readonly qos: 0 | 1;
  readonly retain: boolean;
  readonly order: number;
}

const REMEMBERED_DECISIONS = 1_000;
const OVERHEAD = 64; // bytes of an item beside its payload

export class Session {
  readonly filters = new Map<string, FilterRequest>();
  line: Line | null = null;
  /** The instant at which it ends; null while it is connected. */
  endsAt: number | null = null;
  identity: ClientIdentity;

  private readonly ports: SessionPorts;
  private window = 0;
  private nextId = 1;
  private order = 0;
  private readonly inflight = new Map<number, Item>();
  private readonly lines = [new Fifo<Item>(), new Fifo<Item>(), new Fifo<Item>()] as const;
  private readonly bytes = [0, 0, 0];
  private readonly decisions = new Map<string, boolean>();

  constructor(identity: ClientIdentity, ports: SessionPorts) {
    this.identity = identity;
    this.ports = ports;
  }

  get backlog(): number {
    return this.inflight.size + this.lines[0].length + this.lines[1].length + this.lines[2].length;
  }

  /** Whether the policies of its client allow it; remembered until `forgetDecisions`. */
  may(action: TopicAction, topic: string): boolean {
    const key = `${action} ${topic}`;
    const known = this.decisions.get(key);
    if (known !== undefined) return known;
    const allowed = this.ports.authorizer.may(this.identity, action, topic);
    if (this.decisions.size >= REMEMBERED_DECISIONS) this.decisions.clear();
    this.decisions.set(key, allowed);
    return allowed;
  }

  forgetDecisions(): void {
    this.decisions.clear();
  }

  /** From now on over this connection: what was not acknowledged goes again first. [MQTT-4.4.0-1] */
  attach(line: Line, window: number): void {
    this.line = line;
    this.window = window;
    this.endsAt = null;
    for (const [messageId, item] of this.inflight) this.write(item, messageId, true);
    this.flush();
  }

  detach(endsAt: number): void {
    this.line = null;
    this.endsAt = endsAt;
    this.drop(0); // QoS 0 is for those who listen
  }

  /** Frees what it holds. */
  end(): void {
    for (const rank of [0, 1, 2] as const) this.drop(rank);
    this.inflight.clear();
  }

  /** @param granted the best QoS of the filters by which this client hears it. */
  receive(publication: Publication, granted: number, retain = false): void {
    if (publication.from === this.identity.clientId && !this.hearsItself(publication.topic)) return;
    if (!this.may('receive', publication.topic)) {
      this.ports.count('refused.receive');
      return;
    }
    this.hand(publication, granted, retain);
  }

  /** As `receive`, without asking the policies: a reply to its own request. */
  hand(publication: Publication, granted: number, retain = false): void {
    const qos = publication.qos === 1 && granted >= 1 ? 1 : 0;
    const kept = retain || (publication.retain && this.keepsRetain(publication.topic));
    this.send({ publication, qos, retain: kept, order: this.order++ });
  }

  acknowledged(messageId: number): void {
    if (this.inflight.delete(messageId)) this.flush();
  }

  /** Sends what waits, in its order, as far as the socket and the window allow. */
  flush(): void {
    while (this.line && !this.line.isCongested) {
      let rank = -1;
      for (let i = 0; i < 3; i++) {
        const head = this.lines[i].peek();
        if (head && (rank < 0 || head.order < this.lines[rank].peek()!.order)) rank = i;
      }
      if (rank < 0) return;
      if (this.lines[rank].peek()!.qos === 1 && this.inflight.size >= this.window) return;
      this.put(this.take(rank)!);
    }
  }

  private send(item: Item): void {
    const rank = item.publication.topic.startsWith('$aws/') ? 2 : item.qos;
    const isIdle = this.lines[0].length + this.lines[1].length + this.lines[2].length === 0;
    if (this.line && isIdle && !this.line.isCongested && (item.qos === 0 || this.inflight.size < this.window)) {
      this.put(item);
      return;
    }
    if (!this.line && item.qos === 0) return;
    const { limits, waiting } = this.ports;
    const size = item.publication.payload.length + OVERHEAD;
    const [maxCount, maxBytes] = rank === 0 ? [limits.telemetryMessages, limits.telemetryBytes] : [limits.keptMessages, limits.keptBytes];
    if (rank === 0 && waiting.bytes + size > limits.waitingBytes) {
      this.ports.count('dropped.telemetry');
      return;
    }
    if (rank === 2 && (this.lines[2].length >= maxCount || this.bytes[2] + size > maxBytes)) {
      this.ports.overflowed(this);
      return;
    }
    while (this.lines[rank].length > 0 && (this.lines[rank].length >= maxCount || this.bytes[rank] + size > maxBytes)) {
      this.take(rank);
      this.ports.count(rank === 0 ? 'dropped.telemetry' : 'dropped.qos1');
    }
    this.lines[rank].push(item);
    this.bytes[rank] += size;
    waiting.bytes += size;
  }

  private take(rank: number): Item | undefined {
    const item = this.lines[rank].shift();
    if (!item) return undefined;
    const size = item.publication.payload.length + OVERHEAD;
    this.bytes[rank] -= size;
    this.ports.waiting.bytes -= size;
    return item;
  }

  private drop(rank: number): void {
    while (this.take(rank));
  }

  private put(item: Item): void {
    if (item.qos === 0) {
      this.write(item, 0, false);
      return;
    }
    while (this.inflight.has(this.nextId)) this.nextId = (this.nextId % 65_535) + 1; // the window is smaller than the ids
    const messageId = this.nextId;
    this.nextId = (this.nextId % 65_535) + 1;
    this.inflight.set(messageId, item);
    this.write(item, messageId, false);
  }

  private write({ publication, qos, retain }: Item, messageId: number, dup: boolean): void {
    const { line } = this;
    if (!line) return;
    const bytes = publishPacket(line.version, publication, { qos, retain, dup, messageId });
    if (bytes.length > line.maximumPacket) {
      // MQTT 5 §3.1.2.11.4: as if it had been sent
      this.inflight.delete(messageId);
      this.ports.count('dropped.tooLarge');
      return;
    }
    this.ports.count('messages.out');
    line.write(bytes);
  }

  private hearsItself(topic: string): boolean {
    for (const { filter, noLocal } of this.filters.values()) if (!noLocal && topicMatches(filter, topic)) return true;
    return false;
  }

  private keepsRetain(topic: string): boolean {
    for (const { filter, retainAsPublished } of this.filters.values()) if (retainAsPublished && topicMatches(filter, topic)) return true;
    return false;
  }
}
