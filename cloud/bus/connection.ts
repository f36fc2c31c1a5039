/**
 * One client's connection, from its first byte to its last: what comes in is checked, allowed or refused, and answered.
 *
 * What is refused, and how it is said (3.1.1; version 5 gets its reason codes):
 *   CONNECT            CONNACK 1 (version), 2 (client id), 3 (too many, too often), 5 (certificate, policy, a will that may not be)
 *   SUBSCRIBE          SUBACK 0x80 for that filter, the others stand
 *   PUBLISH            the connection ends, as at AWS IoT (3.1.1 has no other word for it); version 5 at QoS 1: PUBACK 0x87
 *   anything malformed the connection ends, and the will is published [MQTT-3.1.2-8]
 */
import type { Socket } from 'node:net';
import type { Admission, BusAuthorizer, ClientIdentity } from '../../actors/contracts/bus.ts';
import type { Clock } from '../../actors/contracts/clock.ts';
import { reasonOf } from '../../actors/contracts/errors.ts';
import type { Log } from '../../actors/contracts/log.ts';
import type { BrokerLimits } from './limits.ts';
import { Fifo } from './fifo.ts';
import { type Hold, newHold } from './holds.ts';
import { decode } from './mqtt-decode.ts';
import { connackAccepted, connackRefused, disconnectPacket, PINGRESP, puback, suback, unsuback } from './mqtt-encode.ts';
import { FrameReader } from './mqtt-frames.ts';
import {
  type Connect,
  type FilterRequest,
  type MqttVersion,
  type Packet,
  type Publish,
  type Reason,
  Violation,
  type Will,
} from './mqtt-packets.ts';
import type { Router } from './router.ts';
import type { Line, Session, SessionPorts } from './session.ts';
import { faultOfFilter, faultOfTopic } from './topic-rules.ts';

export interface ConnectionPorts {
  readonly router: Router;
  readonly limits: BrokerLimits;
  readonly authorizer: BusAuthorizer;
  readonly sessions: SessionPorts;
  readonly clock: Clock;
  readonly log: Log;
  /** The connection on which a client is now. */
  readonly live: Map<string, Connection>;
  /** Client ids of this process. */
  readonly isOurs: (clientId: string) => boolean;
  /** Whether this client id may be taken over once more. */
  readonly mayTakeOver: (clientId: string) => boolean;
  readonly peer: { readonly principal: string | null; readonly certificate: Uint8Array | null };
}

const HEADROOM = 1_024; // of a packet beside its topic and payload: its properties, or a CONNECT's other fields
const NEVER_SUBSCRIBED = ['$SYS', '$windfleet', '$share'];

export class Connection implements Line {
  version: MqttVersion = 4;
  maximumPacket = Number.POSITIVE_INFINITY;
  session: Session | null = null;

  private readonly socket: Socket;
  private readonly ports: ConnectionPorts;
  private readonly reader: FrameReader;
  private readonly began: number;
  private heardAt: number;
  private keepAliveMs = 0;
  private will: Will | null = null;
  private state: 'new' | 'admitting' | 'open' | 'ended' = 'new';
  private sessionMs = 0;
  private openRequests = 0;
  private readonly acks = new Fifo<{ readonly messageId: number; isDue: boolean }>();
  private isCorked = false;
  private standingAt = 0;
  private readonly drain = { taken: -1, at: 0 };

  constructor(socket: Socket, ports: ConnectionPorts) {
    this.socket = socket;
    this.ports = ports;
    const { limits, clock } = ports;
    this.began = clock.now();
    this.heardAt = this.began;
    this.reader = new FrameReader(limits.payloadBytes + 65_535 + HEADROOM, (first, body) => this.take(first, body));
    socket.on('data', (chunk: Buffer) => this.hear(chunk));
    socket.on('drain', () => this.session?.line === this && this.session.flush());
    socket.on('error', (error) => this.end(null, `its connection failed: ${error.message}`));
    socket.on('close', () => this.end(null, 'it hung up'));
  }

  get isCongested(): boolean {
    return this.socket.writableLength > this.ports.limits.socketBytes;
  }

  get identity(): ClientIdentity | null {
    return this.session?.identity ?? null;
  }

  write(bytes: Buffer): void {
    if (this.state === 'ended' || this.socket.destroyed) return;
    if (!this.isCorked) {
      // What is written in one turn goes out in one piece.
      this.isCorked = true;
      this.socket.cork();
      process.nextTick(() => {
        this.isCorked = false;
        this.socket.uncork();
      });
    }
    this.socket.write(bytes);
  }

  /** Once a second. */
  tick(now: number): void {
    if (this.state === 'ended') {
      if (now - this.heardAt > 2_000) this.socket.destroy(); // it did not hang up by itself
      return;
    }
    const { limits } = this.ports;
    if (this.state !== 'open') {
      if (now - this.began > limits.connectMs) this.end('keepAliveTimeout', 'no CONNECT in time');
      return;
    }
    this.session?.forgetDecisions();
    if (now - this.heardAt > this.keepAliveMs * 1.5) {
      // [MQTT-3.1.2-24]
      this.end('keepAliveTimeout', 'it was silent for longer than its keep-alive');
      return;
    }
    const waits = this.socket.writableLength > 0 || (this.session?.backlog ?? 0) > 0;
    const taken = this.socket.bytesWritten - this.socket.writableLength;
    if (!waits || taken !== this.drain.taken) Object.assign(this.drain, { taken, at: now });
    else if (now - this.drain.at > limits.drainMs && (this.isCongested || this.session!.backlog > limits.inflight)) {
      this.ports.router.count('closed.slow');
      this.end('quotaExceeded', `it has taken nothing for ${limits.drainMs / 1_000} s`, { isRude: true });
      return;
    }
    if (now - this.standingAt >= limits.standingMs) void this.lookAgain(now);
  }

  /** Ends it. Without a DISCONNECT from the client its will is published. */
  end(reason: Reason | null, why: string, { isRude = false, withWill = true } = {}): void {
    if (this.state === 'ended') return;
    const { session, will } = this;
    const { router, live, log, clock } = this.ports;
    const wasOpen = this.state === 'open';
    const last = reason !== null && wasOpen && this.version === 5 ? disconnectPacket(reason) : null;
    this.state = 'ended';
    this.heardAt = clock.now();
    this.reader.stop();
    this.socket.removeAllListeners('data');
    if (isRude) this.socket.destroy();
    else {
      if (last && !this.socket.destroyed) this.socket.write(last);
      this.socket.end();
      this.socket.resume(); // so that its end is seen
    }
    if (!session) return;
    if (live.get(session.identity.clientId) === this) live.delete(session.identity.clientId);
    if (reason !== null)
      log.info({ client: session.identity.clientId, thing: session.identity.thing, reason, why }, 'an MQTT client is disconnected');
    else log.debug({ client: session.identity.clientId, why }, 'an MQTT client is gone');
    if (session.line === this) {
      if (this.sessionMs > 0) session.detach(clock.now() + this.sessionMs);
      else router.end(session);
    }
    this.will = null;
    if (will && withWill) this.publishWill(session, will);
  }

  private hear(chunk: Buffer): void {
    this.heardAt = this.ports.clock.now();
    try {
      this.reader.push(chunk);
    } catch (error) {
      this.broken(error);
    }
    this.ports.router.drain();
  }

  private goOn(): void {
    if (this.state === 'ended') return;
    this.socket.resume();
    try {
      this.reader.resume();
    } catch (error) {
      this.broken(error);
    }
  }

  private broken(error: unknown): void {
    if (!(error instanceof Violation)) throw error;
    const { router, log } = this.ports;
    router.count(`broken.${error.reason}`);
    log.warn({ client: this.identity?.clientId ?? null, reason: error.reason, why: error.message }, 'an MQTT client broke the protocol');
    if (this.state !== 'open' && error.reason !== 'protocolError' && error.reason !== 'malformed')
      this.write(connackRefused(this.version, error.reason));
    this.end(error.reason, error.message);
  }

  private take(first: number, body: Buffer): void {
    const packet = decode(first, body, this.state === 'new' ? null : this.version);
    if (packet.cmd === 'connect') {
      if (this.state !== 'new') throw new Violation('protocolError', 'a second CONNECT'); // [MQTT-3.1.0-2]
      this.state = 'admitting';
      this.version = packet.version;
      this.reader.stop();
      void this.admit(packet).then(
        () => this.goOn(),
        (error: unknown) => {
          if (error instanceof Violation) return this.broken(error);
          this.ports.log.error({ reason: reasonOf(error) }, 'an MQTT client could not be admitted');
          this.write(connackRefused(this.version, 'unavailable'));
          this.end('unavailable', 'the registry does not answer');
        },
      );
      return;
    }
    this.act(packet, this.session!);
  }

  private act(packet: Exclude<Packet, Connect>, session: Session): void {
    switch (packet.cmd) {
      case 'publish':
        this.publish(packet, session);
        return;
      case 'puback':
        Object.assign(this.drain, { at: this.ports.clock.now() });
        session.acknowledged(packet.messageId);
        return;
      case 'subscribe':
        this.subscribe(packet, session);
        return;
      case 'unsubscribe':
        this.unsubscribe(packet, session);
        return;
      case 'pingreq':
        this.write(PINGRESP);
        return;
      case 'disconnect':
        if (this.version === 5 && packet.sessionExpiryS !== null)
          this.sessionMs = Math.min(packet.sessionExpiryS * 1_000, this.ports.limits.sessionMs);
        this.end(null, 'it disconnected', { withWill: packet.withWill });
        return;
      default:
        throw new Violation('qosUnsupported', `${packet.cmd} belongs to QoS 2`);
    }
  }

  // ── CONNECT ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private async admit(packet: Connect): Promise<void> {
    const { limits, router, log, authorizer, peer, live, clock } = this.ports;
    const persistent = packet.version === 5 ? (packet.sessionExpiryS ?? 0) > 0 : !packet.clean;
    const admission = await this.decide(packet, persistent);
    if (this.state !== 'admitting') return;
    if ('refused' in admission) {
      router.count('refused.connect');
      log.warn(
        { client: packet.clientId.slice(0, limits.clientIdBytes), principal: peer.principal, why: admission.refused },
        'an MQTT client is refused',
      );
      this.write(connackRefused(this.version, admission.reason));
      return this.end(admission.reason, admission.refused);
    }
    const { identity } = admission;
    const { clientId } = identity;
    const before = live.get(clientId);
    if (before) before.end('takenOver', 'another connection of it has come'); // [MQTT-3.1.4-2]
    let session = router.sessions.get(clientId);
    if (session && (packet.clean || !isSame(session.identity, identity))) {
      router.end(session);
      session = undefined;
    }
    const sessionPresent = session !== undefined;
    session ??= router.open(identity, this.ports.sessions);
    session.identity = identity;
    session.forgetDecisions();
    if (packet.will) {
      const refused = this.faultOfWill(packet.will, session);
      if (refused) {
        if (!sessionPresent) router.end(session);
        router.count('refused.will');
        log.warn(
          { client: clientId, thing: identity.thing, topic: packet.will.topic.slice(0, limits.topicBytes), why: refused },
          'an MQTT will is refused',
        );
        this.write(connackRefused(this.version, 'notAuthorised'));
        return this.end('notAuthorised', refused);
      }
    }
    const askedMs = packet.version === 5 ? (packet.sessionExpiryS ?? 0) * 1_000 : packet.clean ? 0 : limits.sessionMs;
    this.sessionMs = Math.min(askedMs, limits.sessionMs);
    this.keepAliveMs = Math.min(packet.keepAliveS > 0 ? packet.keepAliveS * 1_000 : limits.keepAliveMs, limits.keepAliveMs);
    this.maximumPacket = packet.maximumPacket ?? Number.POSITIVE_INFINITY;
    this.will = packet.will;
    this.session = session;
    this.state = 'open';
    this.standingAt = clock.now();
    live.set(clientId, this);
    router.count('connects');
    log.debug({ client: clientId, thing: identity.thing, principal: identity.principal }, 'an MQTT client has connected');
    this.write(
      connackAccepted(this.version, {
        sessionPresent,
        assignedId: packet.clientId === '' ? clientId : null,
        keepAliveS: Math.floor(this.keepAliveMs / 1_000),
        sessionExpiryS: Math.floor(this.sessionMs / 1_000),
        receiveMaximum: limits.inflight,
        maximumPacket: limits.payloadBytes + limits.topicBytes + HEADROOM,
      }),
    );
    session.attach(this, Math.min(packet.receiveMaximum ?? limits.inflight, limits.inflight));
    if (authorizer.stands(identity) === false) this.end('administrative', 'its certificate has been revoked');
  }

  private async decide(
    packet: Connect,
    persistent: boolean,
  ): Promise<Exclude<Admission, { refused: string }> | { refused: string; reason: Reason }> {
    const { limits, router, authorizer, peer, live, isOurs, mayTakeOver } = this.ports;
    const { clientId } = packet;
    if (Buffer.byteLength(clientId) > limits.clientIdBytes)
      return { refused: `a client id of more than ${limits.clientIdBytes} bytes`, reason: 'identifierInvalid' };
    if (clientId.startsWith('$')) return { refused: 'a client id that begins with $', reason: 'identifierInvalid' };
    if (clientId === '' && !packet.clean && packet.version < 5)
      return { refused: 'a session to keep without a client id', reason: 'identifierInvalid' }; // [MQTT-3.1.3-8]
    if (isOurs(clientId)) return { refused: 'a client id of the farm itself', reason: 'identifierInvalid' };
    if (!router.sessions.has(clientId) && router.sessions.size >= limits.sessions)
      return { refused: 'too many sessions', reason: 'unavailable' };
    const attributes = { lastWill: packet.will !== null, persistent };
    const admission = await authorizer.connect({ clientId, principal: peer.principal, certificate: peer.certificate, attributes });
    if ('refused' in admission) return { ...admission, reason: 'notAuthorised' };
    const { identity } = admission;
    const holder = live.get(identity.clientId)?.identity;
    if (holder && !isSame(holder, identity))
      return { refused: 'its client id is connected under another certificate', reason: 'notAuthorised' };
    if (holder && !mayTakeOver(identity.clientId))
      return { refused: 'its client id is taken over again and again: two clients of one name', reason: 'rateExceeded' };
    return admission;
  }

  private async lookAgain(now: number): Promise<void> {
    this.standingAt = now;
    const { identity } = this;
    if (!identity) return;
    try {
      if (await this.ports.authorizer.stands(identity)) return;
    } catch (error) {
      this.ports.log.warn({ client: identity.clientId, reason: reasonOf(error) }, 'whether a certificate still stands could not be asked');
      return;
    }
    this.ports.router.count('closed.revoked');
    this.end('administrative', 'its certificate no longer stands');
  }

  // ── PUBLISH ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private publish(packet: Publish, session: Session): void {
    const { router, limits, log } = this.ports;
    const { topic, payload, qos, retain, messageId } = packet;
    router.count('messages.in');
    if (qos === 2) throw new Violation('qosUnsupported', 'a publication of QoS 2'); // AWS IoT: not supported
    const fault = faultOfTopic(topic, limits);
    if (fault) throw new Violation('topicInvalid', fault);
    if (payload.length > limits.payloadBytes)
      throw new Violation('packetTooLarge', `a payload of ${payload.length} bytes is over ${limits.payloadBytes}`);
    const refused = this.faultOfPublication(topic, retain, session);
    if (refused) {
      router.count('refused.publish');
      const { clientId, thing, principal } = session.identity;
      log.warn({ client: clientId, thing, principal, topic, retain, why: refused }, 'an MQTT publication is refused');
      if (this.version === 5 && qos === 1) {
        this.write(puback(5, messageId, 'notAuthorised'));
        return;
      }
      this.end('notAuthorised', refused);
      return;
    }
    const served = router.serve({ topic, payload }, session.identity);
    if (served) this.await(served);
    const { clientId } = session.identity;
    if (qos === 0) {
      if (!served) router.route({ topic, payload, qos, retain, properties: packet.properties, from: clientId });
      return;
    }
    const hold = newHold();
    if (!served) router.route({ topic, payload, qos, retain, properties: packet.properties, from: clientId, hold });
    this.acknowledge(messageId, hold);
  }

  /** [MQTT-4.3.2-2]: it is in every session that hears it, and with every hearer that keeps it. [MQTT-4.6.0-2]: in their order. */
  private acknowledge(messageId: number, hold: Hold): void {
    if (!hold.isHeard && this.acks.length === 0) {
      this.write(puback(this.version, messageId));
      return;
    }
    const ack = { messageId, isDue: !hold.isHeard };
    this.acks.push(ack);
    if (ack.isDue) return;
    const due = () => {
      ack.isDue = true;
      for (let first = this.acks.peek(); first?.isDue; first = this.acks.peek())
        this.write(puback(this.version, this.acks.shift()!.messageId));
    };
    this.ports.router.later(() => {
      if (hold.works.length === 0) return due();
      this.await(
        Promise.all(hold.works).then(due, (error: unknown) => {
          this.ports.router.count('closed.unkept');
          this.ports.log.warn({ client: this.identity?.clientId, reason: reasonOf(error) }, 'a message could not be kept');
          this.end('quotaExceeded', 'a message of it could not be kept: it is to send it again'); // 3.1.1 has no PUBACK that says no
        }),
      );
    });
  }

  private await(served: Promise<void>): void {
    const { limits, log } = this.ports;
    if (++this.openRequests >= limits.openRequests) {
      this.reader.stop();
      this.socket.pause();
    }
    const settled = () => {
      if (this.openRequests-- === limits.openRequests) this.goOn();
    };
    served.then(settled, (error: unknown) => {
      log.error({ reason: reasonOf(error) }, 'a request on a reserved topic failed');
      settled();
    });
  }

  /** Null when it may be. Topics that begin with `$` are for requests to a service, never for routing. */
  private faultOfPublication(topic: string, retain: boolean, session: Session): string | null {
    if (topic.startsWith('$') && !this.ports.router.isReserved(topic)) return 'its topic is reserved for the service';
    if (!session.may('publish', topic)) return 'no policy allows iot:Publish';
    if (retain && !topic.startsWith('$') && !session.may('retain', topic)) return 'no policy allows iot:RetainPublish';
    return null;
  }

  private faultOfWill({ topic, payload, qos, retain }: Will, session: Session): string | null {
    const { limits } = this.ports;
    const fault = faultOfTopic(topic, limits);
    if (fault) return fault;
    if (payload.length > limits.payloadBytes) return `a payload of ${payload.length} bytes is over ${limits.payloadBytes}`;
    if (qos === 2) return 'a will of QoS 2';
    return this.faultOfPublication(topic, retain, session);
  }

  private publishWill(session: Session, will: Will): void {
    const { router, log } = this.ports;
    session.forgetDecisions(); // what was allowed at connect may not be any more
    const refused = this.faultOfPublication(will.topic, will.retain, session);
    if (refused) {
      router.count('refused.will');
      log.warn({ client: session.identity.clientId, topic: will.topic, why: refused }, 'an MQTT will is refused');
      return;
    }
    const { topic, payload, retain, properties } = will;
    router.count('wills');
    if (router.serve({ topic, payload }, session.identity)) return;
    router.route({ topic, payload, qos: will.qos === 0 ? 0 : 1, retain, properties, from: session.identity.clientId });
  }

  // ── SUBSCRIBE ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

  private subscribe({ messageId, filters, hasIdentifier }: Extract<Packet, { cmd: 'subscribe' }>, session: Session): void {
    if (hasIdentifier) throw new Violation('identifiersUnsupported', 'a subscription identifier');
    const { router, log, limits } = this.ports;
    const fresh: { readonly request: FilterRequest; readonly isNew: boolean }[] = [];
    const granted = filters.map((request, i) => {
      const { filter } = request;
      const refused = i >= limits.filtersPerRequest ? 'quotaExceeded' : this.refusalOf(filter, session);
      if (refused) {
        router.count('refused.subscribe');
        const { clientId, thing, principal } = session.identity;
        log.warn(
          { client: clientId, thing, principal, filter: filter.slice(0, limits.topicBytes), reason: refused },
          'an MQTT subscription is refused',
        );
        return refused;
      }
      const qos = request.qos === 0 ? 0 : 1; // AWS IoT: QoS 2 is granted as 1
      fresh.push({ request, isNew: !session.filters.has(filter) });
      session.filters.set(filter, request);
      router.subscribe(filter, session, qos);
      return qos;
    });
    this.write(suback(this.version, messageId, granted)); // [MQTT-3.8.4-5]
    for (const { request, isNew } of fresh) {
      if (request.retainHandling === 2 || (request.retainHandling === 1 && !isNew)) continue;
      for (const message of router.retainedFor(request.filter)) session.receive(message, Math.min(request.qos, 1), true);
    }
  }

  private refusalOf(filter: string, session: Session): Reason | null {
    const { limits } = this.ports;
    if (faultOfFilter(filter, limits)) return 'filterInvalid';
    const [first] = filter.split('/', 1);
    if (NEVER_SUBSCRIBED.includes(first)) return first === '$share' ? 'sharedUnsupported' : 'notAuthorised';
    if (!session.filters.has(filter) && session.filters.size >= limits.filtersPerClient) return 'quotaExceeded';
    return session.may('subscribe', filter) ? null : 'notAuthorised';
  }

  private unsubscribe({ messageId, filters }: Extract<Packet, { cmd: 'unsubscribe' }>, session: Session): void {
    const found = filters.map((filter) => {
      if (!session.filters.delete(filter)) return false;
      this.ports.router.unsubscribe(filter, session);
      return true;
    });
    this.write(unsuback(this.version, messageId, found));
  }
}

/** Whether one may take the other's place: the same certificate, or another one of the same thing. */
const isSame = (a: ClientIdentity, b: ClientIdentity) => a.principal === b.principal || (a.thing !== null && a.thing === b.thing);
