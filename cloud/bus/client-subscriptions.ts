/** What a client of an outside broker has subscribed to, and who hears it. */
import { type Message, topicMatches } from '../../actors/contracts/bus.ts';

const EARLY_MESSAGES = 1_000;

export interface ClientSubscriptions {
  /** Filters that somebody hears. */
  filters(): string[];
  /** @param ask puts it to the broker, when nobody heard that filter before; when it fails, nobody hears it. */
  add(filter: string, hear: (message: Message) => void, ask: () => Promise<void>): Promise<void>;
  /** @param tell tells the broker, when nobody hears that filter any more. */
  remove(filter: string, hear: (message: Message) => void, tell: () => Promise<void>): Promise<void>;
  heard(message: Message): void;
}

export function clientSubscriptions(): ClientSubscriptions {
  const standing = new Map<string, { readonly hearers: Set<(message: Message) => void>; readonly asked: Promise<void> }>();
  // A session that was kept brings its messages before anyone could subscribe anew: they wait for it.
  let early: Message[] = [];

  return {
    filters: () => [...standing.keys()],
    async add(filter, hear, ask) {
      const known = standing.get(filter);
      if (known) {
        known.hearers.add(hear);
        return known.asked;
      }
      const one = { hearers: new Set([hear]), asked: Promise.resolve() };
      one.asked = ask();
      standing.set(filter, one);
      const waited = early.filter(({ topic }) => topicMatches(filter, topic));
      early = early.filter((message) => !waited.includes(message));
      for (const message of waited) hear(message);
      try {
        await one.asked;
      } catch (error) {
        if (standing.get(filter) === one) standing.delete(filter);
        throw error;
      }
    },
    async remove(filter, hear, tell) {
      const known = standing.get(filter);
      if (!known?.hearers.delete(hear) || known.hearers.size > 0) return;
      standing.delete(filter);
      await tell();
    },
    heard(message) {
      let isHeard = false;
      for (const [filter, { hearers }] of standing) {
        if (!topicMatches(filter, message.topic)) continue;
        isHeard = true;
        for (const hear of [...hearers]) hear(message);
      }
      if (!isHeard && early.length < EARLY_MESSAGES) early.push(message);
    },
  };
}
