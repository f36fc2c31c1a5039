/**
 * One worker thread as the fleet holds it: a link for each group of which it has rows. When it ends on its own, whoever waits for its
 * rows is told why.
 */
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { LoadedModel, RowOrder, RowReport, ShardLink } from '../../actors/contracts/shard.ts';
import { reasonOf } from '../../actors/contracts/errors.ts';
import { ring, ringReader, type RingRecord, sharedMemory, Word, WORTH_WAKING } from './ring.ts';
import {
  type FromWorker,
  RECORDS,
  TICK_MS,
  type ToWorker,
  type WireOrder,
  type WorkerGroup,
  type WorkerStart,
  type WorkerUsage,
} from './wire.ts';

export interface WorkerHost {
  /** One a group, in their order. */
  readonly links: readonly ShardLink[];
  readonly rows: number;
  usage(): Promise<WorkerUsage>;
  close(): Promise<void>;
}

export interface WorkerHostOptions<Machine, Wind> {
  /** How it is called in errors, `worker 2 of 4`. */
  readonly name: string;
  readonly seed: number;
  readonly isMetered?: boolean;
  readonly groups: readonly WorkerGroup<Machine, Wind>[];
}

const RING_NUMBERS = 1 << 17; // 1 MB: more than rows tell in the ticks that a worker may be ahead
const RETIRED_KEPT = 100; // models
const NAP_MS = 2; // of the fleet's thread, before it lets its own messages in

/** Resolves once the worker has opened its rows. @throws Error (a defect) when it cannot. */
export async function openWorkerHost<Machine, Wind>({
  name,
  seed,
  isMetered = false,
  groups,
}: WorkerHostOptions<Machine, Wind>): Promise<WorkerHost> {
  const memory = sharedMemory(RING_NUMBERS);
  const control = new Int32Array(memory.control);
  const read = ringReader(memory);
  const { port1: port, port2 } = new MessageChannel();
  const workerData: WorkerStart<Machine, Wind> = { ...memory, port: port2, seed, isMetered, groups };
  const worker = new Worker(new URL('./main.js', import.meta.url), { workerData, transferList: [port2] });
  let failure: Error | null = null;
  let closing = false;
  const gone = new Promise<void>((left) => worker.once('exit', () => left()));
  worker.on('error', (error) => {
    failure ??= new Error(`${name} has failed: ${reasonOf(error)}`, { cause: error });
  });
  worker.on('exit', (code) => {
    if (!closing) failure ??= new Error(`${name} has ended in the middle of the run, with code ${code}`);
  });

  const said: Extract<FromWorker, { say: 'failed' | 'tried' }>[] = []; // whose records are still in the ring
  const told = groups.map((): { readonly tick: number; readonly report: RowReport }[] => []); // of each group, in order
  const models = openModels((message) => post(message));
  const usages: ((usage: WorkerUsage) => void)[] = [];
  let ready = () => {};
  const isReady = new Promise<void>((opened) => {
    ready = opened;
  });

  const post = (message: ToWorker) => {
    port.postMessage(message);
    Atomics.add(control, Word.posted, 1);
  };
  const wake = () => {
    if (Atomics.load(control, Word.asleep) === 1) ring(control, Word.bell);
  };
  const hear = (message: FromWorker) => {
    if (message.say === 'ready') ready();
    else if (message.say === 'usage') usages.shift()?.(message);
    else if (message.say === 'predict') void answer(message);
    else said.push(message);
  };
  port.on('message', hear);
  const nextSaid = () => {
    while (said.length === 0) {
      const got = receiveMessageOnPort(port);
      if (!got) throw new Error(`${name} has not said what its record is about`);
      hear(got.message as FromWorker);
    }
    return said.shift()!;
  };

  const answer = async ({ question, model, windows, batch }: Extract<FromWorker, { say: 'predict' }>) => {
    const { inference, manifest } = models.get(model);
    const scores = new Float32Array(batch * manifest.signal.features.length);
    const failed = await inference.predict(windows, batch, scores).then(() => null, reasonOf);
    post({ say: 'answer', question, scores: failed === null ? scores : null, reason: failed ?? '' });
  };

  const take = (record: RingRecord) => {
    const { tick, group } = record;
    const report = reportOf(record, groups[group].rows[record.row], models.get, nextSaid);
    if (report.tell === 'swapped') models.swapped(`${group}:${record.row}`, record.values[record.offset]);
    told[group].push({ tick, report });
  };
  const hasReached = (tick: number) => {
    const reached = Atomics.load(control, Word.done) >= tick;
    read(take);
    return reached;
  };
  /** Sleeps until the worker has reached a tick and some more, or wants room, or for a nap. @returns whether it has reached it. */
  const nap = (tick: number): boolean => {
    const bell = Atomics.load(control, Word.told);
    Atomics.store(control, Word.awaited, Math.min(tick + WORTH_WAKING, Atomics.load(control, Word.horizon)));
    if (!hasReached(tick)) {
      wake();
      Atomics.wait(control, Word.told, bell, NAP_MS);
    }
    Atomics.store(control, Word.awaited, 0);
    return hasReached(tick);
  };
  const waitFor = async (tick: number): Promise<void> => {
    do {
      if (failure) throw failure;
      await new Promise<void>((turned) => setImmediate(turned)); // its own messages come in
    } while (!nap(tick));
  };
  const takeOf = (group: number, tick: number, into: RowReport[]) => {
    const queue = told[group];
    let taken = 0;
    while (taken < queue.length && queue[taken].tick <= tick) into.push(queue[taken++].report);
    if (taken === queue.length) queue.length = 0;
    else queue.splice(0, taken);
  };

  const link = (group: number): ShardLink => {
    const { rows } = groups[group];
    const local = new Map(rows.map((row, i) => [row, i]));
    return {
      rows,
      order(at, order) {
        post({ say: 'order', group, at, order: models.wired({ ...order, row: local.get(order.row)! }, group) });
      },
      allow(horizon) {
        const tick = Math.floor(horizon / TICK_MS);
        if (tick <= Atomics.load(control, Word.horizon)) return;
        Atomics.store(control, Word.horizon, tick);
        if (tick - Atomics.load(control, Word.done) >= WORTH_WAKING) wake();
      },
      take(now, into) {
        const tick = Math.floor(now / TICK_MS);
        if (hasReached(tick)) return takeOf(group, tick, into);
        if (failure) throw failure;
        if (nap(tick)) return takeOf(group, tick, into);
        return waitFor(tick).then(() => takeOf(group, tick, into));
      },
      close: async () => {},
    };
  };

  const end = async () => {
    closing = true;
    Atomics.store(control, Word.closing, 1);
    post({ say: 'close' });
    ring(control, Word.bell);
    ring(control, Word.read); // it may wait for room
    await gone;
    port.close();
  };

  await Promise.race([isReady, gone]);
  if (failure) {
    port.close();
    throw failure;
  }
  return {
    links: groups.map((_, group) => link(group)),
    rows: groups.reduce((sum, { rows }) => sum + rows.length, 0),
    usage: () =>
      Promise.race([
        new Promise<WorkerUsage>((heard) => {
          usages.push(heard);
          post({ say: 'usage' });
          ring(control, Word.bell);
        }),
        gone.then(() => {
          throw failure ?? new Error(`${name} has been closed`);
        }),
      ]),
    close: end,
  };
}

function reportOf(
  { kind, values, offset: i, length }: RingRecord,
  row: number,
  modelOf: (model: number) => LoadedModel,
  said: () => Extract<FromWorker, { say: 'failed' | 'tried' }>,
): RowReport {
  const tell = RECORDS[kind];
  switch (tell) {
    case 'judged':
      return {
        tell,
        row,
        model: modelOf(values[i]),
        at: values[i + 1],
        announced: values[i + 2] === 1,
        turned: values[i + 3] === 1,
        scores: scoresOf(values, i + 4, length - 4),
      };
    case 'rollUp':
      return { tell, row, rollUp: { spanMs: values[i], values, offset: i + 1 } };
    case 'sample':
      return { tell, row, values: values.slice(i, i + length) };
    case 'failed': {
      const { cause } = said() as Extract<FromWorker, { say: 'failed' }>;
      return { tell, row, model: modelOf(values[i]), cause };
    }
    case 'tried': {
      const { result, reason } = said() as Extract<FromWorker, { say: 'tried' }>;
      return { tell, row, trial: values[i], result, reason };
    }
    case 'swapped':
      return { tell, row, model: modelOf(values[i]) };
    default:
      return { tell, row };
  }
}

function scoresOf(values: Float64Array, from: number, count: number): Float32Array {
  const scores = new Float32Array(count);
  for (let k = 0; k < count; k++) scores[k] = values[from + k];
  return scores;
}

/** The models that a worker knows, by number, as long as a row of it uses them. */
function openModels(post: (message: ToWorker) => void) {
  const known = new Map<number, LoadedModel>();
  const retired: number[] = []; // that no row uses any more, and of which the worker may still tell; oldest first
  const numbers = new Map<object, Map<string, number>>(); // by session and package
  const uses = new Map<number, number>();
  const champions = new Map<string, number>(); // by row
  const leading = new Map<string, number>(); // by row: that are to take over
  const trials = new Map<string, number>(); // by row: the last one, until the row's next model
  let next = 0;

  const sessionOf = ({ inference }: LoadedModel) => inference.source ?? inference;
  const numberOf = (model: LoadedModel): number => {
    const { id, digest, manifest, inference } = model;
    const packages = numbers.get(sessionOf(model)) ?? new Map<string, number>();
    numbers.set(sessionOf(model), packages);
    const found = packages.get(digest);
    if (found !== undefined) return found;
    const number = ++next;
    packages.set(digest, number);
    known.set(number, model);
    post({ say: 'model', model: number, id, digest, manifest, source: inference.source ?? null });
    return number;
  };
  const take = (of: Map<string, number>, row: string, model: number | null) => {
    const old = of.get(row);
    if (model === null) of.delete(row);
    else {
      of.set(row, model);
      uses.set(model, (uses.get(model) ?? 0) + 1);
    }
    if (old === undefined) return;
    uses.set(old, uses.get(old)! - 1);
    if (uses.get(old)! > 0) return;
    uses.delete(old);
    const gone = known.get(old)!;
    const packages = numbers.get(sessionOf(gone))!;
    packages.delete(gone.digest);
    if (packages.size === 0) numbers.delete(sessionOf(gone));
    post({ say: 'drop', model: old });
    retired.push(old);
    if (retired.length > RETIRED_KEPT) known.delete(retired.shift()!);
  };

  return {
    get: (model: number): LoadedModel => known.get(model)!,
    /** A worker's row has told that this model has taken over; one that was replaced meanwhile is another's. */
    swapped(row: string, model: number): void {
      if (leading.get(row) !== model) return;
      take(champions, row, model);
      take(leading, row, null);
      take(trials, row, null);
    },
    /** @param order its row among the worker's */
    wired(order: RowOrder, group: number): WireOrder {
      if (order.ask !== 'use' && order.ask !== 'replace' && order.ask !== 'try') return order;
      const row = `${group}:${order.row}`;
      const model = order.model && numberOf(order.model);
      if (order.ask === 'try') {
        take(trials, row, model!);
        return { ...order, model: model! };
      }
      if (order.ask === 'replace') {
        take(leading, row, model!);
        return { ...order, model: model! };
      }
      take(leading, row, null);
      take(champions, row, model);
      take(trials, row, null);
      return { ...order, model };
    },
  };
}
