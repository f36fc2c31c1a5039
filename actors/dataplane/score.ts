/**
 * A lane: one model over the rows that use it. Samples become windows by the model's own pipeline, full windows one batch a tick,
 * and the batch is asked of the model outside the event loop; its scores are applied at `sampledAt + latency`, whatever it took.
 */
import type { Channel } from '../contracts/channels.ts';
import { reasonOf } from '../contracts/errors.ts';
import type { Inference } from '../contracts/inference.ts';
import type { ModelManifest } from '../contracts/model.ts';
import type { Millis } from '../contracts/units.ts';
import type { Samples } from '../signal/stages.ts';
import { openWindowSource } from '../signal/source.ts';

/** Who hears of a row's windows. */
export interface RowListener {
  /** @param scores [features] from `offset` on, error over threshold; finite. */
  scored(row: number, sampledAt: Millis, scores: Float32Array, offset: number): void;
  /** The model did not answer, or with what is no number. */
  failed(row: number, cause: string): void;
}

export interface Lane {
  readonly manifest: ModelManifest;
  readonly rows: number;
  /** Samples that a window's last one is older than the sample that its scores are dated by. */
  readonly lag: number;
  join(row: number, inference: Inference, listener: RowListener): void;
  leave(row: number): void;
  /** Another hears of the row from now on, of windows that are under way, too. */
  hand(row: number, listener: RowListener): void;
  has(row: number): boolean;
  /** Whether the next sample is the first of a window. */
  begins(row: number): boolean;
  break(row: number): void;
  /** Lets the row's next window begin with its next sample, or as soon after as the pipeline's memory is full; the memory stays. */
  align(row: number): void;
  /** @param values the row's channels from `offset` on. @returns whether the sample filled a window, or null when it broke it. */
  push(row: number, values: Float64Array, offset: number): boolean | null;
  /** As `push`, of some rows at once. @param outcome [count]: 1 for a full window, −1 for a broken one, else 0 */
  pushAll(samples: Samples, outcome: Int8Array): void;
  /** Takes the windows that the last samples filled, as of `now`. */
  gather(now: Millis): void;
  /** The instant of the oldest window that has been gathered and not asked; infinity without one. */
  readonly oldest: Millis;
  /** Asks for the scores of what has been gathered, in as few batches as possible. @returns what to apply, by instant */
  ask(): readonly Asked[];
}

/** Something asked outside the event loop. */
export interface Asked {
  /** When its windows were full. */
  readonly at: Millis;
  /** Settles when the answer is there; never rejects. */
  readonly answered: Promise<void>;
  /** Of the simulated time that it takes, what goes beyond the usual. */
  readonly latencyMs: Millis;
  /** Hands it to whom it is for. */
  apply(): void;
}

export interface LaneOptions {
  readonly channels: readonly Channel[];
  readonly rows: number;
}

const NOTHING: readonly Asked[] = [];
const ROOM = 8; // windows, at first

interface Gathered {
  readonly row: number;
  readonly at: Millis;
  readonly member: Member;
}

interface Member {
  readonly inference: Inference;
  listener: RowListener;
}

export function createLane(manifest: ModelManifest, { channels, rows }: LaneOptions): Lane {
  const { window, features } = manifest.signal;
  const count = features.length;
  const size = count * window.samples;
  const source = openWindowSource(manifest.signal, channels, rows);
  const members = new Map<number, Member>();
  const isFull = new Uint8Array(rows); // a window to take; it is lost when the row breaks first
  let full: number[] = [];
  let gathered: Gathered[] = [];
  let room = new Float32Array(ROOM * size); // their windows
  const inputs = new Map<number, Float32Array[]>(); // that no model is asked with, by their windows: memory of that size is dear to give back

  const breakRow = (row: number) => {
    source.break(row);
    isFull[row] = 0;
  };

  return {
    manifest,
    get rows() {
      return members.size;
    },
    lag: source.lag,
    join(row, inference, listener) {
      breakRow(row);
      members.set(row, { inference, listener });
    },
    leave(row) {
      source.release(row);
      isFull[row] = 0;
      members.delete(row);
    },
    hand(row, listener) {
      const member = members.get(row);
      if (member) member.listener = listener;
    },
    has: (row) => members.has(row),
    begins: source.begins,
    break: breakRow,
    align(row) {
      source.align(row);
      isFull[row] = 0;
    },
    push(row, values, offset) {
      const whole = source.push(row, values, offset);
      if (whole) {
        full.push(row);
        isFull[row] = 1;
      }
      return whole;
    },
    pushAll(samples, outcome) {
      source.pushAll(samples, outcome);
      for (let i = 0; i < samples.count; i++)
        if (outcome[i] === 1) {
          full.push(samples.rows[i]);
          isFull[samples.rows[i]] = 1;
        }
    },
    gather(now) {
      if (full.length === 0) return;
      for (const row of full) {
        const member = members.get(row);
        if (isFull[row] === 0 || !member) continue;
        isFull[row] = 0;
        if ((gathered.length + 1) * size > room.length) {
          const larger = new Float32Array(2 * room.length);
          larger.set(room);
          room = larger;
        }
        source.take(row, room, gathered.length * size);
        gathered.push({ row, at: now, member });
      }
      full = [];
    },
    get oldest() {
      return gathered.length > 0 ? gathered[0].at : Number.POSITIVE_INFINITY;
    },
    ask() {
      if (gathered.length === 0) return NOTHING;
      const windows = gathered;
      gathered = [];
      const asked: Asked[] = [];
      for (const batch of batchesOf(windows)) {
        const input = inputs.get(batch.length)?.pop() ?? new Float32Array(batch.length * size);
        for (const [i, w] of batch.entries()) input.set(room.subarray(w * size, (w + 1) * size), i * size);
        askBatch(
          batch.map((w) => windows[w]),
          input,
          asked,
        );
      }
      return asked;
    },
  };

  /** @param windows oldest first. @param input theirs */
  function askBatch(windows: readonly Gathered[], input: Float32Array, asked: Asked[]): void {
    const scores = new Float32Array(windows.length * count);
    const latencyMs = windows[0].member.inference.latencyMs ?? 0;
    let failure: string | null = null;
    const answered = windows[0].member.inference.predict(input, windows.length, scores).then(
      () => {
        const free = inputs.get(windows.length) ?? [];
        inputs.set(windows.length, free);
        free.push(input);
      },
      (error: unknown) => {
        failure = reasonOf(error);
      },
    );
    const apply = (from: number, to: number) => {
      for (let i = from; i < to; i++) {
        const { row, at, member } = windows[i];
        if (members.get(row) !== member) continue; // left, or joined anew, meanwhile
        if (failure !== null) member.listener.failed(row, failure);
        else if (allFinite(scores, i * count, count)) member.listener.scored(row, at, scores, i * count);
        else member.listener.failed(row, 'a score is not a finite number');
      }
    };
    for (let from = 0; from < windows.length; ) {
      const { at } = windows[from];
      let to = from + 1;
      while (to < windows.length && windows[to].at === at) to++;
      const first = from;
      asked.push({ at, latencyMs, answered, apply: () => apply(first, to) });
      from = to;
    }
  }
}

/** Windows that may be asked together, by number: of sessions that were loaded from one source. Whoever stands before a session is asked by itself. */
function batchesOf(windows: readonly Gathered[]): readonly (readonly number[])[] {
  const batches = new Map<object, number[]>();
  for (const [w, { member }] of windows.entries()) {
    const key = member.inference.source ?? member.inference;
    const batch = batches.get(key);
    if (batch) batch.push(w);
    else batches.set(key, [w]);
  }
  return [...batches.values()];
}

function allFinite(values: Float32Array, from: number, count: number): boolean {
  for (let i = from; i < from + count; i++) if (!Number.isFinite(values[i])) return false;
  return true;
}
