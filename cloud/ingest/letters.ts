/**
 * What could not become a document, kept whole: a file a letter, bounded by number and bytes, the oldest out first. The same bad record
 * is one letter however often it comes, so that a redelivery does not fill the shelf.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { DeadLetter, DeadLetterCounts, DeadLetterWithPayload, LetterSource } from '../../actors/contracts/dead-letters.ts';
import type { Disk } from '../../actors/contracts/disk.ts';
import { didYouMean, NotFound, reasonOf } from '../../actors/contracts/errors.ts';
import type { Log } from '../../actors/contracts/log.ts';
import type { Millis } from '../../actors/contracts/units.ts';

export interface Letters {
  /**
   * Durable a little later (`settled`); what cannot be written is kept in memory, and said so.
   * @param bytes of all of it, when `payload` is only its beginning
   */
  keep(source: LetterSource, payload: Uint8Array, reason: string, at: Millis, bytes?: number): void;
  /** Newest first. */
  list(): readonly DeadLetter[];
  /** @throws NotFound */
  show(id: string): Promise<DeadLetterWithPayload>;
  remove(id: string): Promise<void>;
  counts(): Omit<DeadLetterCounts, 'replayed'>;
  settled(): Promise<void>;
}

export interface LetterLimits {
  readonly letters: number;
  readonly bytes: number;
  /** Of one payload; what is longer is cut. */
  readonly payload: number;
}

const FOLDER = 'dead-letters';
const LIMITS: LetterLimits = { letters: 10_000, bytes: 64 * 2 ** 20, payload: 2 ** 20 };
const REASON_MAX = 2_000;

const Source = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('message'), topic: z.string(), from: z.string().nullable(), heardAt: z.number() }),
  z.strictObject({ kind: z.literal('object'), bucket: z.string(), key: z.string(), line: z.int().min(0) }),
  z.strictObject({ kind: z.literal('document'), index: z.string() }),
]);
const Head = z.strictObject({ id: z.string(), source: Source, reason: z.string(), at: z.number(), bytes: z.int(), isCut: z.boolean() });

/** @param disk null: in memory alone */
export async function openLetters(disk: Disk | null, log: Log, limits: LetterLimits = LIMITS): Promise<Letters> {
  const shelf = new Map<string, { head: DeadLetter; payload: Uint8Array | null }>(); // oldest first; null: on disk
  let [kept, refused, pushedOut] = [0, 0, 0];
  const dirty = new Set<string>(); // ids of those whose file is not as the shelf has it
  let tidying: Promise<void> | null = null;
  const pathOf = (id: string) => `${FOLDER}/${id}.letter`;
  const stored = ({ bytes }: DeadLetter) => Math.min(bytes, limits.payload);

  if (disk) {
    const found: DeadLetter[] = [];
    for (const name of (await disk.list(FOLDER)).filter((file) => file.endsWith('.letter'))) {
      try {
        found.push(Head.parse(JSON.parse(split(await disk.read(`${FOLDER}/${name}`)).head)));
      } catch (error) {
        log.warn({ name, reason: reasonOf(error) }, 'a dead letter cannot be read');
      }
    }
    for (const head of found.sort((a, b) => a.at - b.at)) {
      shelf.set(head.id, { head, payload: null });
      kept += stored(head);
    }
  }

  /** One after the other: a flood of letters waits as their ids, and those that were pushed out meanwhile are not written at all. */
  const tidy = async (on: Disk) => {
    for (const id of dirty) {
      dirty.delete(id);
      const letter = shelf.get(id);
      try {
        if (!letter) await on.remove(pathOf(id));
        else if (letter.payload) {
          const { head, payload } = letter;
          await on.write(`${pathOf(id)}.tmp`, Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), payload]));
          await on.rename(`${pathOf(id)}.tmp`, pathOf(id));
          if (shelf.get(id) === letter) letter.payload = null;
          else dirty.add(id); // replaced or taken off while it was being written
        }
      } catch (error) {
        log.error({ id, reason: reasonOf(error) }, 'a dead letter could not be written');
      }
    }
    tidying = null;
  };
  const changed = (id: string) => {
    if (!disk) return;
    dirty.add(id);
    tidying ??= Promise.resolve().then(() => tidy(disk));
  };
  const takeOff = (id: string) => {
    const letter = shelf.get(id);
    if (!letter) return;
    shelf.delete(id);
    kept -= stored(letter.head);
    changed(id);
  };
  const find = (id: string) => {
    const letter = shelf.get(id);
    if (letter) return letter;
    throw new NotFound(`there is no dead letter ${id}.${didYouMean(id, [...shelf.keys()].slice(0, 1_000))}`, {
      hint: 'windfleet dead-letters list names them',
    });
  };

  return {
    keep(source, given, reason, at, bytes = given.length) {
      refused++;
      const id = idOf(source, given);
      takeOff(id);
      const payload = Uint8Array.from(given.subarray(0, limits.payload));
      const isCut = payload.length < bytes;
      const head: DeadLetter = { id, source, reason: reason.slice(0, REASON_MAX), at, bytes, isCut };
      shelf.set(id, { head, payload });
      kept += payload.length;
      changed(id);
      for (const oldest of shelf.keys()) {
        if (shelf.size <= limits.letters && kept <= limits.bytes) break;
        pushedOut++;
        takeOff(oldest);
      }
    },
    list: () => [...shelf.values()].map(({ head }) => head).reverse(),
    async show(id) {
      const { head, payload } = find(id);
      return { ...head, payload: payload ?? split(await disk!.read(pathOf(id))).payload };
    },
    async remove(id) {
      find(id);
      takeOff(id);
      await tidying;
    },
    counts: () => ({ letters: shelf.size, bytes: kept, refused, pushedOut }),
    settled: async () => void (await tidying),
  };
}

/** Of where it came from and what it was: not of when. */
function idOf(source: LetterSource, payload: Uint8Array): string {
  const place =
    source.kind === 'message'
      ? [source.kind, source.topic]
      : source.kind === 'object'
        ? [source.kind, source.bucket, source.key, source.line]
        : [source.kind, source.index];
  return createHash('sha256').update(JSON.stringify(place)).update('\n').update(payload).digest('hex').slice(0, 20);
}

function split(bytes: Uint8Array | null): { readonly head: string; readonly payload: Uint8Array } {
  const file = Buffer.from(bytes ?? []);
  const end = file.indexOf(0x0a);
  if (end < 0) throw new Error('it is no letter');
  return { head: file.toString('utf8', 0, end), payload: file.subarray(end + 1) };
}
