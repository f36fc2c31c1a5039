/**
 * Who hears what: sessions and the clients within this process, retained messages, and the topics that a service has taken for
 * itself. Nothing here waits for anybody: a publication is handed to every subscriber's session at once, and a slow one keeps
 * its own queue.
 */
import { type Broker, type ClientIdentity, type Message, type RetainedMessage, topicMatches } from '../../actors/contracts/bus.ts';
import { Fifo } from './fifo.ts';
import type { BrokerLimits } from './limits.ts';
import { Session, type Publication, type SessionPorts } from './session.ts';
import { TopicTree } from './topic-tree.ts';

/** Somebody who hears publications. */
export interface Subscriber {
  receive(publication: Publication, granted: number): void;
}

export type Serve = Parameters<Broker['reserve']>[1];

interface Retained extends RetainedMessage {
  readonly properties: Buffer | null;
}

export class Router {
  readonly sessions = new Map<string, Session>();
  readonly retained = new Map<string, Retained>();
  readonly counters: Record<string, number> = {};
  private readonly tree = new TopicTree<Subscriber>();
  private readonly reserved: { readonly filter: string; readonly serve: Serve }[] = [];
  private retainedBytes = 0;
  private readonly deliveries = new Fifo<() => void>();
  private isDelivering = false;
  private isDue = false;
  private readonly limits: BrokerLimits;
  /** Epoch milliseconds. */
  private readonly date: () => number;

  constructor(limits: BrokerLimits, date: () => number) {
    this.limits = limits;
    this.date = date;
  }

  readonly count = (what: string): void => {
    this.counters[what] = (this.counters[what] ?? 0) + 1;
  };

  reserve(filter: string, serve: Serve): void {
    this.reserved.push({ filter, serve });
  }

  isReserved(topic: string): boolean {
    return this.reserved.some(({ filter }) => topicMatches(filter, topic));
  }

  /** Hands a request to the service that has reserved its topic. @returns settles when it has been answered; null when nobody has reserved it. */
  serve(request: Message, identity: ClientIdentity): Promise<void> | null {
    const keeper = this.reserved.find(({ filter }) => topicMatches(filter, request.topic));
    if (!keeper) return null;
    this.count('requests');
    return new Promise((served, failed) => {
      // Out of the caller's stack: a reply must not overtake the PUBACK, nor recurse.
      this.later(() => {
        const answer = keeper.serve(request, identity.clientId, identity);
        if (answer) answer.then(served, failed);
        else served();
      });
    });
  }

  subscribe(filter: string, subscriber: Subscriber, qos: number): void {
    this.tree.add(filter, subscriber, qos);
  }

  unsubscribe(filter: string, subscriber: Subscriber): void {
    this.tree.remove(filter, subscriber);
  }

  route(publication: Publication): void {
    if (publication.retain) this.retain(publication);
    for (const [subscriber, granted] of this.tree.match(publication.topic)) subscriber.receive(publication, granted);
  }

  /** The best QoS by which a session hears a topic; null when it does not. */
  grantOf(session: Session, topic: string): number | null {
    return this.tree.match(topic).get(session) ?? null;
  }

  /** What new subscribers to a filter get first, oldest first. */
  retainedFor(filter: string): Publication[] {
    const exact = this.retained.get(filter);
    const found = exact ? [exact] : [...this.retained.values()].filter(({ topic }) => topicMatches(filter, topic));
    return found.map(({ topic, payload, qos, properties }) => ({ topic, payload, qos, properties, retain: true, from: null }));
  }

  open(identity: ClientIdentity, ports: SessionPorts): Session {
    const session = new Session(identity, ports);
    this.sessions.set(identity.clientId, session);
    return session;
  }

  end(session: Session): void {
    for (const filter of session.filters.keys()) this.tree.remove(filter, session);
    session.end();
    if (this.sessions.get(session.identity.clientId) === session) this.sessions.delete(session.identity.clientId);
  }

  /** Runs `deliver` after what is being delivered now, in the order of the calls: a publication from within a delivery does not recurse. */
  later(deliver: () => void): void {
    this.deliveries.push(deliver);
    if (this.isDelivering || this.isDue) return;
    this.isDue = true;
    queueMicrotask(this.drain);
  }

  /** What waits for the clients within this process. */
  readonly drain = (): void => {
    this.isDue = false;
    if (this.isDelivering) return;
    this.isDelivering = true;
    try {
      for (let next = this.deliveries.shift(); next; next = this.deliveries.shift()) next();
    } finally {
      this.isDelivering = false;
      if (this.deliveries.length > 0) setImmediate(this.drain); // one of them threw: a defect, and not the others'
    }
  };

  private retain({ topic, payload, qos, properties }: Publication): void {
    const before = this.retained.get(topic);
    this.retained.delete(topic);
    this.retainedBytes -= before ? before.payload.length + topic.length : 0;
    if (payload.length === 0) return; // [MQTT-3.3.1-10]
    const size = payload.length + topic.length;
    if (this.retained.size >= this.limits.retainedMessages || this.retainedBytes + size > this.limits.retainedBytes) {
      this.count('dropped.retained');
      return;
    }
    this.retained.set(topic, { topic, payload, qos, properties, at: this.date() });
    this.retainedBytes += size;
  }
}
