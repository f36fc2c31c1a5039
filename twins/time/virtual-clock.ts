/** A clock that stands still until told to run, then fires everything due in the order of its instant. */
import type { Clock } from '../../actors/contracts/clock.ts';
import type { Millis } from '../../actors/contracts/units.ts';

interface Timer {
  readonly id: number;
  readonly due: Millis;
  readonly run: () => void | Promise<void>;
}

/** 2026-01-01T00:00:00Z: the date at which a run in virtual time begins when nobody says otherwise. */
const EPOCH = 1_767_225_600_000;

export class VirtualClock implements Clock {
  readonly epoch: Millis;
  #now: Millis = 0;
  #nextId = 1;
  #heap: Timer[] = []; // by due, then by id, so that equal instants keep the order they were asked in
  #live = new Set<number>();

  constructor(options: { readonly epoch?: Millis } = {}) {
    this.epoch = options.epoch ?? EPOCH;
  }

  now(): Millis {
    return this.#now;
  }

  /** The instant of the next timer; infinity without one. A cancelled timer may still be named. */
  get nextDue(): Millis {
    return this.#heap.length > 0 ? this.#heap[0].due : Infinity;
  }

  setTimeout(run: () => void, delay: Millis): number {
    return this.#schedule(run, this.#now + Math.max(0, delay));
  }

  clearTimeout(id: number): void {
    this.#live.delete(id);
  }

  until<T>(instant: Millis, work: Promise<T>): Promise<T> {
    const over = work.then(
      () => {},
      () => {}, // watched from now on: work may fail before its instant; the caller gets the rejection then
    );
    return new Promise((settled) => {
      this.#schedule(
        async () => {
          await over;
          settled(work);
        },
        Math.max(this.#now, instant),
      );
    });
  }

  /**
   * Runs to `until`, letting promises settle after every instant, so replies arrive in the same order each time.
   * @throws what a timer threw, once the others of its instant have run: a defect.
   */
  async run(until: Millis): Promise<void> {
    await this.settle();
    while (this.#heap.length > 0 && this.#heap[0].due <= until) {
      this.#now = this.#heap[0].due;
      const defects: unknown[] = [];
      while (this.#heap.length > 0 && this.#heap[0].due === this.#now) {
        const timer = pop(this.#heap);
        if (!this.#live.delete(timer.id)) continue;
        try {
          const work = timer.run();
          if (work) await work;
        } catch (error) {
          defects.push(error);
        }
      }
      await this.settle();
      if (defects.length > 0) throw defects[0];
    }
    this.#now = Math.max(this.#now, until);
  }

  /** Lets every promise chain that needs no timer come to rest. */
  settle(): Promise<void> {
    return new Promise((rested) => setImmediate(rested));
  }

  #schedule(run: () => void | Promise<void>, due: Millis): number {
    const id = this.#nextId++;
    push(this.#heap, { id, due, run });
    this.#live.add(id);
    return id;
  }
}

const before = (a: Timer, b: Timer) => a.due < b.due || (a.due === b.due && a.id < b.id);

function push(heap: Timer[], timer: Timer): void {
  let i = heap.push(timer) - 1;
  while (i > 0) {
    const parent = (i - 1) >> 1;
    if (!before(heap[i], heap[parent])) return;
    [heap[i], heap[parent]] = [heap[parent], heap[i]];
    i = parent;
  }
}

function pop(heap: Timer[]): Timer {
  const first = heap[0];
  const last = heap.pop()!;
  if (heap.length === 0) return first;
  heap[0] = last;
  for (let i = 0; ; ) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
    if (!before(heap[child], heap[i])) break;
    [heap[i], heap[child]] = [heap[child], heap[i]];
    i = child;
  }
  return first;
}
