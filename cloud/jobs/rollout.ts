/**
 * A job's own doing, batch by batch, each in one commit and each begun anew after a restart: it starts, notifies at its pace, lets
 * what was held go when a maintenance window opens, ends, and sweeps away what is cancelled or deleted.
 */
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import type { Course, JobPorts } from './course.ts';
import { ended, type Execution, queuedExecution } from './executions.ts';
import { RETENTION } from './limits.ts';
import type { Members } from './members.ts';
import { allowance, lastMinute, nextTurn, ratePerMinute } from './pace.ts';
import { isOver, type JobRecord } from './record.ts';
import { mayNotify, nextOpening } from './schedule.ts';
import { TARGETS_IN_CHUNK } from './store.ts';

const BATCH = 500; // executions a commit: a device's update waits for no longer one

export interface Rollout {
  /** What is due now, one batch of it. */
  advance(record: JobRecord): void;
  /** When there is something to do again; null for a job that only waits for its things. */
  wakeAt(record: JobRecord, now: Millis): Millis | null;
  /** Jobs that have been over for longer than they are kept go, with their executions. Looked at when a job is made, and at the start. */
  retire(): void;
}

export function openRollout({ ledger, quotas }: JobPorts, course: Course, members: Members): Rollout {
  const chunks = new WeakMap<JobRecord, { readonly chunk: number; readonly things: readonly ThingName[] }>();
  const swept = new WeakMap<JobRecord, { readonly thing: ThingName; readonly executionNumber: number }>();

  const rateOf = ({ config, state }: JobRecord) => ratePerMinute(config.jobExecutionsRolloutConfig, state.notified, state.counts.SUCCEEDED);

  /** The next things whose turn it is, so many at most. */
  const take = (record: JobRecord, most: number): ThingName[] => {
    const { state } = record;
    const taken: ThingName[] = [];
    while (taken.length < most) {
      const chunk = Math.floor(state.cursor / TARGETS_IN_CHUNK);
      const known = chunks.get(record);
      const { things } = known?.chunk === chunk ? known : { things: ledger.targets(record, chunk) };
      if (known?.chunk !== chunk) chunks.set(record, { chunk, things });
      const from = state.cursor % TARGETS_IN_CHUNK;
      const part = things.slice(from, from + most - taken.length);
      if (part.length === 0) break;
      state.cursor += part.length;
      for (const thing of part) if (!state.overtaken || !ledger.find(record, thing)) taken.push(thing);
    }
    return taken;
  };

  const notify = (record: JobRecord) => {
    const { state, config } = record;
    const now = course.now();
    const things = take(record, Math.min(allowance(state.recent, rateOf(record), now), BATCH, state.waiting));
    ledger.load(things);
    let notified = 0;
    for (const thing of things) {
      if (state.status !== 'IN_PROGRESS') break; // aborted by the notification before
      state.waiting--;
      notified++;
      course.change(record, null, queuedExecution({ jobId: config.jobId, thing, executionNumber: 1, held: false, now }));
    }
    if (rateOf(record) !== Infinity) state.recent = [...lastMinute(state.recent, now), [now, notified]];
    ledger.touch(record);
    if (state.waiting === 0) {
      ledger.dropTargets(record);
      course.complete(record);
    }
  };

  /** The window is open: what was kept back becomes visible. */
  const release = (record: JobRecord) => {
    const now = course.now();
    const held = ledger.flush().ofJob(record.key, { held: true, limit: BATCH });
    ledger.load(held.map(({ thing }) => thing));
    for (const execution of held) course.change(record, execution, { ...execution, held: false, queuedAt: now, lastUpdatedAt: now });
  };

  const sweepCancelled = (record: JobRecord) => {
    const { state } = record;
    const after = swept.get(record);
    const open = ledger.flush().ofJob(record.key, {
      status: state.work === 'force-cancel' ? ['QUEUED', 'IN_PROGRESS'] : ['QUEUED'],
      ...(after ? { after } : {}),
      limit: BATCH,
    });
    ledger.load(open.map(({ thing }) => thing));
    for (const execution of open)
      course.change(record, execution, ended(execution, 'CANCELED', course.now(), { forced: execution.status === 'IN_PROGRESS' }));
    const last = open.at(-1);
    if (last) swept.set(record, last);
    if (open.length === BATCH) return;
    state.work = null;
    ledger.touch(record);
    course.told(record, 'canceled');
  };

  const sweepDeleted = (record: JobRecord) => {
    const all = ledger.flush().ofJob(record.key, { limit: BATCH });
    ledger.load(all.map(({ thing }) => thing));
    for (const execution of all) course.remove(record, execution);
    if (all.length === BATCH) return;
    course.told(record, 'deleted');
    ledger.drop(record);
  };

  const start = (record: JobRecord) => {
    const { state, config } = record;
    const active = [...ledger.jobs()].filter(
      (other) => other.state.status === 'IN_PROGRESS' && other.config.targetSelection === config.targetSelection,
    );
    if (active.length >= quotas.activeJobs) {
      course.cancel(record, { force: false, reasonCode: 'CONCURRENCY_LIMIT', comment: 'too many jobs were active at its start' });
      return;
    }
    state.status = 'IN_PROGRESS';
    state.lastUpdatedAt = course.now();
    if (config.targetSelection === 'CONTINUOUS') state.work = 'reconcile'; // its groups may have changed since it was made
    ledger.touch(record);
    course.told(record);
    course.complete(record);
  };

  /** The end has come. */
  const end = (record: JobRecord) => {
    const { state, schedule } = record;
    if (schedule.endBehavior !== 'STOP_ROLLOUT') {
      course.cancel(record, { force: schedule.endBehavior === 'FORCE_CANCEL', reasonCode: 'SCHEDULED_END' });
      return;
    }
    const held: Execution[] = state.held > 0 ? ledger.flush().ofJob(record.key, { held: true, limit: state.held }) : [];
    state.stopped = true;
    state.counts.CANCELED += state.waiting;
    state.waiting = 0;
    state.work = null;
    ledger.dropTargets(record);
    ledger.touch(record);
    for (const execution of held) course.change(record, execution, ended(execution, 'CANCELED', course.now()));
    course.complete(record);
  };

  const hasEnded = ({ state, schedule }: JobRecord, now: Millis) =>
    state.status === 'IN_PROGRESS' && !state.stopped && schedule.endAt !== null && schedule.endAt <= now;

  return {
    advance(record) {
      const now = course.now();
      const { state, schedule } = record;
      if (state.status === 'SCHEDULED' && schedule.startAt !== null && schedule.startAt <= now) start(record);
      if (hasEnded(record, now)) end(record);
      if (state.work === 'cancel' || state.work === 'force-cancel') sweepCancelled(record);
      else if (state.work === 'delete') sweepDeleted(record);
      else if (state.work === 'reconcile') members.reconcile(record, BATCH);
      else if (state.status === 'IN_PROGRESS' && mayNotify(schedule, now)) {
        if (state.held > 0) release(record);
        else if (state.waiting > 0 && nextTurn(state.recent, rateOf(record), now) <= now) notify(record);
      }
    },
    retire() {
      const before = course.now() - RETENTION;
      for (const record of ledger.jobs()) {
        const { state } = record;
        if (state.completedAt === null || state.completedAt > before || !isOver(record) || state.work !== null) continue;
        state.status = 'DELETION_IN_PROGRESS';
        state.work = 'delete';
        ledger.touch(record);
        course.told(record, 'deletion_in_progress');
      }
    },
    wakeAt(record, now) {
      const { state, schedule } = record;
      if (state.work !== null) return now;
      if (state.status === 'SCHEDULED') return schedule.startAt;
      if (state.status !== 'IN_PROGRESS') return null;
      const end = state.stopped ? null : schedule.endAt;
      if (state.waiting === 0 && state.held === 0) return end;
      const turn = !mayNotify(schedule, now)
        ? nextOpening(schedule, now)
        : state.held > 0
          ? now
          : nextTurn(state.recent, rateOf(record), now);
      return end === null || (turn !== null && turn < end) ? turn : end;
    },
  };
}
