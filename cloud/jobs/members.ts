/**
 * Who a job is for, while groups change. A continuous job gives a thing that joins one of its targets an execution at once, whatever
 * its pace, and takes it away (REMOVED) from one that leaves; a thing that is deleted leaves every job.
 *
 * Assumption: a thing that leaves after its execution ended and comes back starts anew, retries too, unless it had SUCCEEDED.
 */
import { JobRefused, NotFound } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import { isTerminal, type MembershipChange } from '../../actors/contracts/jobs.ts';
import type { Course, JobPorts } from './course.ts';
import { ended, queuedExecution } from './executions.ts';
import type { JobRecord } from './record.ts';
import { mayNotify } from './schedule.ts';
import { TARGETS_IN_CHUNK } from './store.ts';

export interface Members {
  /** The things that targets stand for now, each once. @throws JobRefused ResourceNotFound */
  resolve(targets: readonly string[]): readonly ThingName[];
  changed(change: MembershipChange): void;
  /** Compares a continuous job with its groups, so many things a call; its work is done once nothing differs. */
  reconcile(record: JobRecord, batch: number): void;
}

export function openMembers({ ledger, targets }: JobPorts, course: Course): Members {
  const waiting = new WeakMap<JobRecord, ReadonlySet<ThingName>>(); // may hold some whose turn has come: they have an execution
  const todo = new WeakMap<JobRecord, { join: ThingName[]; leave: ThingName[] }>();

  const takesMembers = ({ config, state }: JobRecord) =>
    config.targetSelection === 'CONTINUOUS' && state.status === 'IN_PROGRESS' && !state.stopped;

  const waitingOf = (record: JobRecord): ReadonlySet<ThingName> => {
    const known = waiting.get(record);
    if (known) return known;
    const found = new Set<ThingName>();
    for (let chunk = Math.floor(record.state.cursor / TARGETS_IN_CHUNK); ; chunk++) {
      const things = ledger.targets(record, chunk);
      for (const thing of things) found.add(thing);
      if (things.length < TARGETS_IN_CHUNK) break;
    }
    waiting.set(record, found);
    return found;
  };

  const isMember = (record: JobRecord, thing: ThingName) =>
    targets !== null && record.config.targets.some((target) => targets.includes(target, thing));

  const join = (record: JobRecord, thing: ThingName) => {
    const latest = ledger.find(record, thing);
    if (!latest && record.state.waiting > 0 && waitingOf(record).has(thing)) return; // its turn will come
    if (latest && latest.status !== 'REMOVED' && !(latest.left && latest.status !== 'SUCCEEDED')) return;
    const now = course.now();
    course.change(
      record,
      latest,
      queuedExecution({
        jobId: record.config.jobId,
        thing,
        executionNumber: (latest?.executionNumber ?? 0) + 1,
        held: !mayNotify(record.schedule, now),
        now,
      }),
    );
  };

  const leave = (record: JobRecord, thing: ThingName, deleted = false) => {
    const { state, config } = record;
    const now = course.now();
    const latest = ledger.find(record, thing);
    if (latest && !isTerminal(latest.status)) course.change(record, latest, ended(latest, 'REMOVED', now));
    else if (latest) {
      if (deleted || latest.left || latest.status === 'REMOVED') return;
      ledger.put(record, { ...latest, left: true });
    } else if (state.waiting > 0 && waitingOf(record).has(thing)) {
      state.waiting--;
      state.overtaken = true;
      const never = queuedExecution({ jobId: config.jobId, thing, executionNumber: 1, held: false, now });
      course.change(record, null, { ...never, status: 'REMOVED' });
    }
  };

  return {
    resolve(wanted) {
      if (!targets) throw new JobRefused('InvalidRequest', 'this job service knows no things: name them in `things`');
      const found = new Set<ThingName>();
      for (const target of wanted) {
        try {
          for (const thing of targets.membersOf(target)) found.add(thing);
        } catch (error) {
          if (error instanceof NotFound) throw new JobRefused('ResourceNotFound', error.message);
          throw error;
        }
      }
      return [...found];
    },
    changed({ thing, change }) {
      for (const record of [...ledger.jobs()]) {
        if (change === 'deleted') {
          const runs = record.state.status === 'IN_PROGRESS' || record.state.status === 'SCHEDULED';
          if (runs || ledger.pending(thing).some(({ jobId }) => jobId === record.config.jobId)) leave(record, thing, true);
        } else if (takesMembers(record)) {
          if (isMember(record, thing)) join(record, thing);
          else leave(record, thing);
        }
      }
    },
    reconcile(record, batch) {
      const done = () => {
        record.state.work = null;
        todo.delete(record);
        ledger.touch(record);
        course.complete(record);
      };
      if (!targets || !takesMembers(record)) return done();
      let left = todo.get(record);
      if (!left) {
        const members = new Set<ThingName>();
        for (const target of record.config.targets) {
          try {
            for (const thing of targets.membersOf(target)) members.add(thing);
          } catch (error) {
            if (!(error instanceof NotFound || error instanceof JobRefused)) throw error; // a target that is gone has no members
          }
        }
        const store = ledger.flush();
        const have = new Set(store.thingsOf(record.key));
        const back = new Set(store.thingsOf(record.key, { gone: true }));
        const coming = record.state.waiting > 0 ? waitingOf(record) : new Set<ThingName>();
        left = {
          join: [...members].filter((thing) => back.has(thing) || !(have.has(thing) || coming.has(thing))),
          leave: [...new Set([...have, ...coming])].filter((thing) => !members.has(thing)),
        };
        todo.set(record, left);
      }
      for (const thing of left.leave.splice(0, batch)) leave(record, thing);
      const joining = left.join.splice(0, batch);
      ledger.load(joining);
      for (const thing of joining) join(record, thing);
      if (left.leave.length === 0 && left.join.length === 0) done();
    },
  };
}
