/**
 * Store and forward of one device's QoS 1 telemetry: what its connection has not taken within seconds goes on the device's disk,
 * and from there, in order, to the broker once the connection takes messages again. Bounded: when its share of the disk is full the
 * oldest are dropped and counted. While the disk takes nothing they wait in memory, some of them.
 *
 *   spool/0000000001.jsonl, spool/0000000002.jsonl, …   [topic, payload] a line, oldest first
 *
 * At least once: a message that was on its way when the power went may arrive twice, and none that the disk held is lost.
 */
import type { Bus } from './contracts/bus.ts';
import type { Clock } from './contracts/clock.ts';
import type { Disk } from './contracts/disk.ts';
import { reasonOf } from './contracts/errors.ts';
import type { ThingName } from './contracts/ids.ts';
import type { Log } from './contracts/log.ts';

export interface SpoolOptions {
  readonly thing: ThingName;
  readonly bus: Bus;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  /** Its share of the disk. */
  readonly maxBytes?: number;
}

export interface Spool {
  /** Returns at once; messages reach the broker in the order of the calls. */
  send(topic: string, payload: string): void;
  /** Tries what waits, now: called at start and after a reconnect. */
  flush(): void;
  /** Messages that the broker does not have yet. */
  readonly waiting: number;
  /** Messages that found no place. */
  readonly dropped: number;
  /** Nothing is tried from now on; what is on the disk stays for the next boot. */
  close(): void;
}

interface Item {
  readonly topic: string;
  readonly payload: string;
  /** Of a message that is on its way as well: whether the broker has taken it in the end. */
  taken: Promise<boolean> | null;
}

interface Segment {
  readonly name: string;
  bytes: number;
  /** Lines of this boot that are on their way too. */
  readonly underWay: (Item | null)[];
  lines: number;
}

const PATIENCE_MS = 2_000;
const RETRY_MS = 5_000;
const MAX_BYTES = 1 << 20;
const HELD_MAX = 1_000; // messages in memory while the disk takes none: more than an hour of a turbine's
const SEGMENTS = 16; // of its share: what is dropped at once when it is full

/** Takes up what an earlier boot left on the disk. @throws what the disk throws */
export async function openSpool({ thing, bus, disk, clock, log, maxBytes = MAX_BYTES }: SpoolOptions): Promise<Spool> {
  let segments = await segmentsOn(disk);
  let number = segments.length === 0 ? 0 : Number.parseInt(segments[segments.length - 1].name, 10);
  let open: Segment | null = null; // the segment that grows
  let isStoring = segments.length > 0;
  const underWay = new Set<Item>(); // sent and not taken yet, oldest first
  let toStore: Item[] = [];
  let writing: Promise<void> = Promise.resolve();
  let forwarding = false;
  let dropped = 0;
  let closed = false;
  let [patience, retry] = [0, 0]; // timers

  const write = async (): Promise<void> => {
    const items = toStore;
    toStore = [];
    if (items.length === 0 || closed) return;
    const bytes = Buffer.from(items.map(({ topic, payload }) => `${JSON.stringify([topic, payload])}\n`).join(''));
    const fits = open !== null && open.bytes + bytes.length <= maxBytes / SEGMENTS;
    const segment = fits ? open! : { name: `${String(++number).padStart(10, '0')}.jsonl`, bytes: 0, lines: 0, underWay: [] };
    try {
      await disk.append(`spool/${segment.name}`, bytes);
    } catch (error) {
      const held = [...items, ...toStore];
      toStore = held.slice(-HELD_MAX);
      dropped += held.length - toStore.length;
      if (!closed) log.warn({ thing, held: toStore.length, dropped, reason: reasonOf(error) }, 'telemetry could not be stored');
      return;
    }
    if (!fits) segments.push(segment);
    open = segment;
    segment.bytes += bytes.length;
    segment.lines += items.length;
    for (const item of items) segment.underWay.push(item.taken ? item : null);
    await makeRoom();
  };

  const makeRoom = async (): Promise<void> => {
    while (segments.length > 1 && segments.reduce((sum, { bytes }) => sum + bytes, 0) > maxBytes) {
      const oldest = segments[0];
      segments = segments.slice(1);
      dropped += oldest.lines;
      log.warn({ thing, dropped }, 'the spool is full: the oldest telemetry is dropped');
      await disk.remove(`spool/${oldest.name}`);
    }
  };

  const store = (items: Iterable<Item>) => {
    isStoring = true;
    toStore.push(...items);
    writing = writing.then(write);
    if (!forwarding) retry ||= clock.setTimeout(() => void forward(), RETRY_MS);
  };

  /** The connection does not take messages: what is under way, and all that follows, goes on the disk. */
  const loseHope = () => {
    patience = 0;
    if (!closed && !isStoring) store(underWay);
  };

  /** Segment by segment to the broker; one goes from the disk when all of it has been taken. */
  const forward = async (): Promise<void> => {
    clock.clearTimeout(retry);
    retry = 0;
    if (forwarding || closed || !isStoring) return;
    forwarding = true;
    try {
      for (;;) {
        await writing;
        if (closed) return;
        const [segment] = segments;
        if (!segment && toStore.length > 0) {
          await forwardHeld();
          continue;
        }
        if (!segment) break;
        if (segment === open) open = null; // what comes now goes behind it
        await forwardSegment(segment);
        if (closed) return;
        segments = segments.filter((one) => one !== segment); // or it has been dropped meanwhile
        await disk.remove(`spool/${segment.name}`);
      }
      isStoring = false;
    } catch (error) {
      log.debug({ thing, reason: reasonOf(error) }, 'stored telemetry waits for the network');
      if (!closed) retry ||= clock.setTimeout(() => void forward(), RETRY_MS);
    } finally {
      forwarding = false;
    }
  };

  const forwardSegment = async (segment: Segment): Promise<void> => {
    const bytes = (await disk.read(`spool/${segment.name}`)) ?? new Uint8Array();
    for (const [i, { topic, payload }] of linesOf(bytes).entries()) {
      if (closed) return;
      if (await segment.underWay[i]?.taken) continue;
      await bus.publish(topic, payload, { qos: 1 });
    }
  };

  /** The oldest of those that the disk has no place for. */
  const forwardHeld = async (): Promise<void> => {
    const [item] = toStore;
    if (!(await item.taken)) {
      const sent = bus.publish(item.topic, item.payload, { qos: 1 });
      item.taken = sent.then(
        () => true,
        () => false,
      );
      await sent;
    }
    toStore = toStore.filter((one) => one !== item);
  };

  const publish = (topic: string, payload: string) => {
    const taken = bus.publish(topic, payload, { qos: 1 }).then(
      () => true,
      () => false,
    );
    const item: Item = { topic, payload, taken };
    underWay.add(item);
    patience ||= clock.setTimeout(loseHope, PATIENCE_MS);
    void taken.then((isTaken) => {
      if (!isTaken) loseHope();
      underWay.delete(item);
      if (underWay.size > 0) return;
      clock.clearTimeout(patience);
      patience = 0;
      if (isTaken && isStoring) void forward(); // messages are taken again
    });
  };

  return {
    send(topic, payload) {
      if (isStoring) store([{ topic, payload, taken: null }]);
      else publish(topic, payload);
    },
    flush: () => void forward(),
    get waiting() {
      const onDisk = segments.reduce((sum, { lines }) => sum + lines, 0) + toStore.length;
      return isStoring ? onDisk : underWay.size;
    },
    get dropped() {
      return dropped;
    },
    close() {
      closed = true;
      clock.clearTimeout(patience);
      clock.clearTimeout(retry);
    },
  };
}

async function segmentsOn(disk: Disk): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const name of (await disk.list('spool')).filter((file) => /^\d{10}\.jsonl$/.test(file))) {
    const bytes = await disk.read(`spool/${name}`);
    if (bytes) segments.push({ name, bytes: bytes.length, lines: linesOf(bytes).length, underWay: [] });
  }
  return segments;
}

/** The whole lines; one that a power cut tore off was never promised. */
function linesOf(bytes: Uint8Array): { readonly topic: string; readonly payload: string }[] {
  return Buffer.from(bytes)
    .toString('utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        const [topic, payload] = JSON.parse(line) as [unknown, unknown];
        return typeof topic === 'string' && typeof payload === 'string' ? [{ topic, payload }] : [];
      } catch {
        return [];
      }
    });
}
