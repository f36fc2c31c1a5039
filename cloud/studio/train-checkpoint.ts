/**
 * A training as it stands, in one file: what it is of, how far it is, and every number that it needs to go on as if it had never
 * stopped. Written whole or not at all.
 *
 *   "WFTRAIN1" | length of the head, uint32 | head, JSON | parameters, best, m, v | champion, float32 — all little-endian
 */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { FileInvalid, reasonOf, UsageError } from '../../actors/contracts/errors.ts';
import type { TrainState } from './train.ts';
import type { FoldsState } from './train-folds.ts';
import type { TrainPlan } from './train-plan.ts';

export const CHECKPOINT = 'checkpoint.bin';
const MAGIC = 'WFTRAIN1';

/** What a training is of: the same of these, and it can be resumed. */
export interface TrainSubject {
  readonly plan: TrainPlan;
  readonly seed: number;
  /** Digest of the windows and of what they were made from. */
  readonly data: string;
}

type Arrays = 'parameters' | 'bestParameters' | 'm' | 'v';

interface Head extends TrainSubject {
  readonly results: FoldsState['results'];
  readonly champion: Omit<NonNullable<FoldsState['champion']>, 'parameters'> | null;
  readonly state: Omit<TrainState, Arrays> | null;
  /** Numbers in each of the arrays behind the head. */
  readonly length: number;
  readonly sha256: string;
}

export async function writeCheckpoint(folder: string, subject: TrainSubject, { results, champion, state }: FoldsState): Promise<void> {
  const { parameters: champions, ...championFacts } = champion ?? { parameters: null };
  const { parameters, bestParameters, m, v, ...facts } = state ?? { parameters: null };
  const arrays = [parameters, bestParameters, m, v, champions].filter((values) => values !== null && values !== undefined);
  const payload = Buffer.concat(arrays.map(bytesOf));
  const head: Head = {
    ...subject,
    results,
    champion: champion && (championFacts as Head['champion']),
    // Before the first epoch the best loss is infinite, which JSON cannot say.
    state: state && {
      ...(facts as NonNullable<Head['state']>),
      best: { ...state.best, loss: Math.min(state.best.loss, Number.MAX_VALUE) },
    },
    length: arrays[0]?.length ?? 0,
    sha256: sha256(payload),
  };
  const text = Buffer.from(JSON.stringify(head));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  await mkdir(folder, { recursive: true });
  const part = join(folder, `${CHECKPOINT}.part`);
  const file = await open(part, 'w');
  try {
    await file.writeFile(Buffer.concat([Buffer.from(MAGIC), length, text, payload]));
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(part, join(folder, CHECKPOINT));
}

/** @throws FileInvalid when there is none, or it is damaged; UsageError when it is of another training, with what differs */
export async function readCheckpoint(folder: string, subject: TrainSubject): Promise<FoldsState> {
  const path = join(folder, CHECKPOINT);
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new FileInvalid(
      error.code === 'ENOENT' ? `there is nothing to resume in ${folder}` : `${path} cannot be read: ${reasonOf(error)}`,
      {
        cause: error,
        hint: 'train without --resume',
      },
    );
  });
  const { head, arrays } = parse(bytes, path);
  const differences = describeDifferences(head, subject);
  if (differences.length > 0)
    throw new UsageError(`${path} is of another training: ${differences.join('; ')}`, {
      hint: 'resume with the same data, seed and settings, or train without --resume to begin anew',
    });
  const { results, champion, state } = head;
  const [parameters, bestParameters, m, v] = arrays;
  return {
    results,
    champion: champion && { ...champion, parameters: arrays[state ? 4 : 0] },
    state: state && {
      ...state,
      best: { ...state.best, loss: state.best.loss === Number.MAX_VALUE ? Number.POSITIVE_INFINITY : state.best.loss },
      parameters,
      bestParameters,
      m,
      v,
    },
  };
}

/** When a training has come to its end nothing is left to resume. */
export const removeCheckpoint = (folder: string): Promise<void> => rm(join(folder, CHECKPOINT), { force: true });

function parse(bytes: Buffer, path: string): { readonly head: Head; readonly arrays: readonly Float32Array[] } {
  const damaged = (why: string, cause?: unknown) =>
    new FileInvalid(`${path} is no whole checkpoint: ${why}`, { cause, hint: 'train without --resume to begin anew' });
  if (bytes.subarray(0, 8).toString('latin1') !== MAGIC || bytes.length < 12) throw damaged('it does not begin as one');
  const begin = 12 + bytes.readUInt32LE(8);
  if (begin > bytes.length) throw damaged('it ends within its head');
  let head: Head;
  try {
    head = JSON.parse(bytes.toString('utf8', 12, begin)) as Head;
  } catch (error) {
    throw damaged(`its head is no JSON (${reasonOf(error)})`, error);
  }
  const payload = bytes.subarray(begin);
  const count = (head.state ? 4 : 0) + (head.champion ? 1 : 0);
  if (payload.length !== 4 * head.length * count || sha256(payload) !== head.sha256)
    throw damaged('its numbers are not those that were written');
  return {
    head,
    arrays: Array.from({ length: count }, (_, i) => floatsOf(payload.subarray(4 * head.length * i, 4 * head.length * (i + 1)))),
  };
}

function describeDifferences(head: TrainSubject, wanted: TrainSubject): string[] {
  const plans = Object.keys(wanted.plan).flatMap((name) => {
    const [was, is] = [head.plan, wanted.plan].map((plan) => JSON.stringify(plan[name as keyof TrainPlan]));
    return was === is ? [] : [`its ${name} was ${was}, not ${is}`];
  });
  return [
    ...(head.data === wanted.data ? [] : ['it learned from other windows']),
    ...(head.seed === wanted.seed ? [] : [`its seed was ${head.seed}, not ${wanted.seed}`]),
    ...plans,
  ];
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

function bytesOf(values: Float32Array): Buffer {
  const bytes = Buffer.from(values.slice().buffer);
  return endianness() === 'BE' ? bytes.swap32() : bytes;
}

function floatsOf(bytes: Buffer): Float32Array {
  const own = Buffer.from(bytes);
  if (endianness() === 'BE') own.swap32();
  return new Float32Array(own.buffer.slice(own.byteOffset, own.byteOffset + own.length));
}
