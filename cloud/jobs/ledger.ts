/**
 * The state in memory over the store. A change is made in memory at once, so that the next one sees it, and is acknowledged with its
 * group: one transaction and one sync for all that came meanwhile. While the disk syncs one group the next ones gather; a few may be
 * on their way at once. Memory is a cache of the store, never the other way: when a commit fails, everybody in its group is told so,
 * what was in memory is dropped, and the store is read again.
 *
 *   write ──▶ memory + group ──▶ commit ──▶ sync ──▶ what is told (notifications, events) ──▶ acknowledgement
 *                                  └─ fails ──┴──▶ memory dropped, store read again ──▶ StoreUnavailable
 */
import { JobRefused, StoreUnavailable } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import { isTerminal, type JobTemplate } from '../../actors/contracts/jobs.ts';
import { byTurn, type Execution } from './executions.ts';
import type { JobRecord } from './record.ts';
import { type Answer, type Changes, type JobStore, noChanges, type Settings } from './store.ts';

const MAX_GROUP = 2_048; // rows: bounds how long a commit keeps the others waiting
const MAX_TURNS = 16; // of the event loop that a group waits for more
const MAX_SYNCS = 2; // groups on their way to the disk: the thread pool that syncs them has other work, too
const THINGS_KEPT = 50_000;
const ANSWERS_KEPT = 32_768;

interface Group {
  readonly changes: Changes;
  readonly told: (() => void)[];
  /** Changes that wait for it. */
  joined: number;
  readonly done: Promise<void>;
  readonly settle: (error?: Error) => void;
}

export interface Ledger {
  job(jobId: string): JobRecord | undefined;
  /** All of them, the oldest first. */
  jobs(): Iterable<JobRecord>;
  nextKey(): number;
  templates(): ReadonlyMap<string, JobTemplate>;
  settings(): Settings | null;

  /** The job's state has been changed in place. @param configured its order, too */
  touch(record: JobRecord, configured?: boolean): void;
  add(record: JobRecord): void;
  drop(record: JobRecord): void;
  addTargets(record: JobRecord, chunk: number, things: readonly ThingName[]): void;
  dropTargets(record: JobRecord): void;
  targets(record: JobRecord, chunk: number): readonly ThingName[];
  putTemplate(id: string, template: JobTemplate | null): void;
  putSettings(settings: Settings): void;

  /** Reads what is pending of many things at once, where it is not in memory. */
  load(things: readonly ThingName[]): void;
  /** Pending executions, in their turn; held ones are in it. Not to be changed. */
  pending(thing: ThingName): readonly Execution[];
  find(record: JobRecord, thing: ThingName, executionNumber?: number): Execution | null;
  put(record: JobRecord, execution: Execution): void;
  remove(record: JobRecord, execution: Execution): void;

  answered(request: string): Execution | undefined;
  answer(request: string, execution: Execution): void;

  /** Runs after the commit, in order. */
  tell(what: () => void): void;
  /**
   * Makes a change; resolves once it is durable. What `work` throws is thrown, but only once what it has seen is durable.
   * @throws StoreUnavailable when the commit failed: nothing has changed
   */
  write<T>(work: () => T): Promise<T>;
  /** What `read` says, once all of what it has seen is durable. */
  read<T>(read: () => T): Promise<T>;
  /** The same of what is in the store, where memory does not have it all. @throws StoreUnavailable */
  stored<T>(read: (store: JobStore) => T): Promise<T>;
  /** Commits what is open, now: what follows may ask the store. @throws StoreUnavailable */
  flush(): JobStore;
  close(): void;
}

export interface Settled {
  /** A group is durable, and nobody has been told of it yet. @param all nothing is in memory that the store does not hold */
  committed(touched: Iterable<JobRecord>, all: boolean): void;
  /** After the store was read again: every record is another object now. */
  reread(): void;
}

/** @throws StoreUnavailable when the store cannot be read */
export function openLedger(store: JobStore, settled: Settled): Ledger {
  let jobs = new Map<string, JobRecord>();
  let templates = new Map<string, JobTemplate>();
  let answers = new Map<string, Execution>();
  let slots: string[] = [];
  let nextSlot = 0;
  let nextKey = 1;
  let settings: Settings | null = null;
  const things = new Map<ThingName, Execution[]>(); // pending, by turn
  let group: Group | null = null;
  const syncing: Group[] = []; // committed, though not durable yet; oldest first
  let stale = false; // the store could not be read after a commit that failed

  const reload = () => {
    stale = true;
    things.clear();
    const records = store.jobs();
    jobs = new Map(records.map((record) => [record.config.jobId, record]));
    nextKey = Math.max(nextKey, (records.at(-1)?.key ?? 0) + 1);
    templates = new Map(store.templates().map((template) => [template.jobTemplateId, template]));
    settings = store.settings();
    answers = new Map();
    slots = [];
    nextSlot = 0;
    for (const { slot, request, execution } of store.answers()) {
      answers.set(request, execution);
      slots[slot] = request;
    }
    nextSlot = slots.length % ANSWERS_KEPT; // after a full turn of the ring it begins anew
    stale = false;
  };
  const fresh = () => {
    if (!stale) return;
    reload();
    settled.reread();
  };

  const open = (): Group => {
    if (group) return group;
    const changes = noChanges();
    let settle: Group['settle'] = () => {};
    const done = new Promise<void>((kept, lost) => {
      settle = (error) => (error ? lost(error) : kept());
    });
    done.catch(() => {}); // each who waits hears of it himself
    const made: Group = { changes, told: [], joined: 0, done, settle };
    group = made;
    let seen = 0;
    let turns = 0;
    const due = () => {
      if (group !== made) return;
      if (store.commits === 'turn' && made.joined > seen && turns++ < MAX_TURNS) {
        // as long as each turn brings more: a transaction and its sync cost as much as a dozen rows
        seen = made.joined;
        setImmediate(due);
      } else if (syncing.length < MAX_SYNCS) commit(); // else with the next sync that ends
    };
    if (store.commits === 'turn') setImmediate(due);
    else queueMicrotask(due);
    return made;
  };

  /** What is in memory is not what the store holds. @param lost whoever waits for what will not be, oldest first */
  const abandon = (lost: readonly Group[], error: unknown): Error => {
    group = null;
    const reason = error instanceof StoreUnavailable ? error : new StoreUnavailable('the job service gave a change up', { cause: error });
    try {
      reload();
      settled.reread();
    } catch {
      // stale: the next call reads again, or says that it cannot
    }
    for (const one of lost) one.settle(reason);
    return reason;
  };

  /** The reason when it failed. */
  const commit = (): Error | null => {
    const ending = group;
    if (!ending) return null;
    try {
      store.commit(ending.changes);
    } catch (error) {
      return abandon([ending], error);
    }
    group = null;
    if (things.size > THINGS_KEPT)
      for (const thing of things.keys()) {
        things.delete(thing);
        if (things.size <= THINGS_KEPT / 2) break;
      }
    syncing.push(ending);
    if (!store.log) acknowledge(ending);
    else
      store.log.sync((lost) => {
        if (!syncing.includes(ending)) return; // a later sync has answered for it
        if (lost) unsynced(lost);
        else acknowledge(ending);
        if (group && syncing.length < MAX_SYNCS) commit();
      });
    return null;
  };

  /** All up to `last` are durable: a sync holds for whatever was committed before it began. */
  const acknowledge = (last: Group) => {
    for (let ended: Group | undefined; ended !== last; ) {
      ended = syncing.shift()!;
      try {
        settled.committed(ended.changes.jobs.values(), group === null);
        for (const tell of ended.told) tell();
      } finally {
        ended.settle();
      }
    }
  };

  /** Nobody knows which of them would survive a loss of power: as with a lost answer, who asks again hears what has become of it. */
  const unsynced = (error: unknown): Error => abandon([...syncing.splice(0), ...(group ? [group] : [])], error);

  /** Blocks until all that is committed is durable. The reason when that cannot be said. */
  const syncNow = (): Error | null => {
    const last = syncing.at(-1);
    if (!last || !store.log) return null;
    try {
      store.log.syncNow();
    } catch (error) {
      return unsynced(error);
    }
    acknowledge(last);
    return null;
  };

  /** The latest that has been seen in memory and is not durable. */
  const unsettled = (): Group | null => group ?? syncing.at(-1) ?? null;

  const pending = (thing: ThingName): Execution[] => {
    const known = things.get(thing);
    if (known) return known;
    const read = (store.pendingOf([thing]).get(thing) ?? []).sort(byTurn);
    things.set(thing, read);
    return read;
  };

  const place = (execution: Execution) => {
    const list = pending(execution.thing);
    const at = list.findIndex(({ jobId, executionNumber }) => jobId === execution.jobId && executionNumber === execution.executionNumber);
    if (at >= 0) list.splice(at, 1);
    if (!isTerminal(execution.status)) {
      list.push(execution);
      if (list.length > 1) list.sort(byTurn);
    }
  };

  reload();

  const ledger: Ledger = {
    job: (jobId) => jobs.get(jobId),
    jobs: () => jobs.values(),
    nextKey: () => nextKey++,
    templates: () => templates,
    settings: () => settings,
    touch(record, configured = false) {
      const { changes } = open();
      changes.jobs.set(record.key, record);
      if (configured) changes.configured.add(record.key);
    },
    add(record) {
      jobs.set(record.config.jobId, record);
      ledger.touch(record, true);
    },
    drop(record) {
      jobs.delete(record.config.jobId);
      ledger.touch(record);
      open().changes.removedJobs.add(record.key);
    },
    addTargets: (record, chunk, names) => {
      open().changes.targets.push({ job: record.key, chunk, things: names });
    },
    dropTargets: (record) => {
      open().changes.rolledOut.add(record.key);
    },
    targets: (record, chunk) =>
      group?.changes.targets.find((one) => one.job === record.key && one.chunk === chunk)?.things ?? store.targets(record.key, chunk),
    putTemplate(id, template) {
      if (template) templates.set(id, template);
      else templates.delete(id);
      open().changes.templates.set(id, template);
    },
    putSettings(changed) {
      settings = changed;
      open().changes.settings = changed;
    },
    load(names) {
      const unknown = names.filter((thing) => !things.has(thing));
      if (unknown.length === 0) return;
      const found = store.pendingOf(unknown);
      for (const thing of unknown) things.set(thing, (found.get(thing) ?? []).sort(byTurn));
    },
    pending,
    find(record, thing, executionNumber) {
      const { jobId } = record.config;
      const matches = (one: Execution) => one.jobId === jobId && (executionNumber === undefined || one.executionNumber === executionNumber);
      const live = pending(thing).find(matches);
      if (live) return live;
      if (group) {
        // numbers only grow, so the last one put is the latest
        const numbers = group.changes;
        if (executionNumber !== undefined) {
          const key = keyOf(record.key, thing, executionNumber);
          if (numbers.removedExecutions.has(key)) return null;
          const open = numbers.executions.get(key);
          if (open) return open.execution;
        } else {
          const stored = store.find(record.key, thing);
          let latest = stored && numbers.removedExecutions.has(keyOf(record.key, thing, stored.executionNumber)) ? null : stored;
          for (let number = latest?.executionNumber ?? 1; ; number++) {
            const open = numbers.executions.get(keyOf(record.key, thing, number));
            if (!open) break;
            latest = open.execution;
          }
          return latest;
        }
      }
      return store.find(record.key, thing, executionNumber);
    },
    put(record, execution) {
      place(execution);
      const key = keyOf(record.key, execution.thing, execution.executionNumber);
      const { changes } = open();
      changes.executions.set(key, { job: record.key, execution });
      changes.removedExecutions.delete(key);
    },
    remove(record, execution) {
      const list = pending(execution.thing);
      const at = list.findIndex(({ jobId, executionNumber }) => jobId === execution.jobId && executionNumber === execution.executionNumber);
      if (at >= 0) list.splice(at, 1);
      const key = keyOf(record.key, execution.thing, execution.executionNumber);
      const { changes } = open();
      changes.executions.delete(key);
      changes.removedExecutions.set(key, { job: record.key, thing: execution.thing, executionNumber: execution.executionNumber });
    },
    answered: (request) => answers.get(request),
    answer(request, execution) {
      const slot = nextSlot;
      nextSlot = (nextSlot + 1) % ANSWERS_KEPT;
      const before = slots[slot];
      if (before !== undefined) answers.delete(before);
      slots[slot] = request;
      answers.set(request, execution);
      open().changes.answers.push({ slot, request, execution } satisfies Answer);
    },
    tell: (what) => {
      open().told.push(what);
    },
    async write(work) {
      fresh();
      let made: ReturnType<typeof work>;
      try {
        made = work();
      } catch (error) {
        if (error instanceof JobRefused)
          await unsettled()?.done; // what it was refused for may not be durable yet
        else if (group) throw abandon([group], error); // a change that stopped halfway must not be committed
        throw error;
      }
      const joined = unsettled();
      if (group) group.joined++;
      if (group && group.changes.executions.size > MAX_GROUP) commit();
      if (joined) await joined.done;
      return made;
    },
    async read(read) {
      fresh();
      const seen = unsettled();
      const answer = read();
      if (seen) await seen.done;
      return answer;
    },
    async stored(read) {
      fresh();
      const lost = commit();
      if (lost) throw lost;
      const seen = unsettled();
      const answer = read(store);
      if (seen) await seen.done;
      return answer;
    },
    flush() {
      fresh();
      const lost = commit() ?? syncNow();
      if (lost) throw lost;
      return store;
    },
    close() {
      if (group) commit();
      syncNow();
      store.close();
    },
  };
  return ledger;
}

const keyOf = (job: number, thing: ThingName, executionNumber: number) => `${job}/${executionNumber}/${thing}`;
