/**
 * What turbines said and what of it the cloud saw, counted at both ends: where a message leaves its device, and where a subscriber of
 * the cloud's hears it. Nothing is taken from what lies between.
 *
 * A message of QoS 1 is known by its topic and its words, since a device may say it again after a restart; one of QoS 0 is known by
 * its very bytes in memory, since it is said once. Bytes that arrive as they were sent need not be looked through again.
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

/** A message that was said. */
interface Said {
  readonly count: Count;
  readonly qos: 0 | 1;
  isSeen: boolean;
}

/** On the bytes themselves: a weak map of hundreds of thousands costs each collection of garbage more than all the counting. */
const MARK = Symbol('said');
interface Marked extends Uint8Array {
  [MARK]?: Said;
}

export function createTally(): Tally {
  const things = new Map<ThingName, Count>();
  const said = new Map<string, Said>(); // of QoS 1, by their words
  const countOf = (thing: ThingName): Count => {
    const count = things.get(thing) ?? { sent: [0, 0], arrived: [0, 0], duplicated: [0, 0] };
    things.set(thing, count);
    return count;
  };
  const saidFirst = (thing: ThingName, qos: 0 | 1): Said => {
    const count = countOf(thing);
    count.sent[qos]++;
    return { count, qos, isSeen: false };
  };

  return {
    sent(thing, qos, topic, payload) {
      if (qos === 0) {
        (payload as Marked)[MARK] = saidFirst(thing, 0);
        return;
      }
      const words = wordsOf(topic, payload);
      const known = said.get(words) ?? saidFirst(thing, 1);
      said.set(words, known);
      (payload as Marked)[MARK] = known;
    },
    seen(topic, payload) {
      const known = (payload as Marked)[MARK] ?? said.get(wordsOf(topic, payload));
      if (!known) return; // the cloud's own, or an outside client's
      known.count[known.isSeen ? 'duplicated' : 'arrived'][known.qos]++;
      known.isSeen = true;
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
