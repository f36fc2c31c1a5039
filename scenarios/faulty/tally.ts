/**
 * What turbines said and what of it the cloud saw, counted at both ends: where a message leaves its device, and where a subscriber of
 * the cloud's hears it. Nothing is taken from what lies between.
 *
 * A message of QoS 1 is known by its topic and its words, since a device may say it again after a restart; one of QoS 0 is known by
 * its very bytes in memory, since it is said once.
 */
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { MessageCounts } from '../facts.ts';

export interface Tally {
  sent(thing: ThingName, qos: 0 | 1, topic: string, payload: Uint8Array): void;
  seen(topic: string, payload: Uint8Array): void;
  /** Those that have said something. */
  things(): Iterable<ThingName>;
  /**
   * @param waiting messages of a turbine that are still on their way, by QoS
   * @param dropped messages of QoS 1 that found no place on its disk and were never sent
   */
  counts(
    waiting: (thing: ThingName) => readonly [number, number],
    dropped: (thing: ThingName) => number,
  ): ReadonlyMap<ThingName, MessageCounts>;
}

interface Count {
  readonly sent: [number, number];
  readonly arrived: [number, number];
  readonly duplicated: [number, number];
}

/** On the bytes themselves: a weak map of hundreds of thousands costs each collection of garbage more than all the counting. */
const MARK = Symbol('sent once');
interface Marked extends Uint8Array {
  [MARK]?: { readonly count: Count; isSeen: boolean };
}

export function createTally(): Tally {
  const things = new Map<ThingName, Count>();
  const said = new Map<string, { readonly thing: ThingName; seen: number }>();
  const countOf = (thing: ThingName): Count => {
    const count = things.get(thing) ?? { sent: [0, 0], arrived: [0, 0], duplicated: [0, 0] };
    things.set(thing, count);
    return count;
  };

  return {
    sent(thing, qos, topic, payload) {
      if (qos === 0) {
        const count = countOf(thing);
        count.sent[0]++;
        (payload as Marked)[MARK] = { count, isSeen: false };
        return;
      }
      const words = wordsOf(topic, payload);
      if (said.has(words)) return;
      said.set(words, { thing, seen: 0 });
      countOf(thing).sent[1]++;
    },
    seen(topic, payload) {
      const mark = (payload as Marked)[MARK];
      if (mark) {
        mark.count[mark.isSeen ? 'duplicated' : 'arrived'][0]++;
        mark.isSeen = true;
        return;
      }
      const known = said.get(wordsOf(topic, payload));
      if (!known) return; // the cloud's own, or an outside client's
      known.seen++;
      countOf(known.thing)[known.seen > 1 ? 'duplicated' : 'arrived'][1]++;
    },
    things: () => things.keys(),
    counts(waiting, dropped) {
      return new Map(
        [...things].map(([thing, { sent, arrived, duplicated }]) => {
          const onTheWay = waiting(thing);
          const gone = dropped(thing);
          const lost = (qos: 0 | 1) => Math.max(0, sent[qos] - arrived[qos] - onTheWay[qos]);
          return [thing, { sent: [sent[0], sent[1] + gone], lost: [lost(0), lost(1) + gone], duplicated: [...duplicated] }];
        }),
      );
    },
  };
}

/** Two 32-bit FNV-1a sums over topic and payload: what is told apart by far more messages than a story has. */
function wordsOf(topic: string, payload: Uint8Array): string {
  let [a, b] = [0x811c9dc5, 0x050c5d1f];
  for (let i = 0; i < topic.length; i++) {
    a = Math.imul(a ^ topic.charCodeAt(i), 0x01000193);
    b = Math.imul(b ^ topic.charCodeAt(i), 0x01000193);
  }
  for (let i = 0; i < payload.length; i++) {
    a = Math.imul(a ^ payload[i], 0x01000193);
    b = Math.imul(b + payload[i], 0x85ebca6b);
  }
  return `${a >>> 0}.${b >>> 0}.${payload.length}`;
}
