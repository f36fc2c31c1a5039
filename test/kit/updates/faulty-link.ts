/**
 * A device's connection, at its worst: of what goes either way some is lost, doubled or overtaken. What is lost breaks the connection, and
 * the device hears a little later that it stands again: MQTT loses nothing on one that stands. What is published while it is broken waits.
 */
import type { Bus, Message, Subscription } from '../../../actors/contracts/bus.ts';
import type { Clock } from '../../../actors/contracts/clock.ts';
import { RemoteRefused } from '../../../actors/contracts/errors.ts';
import type { Rng } from '../../../actors/contracts/rng.ts';
import type { Millis } from '../../../actors/contracts/units.ts';

/** Shares of the messages, 0..1. */
export interface LinkShares {
  readonly lost: number;
  readonly doubled: number;
  readonly delayed: number;
}

export interface LinkCounts {
  lost: number;
  doubled: number;
  overtaken: number;
  breaks: number;
}

export interface FaultyLink {
  /** A boot's own connection; the one before it is over. */
  connect(): Bus;
  /** Null: nothing happens to messages. */
  trouble(shares: LinkShares | null): void;
  break(forMs: Millis): void;
  /** The device is off: what is on its way to it is lost. */
  drop(): void;
}

const LATE_MS = 4_000;
const BROKEN_MS = 5_000;

/** @param carrier the device's client of the broker: outlives its boots */
export function faultyLink(clock: Clock, rng: Rng, carrier: Bus, counts: LinkCounts): FaultyLink {
  let shares: LinkShares | null = null;
  let step = 0;
  let session = 0;
  let isBroken = false;
  let waiting: (() => void)[] = [];
  let heard: (() => void)[] = [];
  const subscriptions: Subscription[] = [];
  const chance = () => rng.uniform(step++);

  const breakFor = (ms: Millis) => {
    if (isBroken) return;
    isBroken = true;
    counts.breaks++;
    clock.setTimeout(() => {
      isBroken = false;
      for (const send of waiting.splice(0)) send();
      for (const hear of [...heard]) hear();
    }, ms);
  };

  const createWay = () => {
    let sent = 0;
    let latest = 0;
    return (arrive: () => void) => {
      const mine = session;
      const number = ++sent;
      const land = () => {
        if (session !== mine || isBroken) {
          counts.lost++;
          return;
        }
        if (number < latest) counts.overtaken++;
        else latest = number;
        arrive();
      };
      if (!shares) return land();
      const { lost, doubled, delayed } = shares;
      const draw = chance();
      if (draw < lost) {
        counts.lost++;
        breakFor(1_000 + BROKEN_MS * chance());
        return;
      }
      if (draw < lost + doubled) {
        counts.doubled++;
        clock.setTimeout(land, LATE_MS * chance());
        return land();
      }
      if (draw < lost + doubled + delayed) clock.setTimeout(land, LATE_MS * chance());
      else land();
    };
  };
  const up = createWay();
  const down = createWay();
  const drop = () => {
    session++;
    waiting = [];
    heard = [];
    for (const subscription of subscriptions.splice(0)) void subscription.close();
  };

  return {
    connect() {
      drop();
      const mine = session;
      const isOver = () => session !== mine;
      return {
        clientId: carrier.clientId,
        async publish(topic, payload, options) {
          if (isOver()) throw new RemoteRefused('the connection has been closed');
          const send = () => up(() => void carrier.publish(topic, payload, options));
          if (isBroken) waiting.push(send);
          else send();
        },
        async subscribe(filter, hear) {
          const subscription = await carrier.subscribe(filter, (message: Message) => {
            if (isOver()) return;
            if (isBroken) counts.lost++;
            else down(() => void hear(message));
          });
          if (isOver()) await subscription.close();
          else subscriptions.push(subscription);
          return subscription;
        },
        onReconnect(hear) {
          heard.push(hear);
        },
        async close() {
          if (!isOver()) drop();
        },
      };
    },
    trouble(wanted) {
      shares = wanted;
    },
    break: breakFor,
    drop,
  };
}
