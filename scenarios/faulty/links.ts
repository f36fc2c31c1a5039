/**
 * The connection of each client to the broker, and what may be wrong with it: late, lost, doubled, overtaken, narrow, cut.
 *
 *   publish ▶ cut? ▶ narrow ▶ late ▶ lost, sent again ▶ doubled ▶ overtaken ▶ the broker, and back the same way
 *
 * As MQTT over TCP has it: a message of QoS 0 can be lost; one of QoS 1 is sent again until it is acknowledged, so that it may arrive
 * twice; without a fault `link-reorder` messages keep their order. A cut connection keeps what is of QoS 1 in the client's memory, refuses
 * the rest, and the broker drops what was for it: sessions are not kept. Each draw is a function of (seed, client, fault, number of the
 * message): what happens to one message shifts no other.
 */
import type { Bus, Message, Subscription } from '../../actors/contracts/bus.ts';
import type { Clock } from '../../actors/contracts/clock.ts';
import { RemoteRefused } from '../../actors/contracts/errors.ts';
import type { Rng } from '../../actors/contracts/rng.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { Tally } from './tally.ts';

export interface LinkTrouble {
  readonly latencyMs?: number;
  readonly jitterMs?: number;
  /** 0..1 */
  readonly loss?: number;
  readonly duplicate?: number;
  readonly reorder?: number;
  readonly kbps?: number;
}

/** What a device says is counted; who serves the devices is there again before they are. */
export type LinkRole = 'device' | 'service';

export interface Links {
  /** A client's own connection over one that it shares with others; what was left of its last one is gone. */
  connect(client: string, carrier: Bus, role: LinkRole): Bus;
  /** Null: that trouble is over. */
  trouble(client: string, name: string, trouble: LinkTrouble | null): void;
  /** Cuts, or mends, one cause of being cut; once none is left the client connects again within a second. */
  cut(client: string, cause: string, isCut: boolean): void;
  /** Every client there is, and every one that comes while it lasts. */
  cutAll(cause: string, isCut: boolean): void;
  /** Connected, with nothing of QoS 1 on its way to the broker. */
  isSettled(client: string): boolean;
  /** Messages on their way to the broker, by QoS. */
  held(client: string): readonly [number, number];
}

const RESEND_MS = 1_000;
const RECONNECT_MS = 1_000;
const OVERTAKEN_MS = 1_000;
const FRAME_BYTES = 60; // of TCP, IP and MQTT around a payload
const BUFFER_MS = 10_000; // of a narrow link: what would wait longer is not taken
const MAX_WAITING = 10_000; // as the real client

export function createLinks(clock: Clock, rng: Rng, tally: Tally): Links {
  const links = new Map<string, Link>();
  const downCauses = new Set<string>();
  const linkOf = (client: string): Link => {
    const known = links.get(client);
    if (known) return known;
    const link = createLink(client, clock, rng.fork(`link ${client}`), tally);
    for (const cause of downCauses) link.cut(cause, true);
    links.set(client, link);
    return link;
  };
  return {
    connect: (client, carrier, role) => linkOf(client).connect(carrier, role),
    trouble: (client, name, trouble) => linkOf(client).trouble(name, trouble),
    cut: (client, cause, isCut) => linkOf(client).cut(cause, isCut),
    cutAll(cause, isCut) {
      if (isCut) downCauses.add(cause);
      else downCauses.delete(cause);
      for (const link of links.values()) link.cut(cause, isCut);
    },
    isSettled: (client) => linkOf(client).isSettled(),
    held: (client) => linkOf(client).held(),
  };
}

interface Link {
  connect(carrier: Bus, role: LinkRole): Bus;
  trouble(name: string, trouble: LinkTrouble | null): void;
  cut(cause: string, isCut: boolean): void;
  isSettled(): boolean;
  held(): readonly [number, number];
}

/** What becomes of one way of one message. */
interface Course {
  /** When it arrives first; null: never. */
  readonly at: Millis | null;
  /** When it arrives once more; null: it does not. */
  readonly againAt: Millis | null;
}

function createLink(client: string, clock: Clock, rng: Rng, tally: Tally): Link {
  const troubles = new Map<string, LinkTrouble>();
  const causes = new Set<string>();
  const held: [number, number] = [0, 0];
  const ways = { up: createWay(clock, rng.fork('up'), troubles), down: createWay(clock, rng.fork('down'), troubles) };
  let role: LinkRole = 'device';
  let session = 0;
  let isConnected = true;
  let reconnects = 0;
  let waiting: { readonly number: number; readonly send: () => void }[] = []; // of QoS 1, in the client's memory
  let published = 0;
  let heard: (() => void)[] = [];
  const unanswered: (() => void)[] = [];
  const subscriptions: Subscription[] = [];

  const reconnect = () => {
    if (causes.size > 0 || isConnected) return;
    isConnected = true;
    // What was on its way when the connection went was said before what has been said since.
    for (const { send } of waiting.splice(0).sort((a, b) => a.number - b.number)) send();
    for (const tell of unanswered.splice(0)) tell();
    for (const hear of [...heard]) hear();
  };

  return {
    connect(carrier, as) {
      role = as;
      const mine = ++session;
      held[0] = held[1] = 0; // what was in the memory of the one before is gone
      waiting = [];
      heard = [];
      for (const subscription of subscriptions.splice(0)) void subscription.close();
      const isOver = () => session !== mine;

      const publish: Bus['publish'] = (topic, given, { qos = 0, retain = false } = {}) => {
        if (isOver()) return refusal(`the connection of ${client} has been closed`);
        const payload = typeof given === 'string' ? Buffer.from(given) : given;
        if (role === 'device') tally.sent(client, qos, topic, payload);
        if (!isConnected && qos === 0) return refusal(`${client} has no connection`);
        if (isConnected && ways.up.isClear()) return carrier.publish(topic, payload, { qos, retain });
        if (waiting.length >= MAX_WAITING) return refusal(`${waiting.length} messages of ${client} wait already`);
        const give = () => carrier.publish(topic, payload, { qos, retain });
        held[qos]++;
        const number = published++;
        return new Promise((taken, refused) => {
          const release = () => {
            if (!isOver()) held[qos]--;
          };
          const arrive = () => {
            release();
            give().then(taken, refused);
          };
          const send = () => {
            const course = ways.up.course(payload.length, qos);
            if (course === null) {
              release();
              refused(new RemoteRefused(`the link of ${client} is too narrow for more`));
              return;
            }
            const { at, againAt } = course;
            if (at === null) {
              release();
              taken(); // QoS 0: nobody tells its sender
              return;
            }
            ways.up.later(at, () => {
              if (isConnected || isOver()) arrive();
              else if (qos === 1) waiting.push({ number, send });
              else release();
            });
            if (againAt !== null)
              ways.up.later(againAt, () => {
                if (isConnected) void give();
              });
          };
          if (isConnected) send();
          else waiting.push({ number, send });
        });
      };

      return {
        clientId: client,
        publish,
        async subscribe(filter, hear) {
          const receive = (message: Message) => {
            if (isOver()) return;
            // The broker went down before a service had it: its publisher has no answer, and sends it again to the next one.
            if (!isConnected && role === 'service' && message.qos === 1)
              return new Promise((told) => unanswered.push(() => told(hear(message))));
            if (!isConnected) return;
            if (ways.down.isClear()) return hear(message);
            const course = ways.down.course(message.payload.length, 1);
            for (const at of [course?.at, course?.againAt])
              if (typeof at === 'number')
                ways.down.later(at, () => {
                  if (!isOver() && isConnected) hear(message);
                });
          };
          const subscription = await carrier.subscribe(filter, receive);
          if (isOver()) await subscription.close();
          else subscriptions.push(subscription);
          return subscription;
        },
        onReconnect(hear) {
          heard.push(hear);
        },
        async close() {
          if (isOver()) return;
          session++;
          held[0] = held[1] = 0;
          waiting = [];
          heard = [];
          for (const subscription of subscriptions.splice(0)) await subscription.close();
        },
      };
    },
    trouble(name, trouble) {
      if (trouble) troubles.set(name, trouble);
      else troubles.delete(name);
    },
    cut(cause, isCut) {
      if (isCut) {
        causes.add(cause);
        isConnected = false;
        return;
      }
      if (!causes.delete(cause) || causes.size > 0) return;
      const patience = role === 'device' ? rng.fork('reconnect').uniform(reconnects++) : 0;
      clock.setTimeout(reconnect, Math.ceil(RECONNECT_MS * patience));
    },
    isSettled: () => isConnected && held[1] === 0,
    held: () => [...held] as const,
  };
}

const refusal = (reason: string): Promise<never> => Promise.reject(new RemoteRefused(reason));

/** One direction of a link. */
function createWay(clock: Clock, rng: Rng, troubles: ReadonlyMap<string, LinkTrouble>) {
  const chance = {
    jitter: rng.fork('jitter'),
    loss: rng.fork('loss'),
    ack: rng.fork('acknowledgement'),
    duplicate: rng.fork('duplicate'),
    reorder: rng.fork('reorder'),
  };
  let n = 0; // messages so far
  let onTheWay = 0;
  let last: Millis = 0; // nothing arrives before what was sent before it
  let free: Millis = 0; // of a narrow link

  const sum = (of: (trouble: LinkTrouble) => number | undefined) => [...troubles.values()].reduce((all, one) => all + (of(one) ?? 0), 0);

  return {
    isClear: () => troubles.size === 0 && onTheWay === 0,
    later(at: Millis, arrive: () => void) {
      onTheWay++;
      clock.setTimeout(
        () => {
          onTheWay--;
          arrive();
        },
        Math.max(0, at - clock.now()),
      );
    },
    /** Null: it is not taken. */
    course(bytes: number, qos: 0 | 1): Course | null {
      const now = clock.now();
      const step = n++;
      const kbps = Math.min(...[...troubles.values()].map((trouble) => trouble.kbps ?? Infinity));
      let ready = now;
      if (Number.isFinite(kbps)) {
        if (qos === 0 && free - now > BUFFER_MS) return null;
        free = Math.max(now, free) + (8 * (bytes + FRAME_BYTES)) / kbps;
        ready = free;
      }
      const jitter = sum(({ jitterMs }) => jitterMs);
      let at = ready + sum(({ latencyMs }) => latencyMs) + (jitter > 0 ? jitter * chance.jitter.uniform(step) : 0);
      let againAt: Millis | null = null;
      const loss = Math.min(
        0.95,
        sum((trouble) => trouble.loss),
      );
      if (loss > 0) {
        const lost = (attempt: number) => chance.loss.fork(String(attempt)).uniform(step) < loss;
        if (qos === 0 && lost(0)) return { at: null, againAt: null };
        for (let attempt = 0; qos === 1 && lost(attempt); attempt++) at += RESEND_MS;
        if (qos === 1 && chance.ack.uniform(step) < loss) againAt = at + RESEND_MS; // it arrived, and its sender did not hear so
      }
      if (chance.reorder.uniform(step) < sum(({ reorder }) => reorder)) at += OVERTAKEN_MS;
      else {
        at = Math.max(last, at);
        last = at;
      }
      if (chance.duplicate.uniform(step) < sum(({ duplicate }) => duplicate)) againAt ??= at;
      return { at: Math.ceil(at), againAt: againAt === null ? null : Math.ceil(againAt) };
    },
  };
}
