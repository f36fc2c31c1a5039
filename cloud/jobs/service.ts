/**
 * The job service: jobs, their executions, timers and notifications, as AWS IoT Jobs has them. What is acknowledged is in the store;
 * timers and rollouts are derived from it, so they go on after a restart as if nothing had been.
 *
 *   control.ts  device.ts        what is asked          create.ts, order.ts, templates.ts: a job's order
 *        └──────┬──┘
 *            course.ts           what a change brings   executions.ts abort.ts retry.ts notifications.ts events.ts document.ts
 *   rollout.ts ─┤ members.ts     what happens by itself pace.ts schedule.ts cron.ts
 *            ledger.ts           memory, group commit   store.ts, libsql-store.ts
 */
import type { Clock } from '../../actors/contracts/clock.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type {
  Job,
  JobExecution,
  JobNotifications,
  JobObjects,
  JobsControl,
  JobsDevice,
  JobTargets,
  MembershipChange,
} from '../../actors/contracts/jobs.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { openControl } from './control.ts';
import { type JobPorts, openCourse } from './course.ts';
import { openDevice } from './device.ts';
import { ended } from './executions.ts';
import { openLedger } from './ledger.ts';
import { QUOTAS, type Quotas } from './limits.ts';
import { openMembers } from './members.ts';
import type { JobRecord } from './record.ts';
import { openRollout } from './rollout.ts';
import type { JobStore } from './store.ts';

export interface JobService extends JobsControl {
  readonly device: JobsDevice;
  notify(notifications: JobNotifications): void;
  close(): Promise<void>;
}

export interface JobServiceOptions {
  readonly clock: Clock;
  readonly store: JobStore;
  /** Things and groups. Absent: every job names its things. */
  readonly targets?: JobTargets;
  /** Documents and presigned URLs. Absent: placeholders stay as they are. */
  readonly objects?: JobObjects;
  readonly quotas?: Partial<Quotas>;
  /** Only transitions that AWS's documents draw: a QUEUED execution cannot end before it starts. */
  readonly strict?: boolean;
  readonly thingArn?: (thing: ThingName) => string;
}

const RETRY_MS = 1_000; // a store that did not take a change is asked again
const LONGEST_TIMER_MS = 86_400_000; // a timer of Node's ends at 2³¹ ms: longer waits go in days
const DUE_BATCH = 500;

/** @throws StoreUnavailable when the store cannot be read */
export async function openJobService({
  clock,
  store,
  targets,
  objects,
  quotas,
  strict = false,
  thingArn,
}: JobServiceOptions): Promise<JobService> {
  const wakes = new Map<string, { readonly at: Millis; readonly timer: number }>();
  const listeners: ((change: JobExecution | Job) => void)[] = [];
  let notifications: JobNotifications | null = null;
  let due: { readonly at: Millis; readonly timer: number } | null = null;
  let lookForDue = false;
  let pausedUntil: Millis = 0;
  let closed = false;

  const now = (): Millis => clock.epoch + clock.now();
  /** Work of its own accord: time waits for the store, and a store that fails is asked again. */
  const soon = (at: Millis, work: () => Promise<unknown>): number =>
    clock.setTimeout(
      () => void clock.until(clock.now(), work()),
      Math.min(LONGEST_TIMER_MS, Math.max(0, Math.ceil(Math.max(at, pausedUntil) - now()))),
    );

  const arm = (record: JobRecord) => {
    const { jobId } = record.config;
    const at = closed || ledger.job(jobId) !== record ? null : rollout.wakeAt(record, now());
    const armed = wakes.get(jobId);
    if (armed && armed.at === at) return;
    if (armed) clock.clearTimeout(armed.timer);
    if (at === null) wakes.delete(jobId);
    else wakes.set(jobId, { at, timer: soon(at, () => wake(jobId)) });
  };
  const wake = async (jobId: string) => {
    wakes.delete(jobId);
    await doing(() => {
      const record = ledger.job(jobId);
      if (record && (rollout.wakeAt(record, now()) ?? Infinity) <= now()) rollout.advance(record);
    });
    const record = ledger.job(jobId);
    if (record) arm(record);
  };
  const doing = async (work: () => void): Promise<boolean> => {
    if (closed) return true;
    try {
      await ledger.write(work);
      return true;
    } catch {
      pausedUntil = now() + RETRY_MS; // each caller of the group has heard why
      return false;
    }
  };
  const hearMembership = async (change: MembershipChange): Promise<void> => {
    if (!(await doing(() => members.changed(change)))) soon(pausedUntil, () => hearMembership(change));
  };

  const dueAt = (at: Millis) => {
    if (closed || (due && due.at <= at)) return;
    if (due) clock.clearTimeout(due.timer);
    due = { at, timer: soon(at, expire) };
  };
  const moveDue = (before: Millis | null, after: Millis | null) => {
    if (after !== null) dueAt(after);
    if (due && before === due.at && after !== before) lookForDue = true; // the one it was set for may be gone
  };
  const expire = async () => {
    due = null;
    await doing(() => {
      const late = ledger.flush().due(now(), DUE_BATCH);
      ledger.load(late.map(({ thing }) => thing));
      for (const execution of late) {
        const record = ledger.job(execution.jobId);
        if (record) course.change(record, execution, ended(execution, 'TIMED_OUT', now()));
      }
    });
    armDue();
  };
  const armDue = () => {
    if (closed) return;
    try {
      const next = ledger.flush().nextDue();
      if (next !== null) dueAt(next);
    } catch {
      pausedUntil = now() + RETRY_MS;
      dueAt(pausedUntil);
    }
  };

  const ledger = openLedger(store, {
    committed: (touched, all) => {
      for (const record of touched) arm(ledger.job(record.config.jobId) ?? record); // the store may have been read again meanwhile
      if (!lookForDue || !due || !all) return; // else what the timer was set for may not be in the store yet
      lookForDue = false;
      try {
        const next = store.nextDue();
        if (next === due.at) return;
        clock.clearTimeout(due.timer);
        due = null;
        if (next !== null) dueAt(next);
      } catch {
        // the timer stands and will find nothing, or the store's trouble
      }
    },
    reread: () => {
      for (const record of ledger.jobs()) arm(record);
      const next = store.nextDue();
      if (next !== null) dueAt(next);
    },
  });
  const ports: JobPorts = {
    clock,
    ledger,
    targets: targets ?? null,
    objects: objects ?? null,
    quotas: { ...QUOTAS, ...quotas },
    strict,
    thingArn: thingArn ?? ((thing) => `arn:aws:iot:us-east-1:000000000000:thing/${thing}`),
    listeners,
    notifications: () => notifications,
    due: moveDue,
  };
  const course = openCourse(ports);
  const members = openMembers(ports, course);
  const rollout = openRollout(ports, course, members);

  targets?.onMembership((change) => void hearMembership(change));
  // its groups may have changed while nobody was there
  for (const record of ledger.jobs())
    if (targets && record.config.targetSelection === 'CONTINUOUS' && record.state.status === 'IN_PROGRESS' && !record.state.stopped)
      record.state.work = 'reconcile';
  await doing(() => rollout.retire());
  // From here on, so that whoever has opened the service hears of what became due while nobody was there.
  for (const record of ledger.jobs()) arm(record);
  armDue();

  return {
    ...openControl(ports, course, members, rollout),
    device: openDevice(ports, course),
    notify: (wanted) => {
      notifications = wanted;
    },
    async close() {
      closed = true;
      for (const { timer } of wakes.values()) clock.clearTimeout(timer);
      if (due) clock.clearTimeout(due.timer);
      ledger.close();
    },
  };
}
