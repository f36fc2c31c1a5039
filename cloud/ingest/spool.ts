/**
 * Messages on their way into the index, on disk first: an append-only log in segments, so that a process that is killed loses nothing
 * that it has taken. What comes together is written together, and synced where somebody waits for it. A segment goes once its messages
 * are in the index.
 *
 *   spool/<number>.log = frames of length | CRC-32 | body; a frame that is cut short ends the segment
 */
import { crc32 } from 'node:zlib';
import type { Disk } from '../../actors/contracts/disk.ts';
import { reasonOf, StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { Log } from '../../actors/contracts/log.ts';
import type { Millis } from '../../actors/contracts/units.ts';

export interface SpooledMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** The client that published it; null when nobody knows. */
  readonly from: string | null;
  /** Epoch milliseconds. */
  readonly heardAt: Millis;
}

export interface Kept {
  /** Where it goes, for `read` and `drop`. */
  readonly segment: string;
  /**
   * Written when it resolves, which outlives this process; synced, too, which outlives the machine, when it is urgent.
   * Fails with StoreUnavailable when the disk is full, or more waits than is kept.
   */
  readonly written: Promise<void>;
}

export interface Spool {
  keep(message: SpooledMessage, isUrgent: boolean): Kept;
  /** What is kept from this very call on goes to another segment. @returns those that are closed, oldest first, once they are written */
  cut(): Promise<readonly string[]>;
  /** Oldest first. */
  read(segment: string): AsyncIterable<SpooledMessage>;
  drop(segments: readonly string[]): Promise<void>;
}

const FOLDER = 'spool';
const HEAD_BYTES = 8;
const MAX_BYTES = 512 * 2 ** 20; // about a day of logs of ten turbines
const MAX_FRAME = 16 * 2 ** 20;

interface Waiting {
  readonly frame: Buffer;
  readonly segment: string;
  readonly isUrgent: boolean;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

export async function openSpool(disk: Disk, log: Log, maxBytes = MAX_BYTES): Promise<Spool> {
  const sizes = new Map<string, number>(); // of the segments that are on disk, by path, oldest first
  let total = 0;
  const grow = (segment: string, bytes: number) => {
    sizes.set(segment, (sizes.get(segment) ?? 0) + bytes);
    total += bytes;
  };
  for (const name of await disk.list(FOLDER))
    if (/^\d{12}\.log$/.test(name)) grow(`${FOLDER}/${name}`, (await disk.read(`${FOLDER}/${name}`))?.length ?? 0);
  const numberOf = (path: string) => Number(path.slice(FOLDER.length + 1, -4));
  const pathOf = (number: number) => `${FOLDER}/${String(number).padStart(12, '0')}.log`;
  let current = pathOf(Math.max(0, ...[...sizes.keys()].map(numberOf)) + 1);
  let waiting: Waiting[] = [];
  let writing: Promise<void> | null = null;

  const append = async (segment: string, batch: readonly Waiting[]) => {
    const frames = Buffer.concat(batch.map(({ frame }) => frame));
    try {
      if (total + frames.length > maxBytes) throw new Error(`${total} bytes wait for the index already, ${maxBytes} at most`);
      grow(segment, frames.length);
      await disk.append(segment, frames, { isLoose: !batch.some(({ isUrgent }) => isUrgent) });
      for (const { done } of batch) done();
    } catch (cause) {
      // What was half written is a torn end: nothing may come behind it.
      if (current === segment) current = pathOf(numberOf(segment) + 1);
      const late = waiting.filter((one) => one.segment === segment);
      waiting = waiting.filter((one) => one.segment !== segment);
      const error = new StoreUnavailable(`a message could not be kept until it is indexed: ${reasonOf(cause)}`, {
        cause,
        hint: 'is the disk full, or the index away?',
      });
      for (const { failed } of [...batch, ...late]) failed(error);
    }
  };
  const write = async () => {
    while (waiting.length > 0) {
      const [{ segment }] = waiting;
      const others = waiting.findIndex((one) => one.segment !== segment);
      await append(segment, waiting.splice(0, others < 0 ? waiting.length : others));
    }
    writing = null;
  };

  return {
    keep(message, isUrgent) {
      const segment = current;
      const written = new Promise<void>((done, failed) => waiting.push({ frame: frameOf(message), segment, isUrgent, done, failed }));
      writing ??= Promise.resolve().then(write); // all that comes in this turn
      return { segment, written };
    },
    async cut() {
      current = pathOf(numberOf(current) + 1);
      const before = numberOf(current);
      await writing;
      return [...sizes.keys()].filter((segment) => numberOf(segment) < before);
    },
    async *read(segment) {
      const held = Buffer.from((await disk.read(segment)) ?? []);
      let at = 0;
      for (let frame = frameAt(held, at); frame; frame = frameAt(held, at)) {
        at += HEAD_BYTES + frame.length;
        yield messageOf(frame);
      }
      if (at < held.length)
        log.warn({ segment, bytes: held.length - at }, 'the end of a segment of the spool was cut short, and is left out');
    },
    async drop(segments) {
      for (const segment of segments) {
        await disk.remove(segment);
        total -= sizes.get(segment) ?? 0;
        sizes.delete(segment);
      }
    },
  };
}

function frameOf({ topic, payload, from, heardAt }: SpooledMessage): Buffer {
  const head = Buffer.from(`${JSON.stringify([topic, from, heardAt])}\n`);
  const frame = Buffer.allocUnsafe(HEAD_BYTES + head.length + payload.length);
  head.copy(frame, HEAD_BYTES);
  frame.set(payload, HEAD_BYTES + head.length);
  frame.writeUInt32LE(frame.length - HEAD_BYTES, 0);
  frame.writeUInt32LE(crc32(frame.subarray(HEAD_BYTES)), 4);
  return frame;
}

/** Null where no whole frame begins. */
function frameAt(held: Buffer, at: number): Buffer | null {
  if (at + HEAD_BYTES > held.length) return null;
  const length = held.readUInt32LE(at);
  const body = held.subarray(at + HEAD_BYTES, at + HEAD_BYTES + length);
  return length <= MAX_FRAME && body.length === length && crc32(body) === held.readUInt32LE(at + 4) ? body : null;
}

function messageOf(body: Buffer): SpooledMessage {
  const end = body.indexOf(0x0a);
  const [topic, from, heardAt] = JSON.parse(body.toString('utf8', 0, end)) as [string, string | null, Millis];
  return { topic, from, heardAt, payload: body.subarray(end + 1) };
}
