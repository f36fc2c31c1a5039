/**
 * The memory that the fleet and one worker share: how far the worker may run and has run, and a ring of numbers with what its rows told.
 *
 *   record: kind, tick, group, row, length, length × number
 *
 * One thread writes and one reads. Who has nothing to do sleeps on a bell and says so before: ringing costs more than a tick of a few
 * rows, so nobody rings for one who is awake.
 */

/** Words of the control block. */
export const Word = {
  /** Tick up to which the worker may run. */
  horizon: 0,
  /** The worker's bell. */
  bell: 1,
  /** Tick up to which it has run. */
  done: 2,
  /** The fleet's bell. */
  told: 3,
  /** Numbers written and read so far, modulo 2³². */
  written: 4,
  read: 5,
  /** 1: nobody reads any more. */
  closing: 6,
  /** Messages posted to the worker so far. */
  posted: 7,
  /** 1: the worker sleeps. */
  asleep: 8,
  /** The tick that the fleet waits for; 0: it does not. */
  awaited: 9,
} as const;
const WORDS = 10;

/** Ticks for which a sleeping worker is woken; fewer than it may be ahead. */
export const WORTH_WAKING = 5;

export interface SharedMemory {
  readonly control: SharedArrayBuffer;
  readonly ring: SharedArrayBuffer;
}

/** @param numbers in the ring, a power of two */
export const sharedMemory = (numbers: number): SharedMemory => ({
  control: new SharedArrayBuffer(4 * WORDS),
  ring: new SharedArrayBuffer(8 * numbers),
});

/** Rings a bell. */
export function ring(control: Int32Array, word: number): void {
  Atomics.add(control, word, 1);
  Atomics.notify(control, word);
}

const HEAD = 5;

export interface RingWriter {
  /** Sleeps while there is no room. @param values numbers of the record, from any arrays in turn */
  write(kind: number, tick: number, group: number, row: number, ...values: readonly ArrayLike<number>[]): void;
}

export function ringWriter({ control: shared, ring: numbers }: SharedMemory): RingWriter {
  const control = new Int32Array(shared);
  const values = new Float64Array(numbers);
  const mask = values.length - 1;
  let at = 0; // numbers written, modulo 2³²

  return {
    write(kind, tick, group, row, ...parts) {
      let length = 0;
      for (const part of parts) length += part.length;
      if (HEAD + length > values.length) throw new Error(`a record of ${length} numbers in a ring of ${values.length}`);
      for (;;) {
        const read = Atomics.load(control, Word.read);
        if (((at - read) >>> 0) + HEAD + length <= values.length) break;
        if (Atomics.load(control, Word.closing) === 1) return;
        ring(control, Word.told);
        Atomics.wait(control, Word.read, read);
      }
      let to = at;
      values[to++ & mask] = kind;
      values[to++ & mask] = tick;
      values[to++ & mask] = group;
      values[to++ & mask] = row;
      values[to++ & mask] = length;
      for (const part of parts) for (let i = 0; i < part.length; i++) values[to++ & mask] = part[i];
      at = to >>> 0;
      Atomics.store(control, Word.written, at | 0);
    },
  };
}

/** One record; its numbers are `length` of `values` from `offset` on, and nobody writes there any more. */
export interface RingRecord {
  readonly kind: number;
  readonly tick: number;
  readonly group: number;
  readonly row: number;
  readonly values: Float64Array;
  readonly offset: number;
  readonly length: number;
}

/** @returns takes what has been written since the last call, and makes room. */
export function ringReader({ control: shared, ring: numbers }: SharedMemory): (take: (record: RingRecord) => void) => void {
  const control = new Int32Array(shared);
  const all = new Float64Array(numbers);
  const mask = all.length - 1;
  let at = 0;

  return (take) => {
    const written = Atomics.load(control, Word.written) >>> 0;
    const count = (written - at) >>> 0;
    if (count === 0) return;
    const values = new Float64Array(count); // one copy for all: an array a record would cost more than its numbers
    const begin = at & mask;
    const first = Math.min(count, all.length - begin);
    values.set(all.subarray(begin, begin + first));
    values.set(all.subarray(0, count - first), first);
    at = written;
    Atomics.store(control, Word.read, at | 0);
    Atomics.notify(control, Word.read);
    for (let i = 0; i < count; ) {
      const length = values[i + 4];
      take({ kind: values[i], tick: values[i + 1], group: values[i + 2], row: values[i + 3], values, offset: i + HEAD, length });
      i += HEAD + length;
    }
  };
}
