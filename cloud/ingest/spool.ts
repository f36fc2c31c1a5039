/**
 * Messages on their way into the index, on disk first: an append-only log in segments, so that a process that is killed loses nothing
 * that it has taken. Appends that come together are synced together. A segment goes once its messages are in the index.
 *
 *   spool/<number>.log = frames of length | CRC-32 | body; a frame that is cut short ends the segment
 */
import { crc32 } from 'node:zlib';
import type { Clock } from '../../actors/contracts/clock.ts';
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

export interface Spool {
  /**
   * Durable when it resolves: at once where somebody waits for it, within half a second else.
   * @throws StoreUnavailable when the disk is full, or more waits than is kept
   */
  keep(message: SpooledMessage, isUrgent: boolean): Promise<void>;
  /** What is kept from this very call on goes to another segment. @returns those that are closed, for `read` and `drop` */
  cut(): Promise<readonly string[]>;
  /** Writes what waits. */
  close(): Promise<void>;
  /** Oldest first. */
  read(segments: readonly string[]): AsyncIterable<SpooledMessage>;
  drop(segments: readonly string[]): Promise<void>;
}

const FOLDER = 'spool';
const HEAD_BYTES = 8;
const MAX_BYTES = 512 * 2 ** 20; // about a day of logs of ten turbines
const MAX_FRAME = 16 * 2 ** 20;
const PATIENCE_MS = 500; // a sync for each message would wear a Jetson's card out

export async function openSpool(disk: Disk, clock: Clock, log: Log, maxBytes = MAX_BYTES): Promise<Spool> {
  const sizes = new Map<string, number>(); // of the segments that are on disk, by path, oldest first
  for (const name of await disk.list(FOLDER))
    if (/^\d{12}\.log$/.test(name)) sizes.set(`${FOLDER}/${name}`, (await disk.read(`${FOLDER}/${name}`))?.length ?? 0);
  const numberOf = (path: string) => Number(path.slice(FOLDER.length + 1, -4));
  const pathOf = (number: number) => `${FOLDER}/${String(number).padStart(12, '0')}.log`;
  let current = pathOf(Math.max(0, ...[...sizes.keys()].map(numberOf)) + 1);
  let waiting: { readonly frame: Buffer; readonly done: () => void; readonly failed: (error: unknown) => void }[] = [];
  let writing: Promise<void> | null = null;
  let timer = 0;
  const bytes = () => [...sizes.values()].reduce((sum, size) => sum + size, 0);

  const write = async () => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      const path = current;
      const frames = Buffer.concat(batch.map(({ frame }) => frame));
      try {
        if (bytes() + frames.length > maxBytes) throw new Error(`${bytes()} bytes wait for the index already, ${maxBytes} at most`);
        sizes.set(path, (sizes.get(path) ?? 0) + frames.length);
        await disk.append(path, frames);
        for (const { done } of batch) done();
      } catch (cause) {
        if (current === path) current = pathOf(numberOf(path) + 1); // what was half written is a torn end of the last one
        const error = new StoreUnavailable(`a message could not be kept until it is indexed: ${reasonOf(cause)}`, {
          cause,
          hint: 'is the disk full, or the index away?',
        });
        for (const { failed } of batch) failed(error);
      }
    }
    writing = null;
  };
  const hurry = () => {
    clock.clearTimeout(timer);
    timer = 0;
    writing ??= Promise.resolve().then(write);
  };

  return {
    keep(message, isUrgent) {
      return new Promise((done, failed) => {
        waiting.push({ frame: frameOf(message), done, failed });
        if (isUrgent) hurry();
        else if (timer === 0 && !writing) timer = clock.setTimeout(hurry, PATIENCE_MS);
      });
    },
    async cut() {
      const closed = [...sizes.keys()];
      current = pathOf(numberOf(current) + 1);
      await writing;
      return closed;
    },
    async close() {
      hurry();
      await writing;
    },
    async *read(segments) {
      for (const path of segments) {
        const held = Buffer.from((await disk.read(path)) ?? []);
        let at = 0;
        for (let frame = frameAt(held, at); frame; frame = frameAt(held, at)) {
          at += HEAD_BYTES + frame.length;
          yield messageOf(frame);
        }
        if (at < held.length)
          log.warn({ path, bytes: held.length - at }, 'the end of a segment of the spool was cut short, and is left out');
      }
    },
    async drop(segments) {
      for (const path of segments) {
        await disk.remove(path);
        sizes.delete(path);
      }
    },
  };
}

function frameOf({ topic, payload, from, heardAt }: SpooledMessage): Buffer {
  const head = Buffer.from(JSON.stringify([topic, from, heardAt]));
  const body = Buffer.concat([head, Buffer.from('\n'), payload]);
  const frame = Buffer.alloc(HEAD_BYTES + body.length);
  frame.writeUInt32LE(body.length, 0);
  frame.writeUInt32LE(crc32(body), 4);
  body.copy(frame, HEAD_BYTES);
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
