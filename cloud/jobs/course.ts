/**
 * The course of jobs: what one change of an execution brings about. Counts move, a failure may end the job or be tried again, the last
 * result completes it, its thing is told, and so is whoever listens; all of it in the same commit.
 */
import type { Clock } from '../../actors/contracts/clock.ts';
import type { DescribedExecution, Job, JobExecution, JobNotifications, JobObjects, JobTargets } from '../../actors/contracts/jobs.ts';
import { isTerminal } from '../../actors/contracts/jobs.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import type { Millis } from '../../actors/contracts/units.ts';
import { aborts, counted, failureBit } from './abort.ts';
import { parseDocument, withParameters, withPresignedUrls } from './document.ts';
import { executionEvent, jobEvent, type JobEvent } from './events.ts';
import { type Execution, queuedExecution, shown } from './executions.ts';
import type { Ledger } from './ledger.ts';
import { DEFAULT_PRESIGNED_SECONDS, PENDING_SHOWN, type Quotas } from './limits.ts';
import { whatToSay } from './notifications.ts';
import { isDone, jobOf, type JobRecord } from './record.ts';
import { retried } from './retry.ts';
import { mayNotify } from './schedule.ts';

/** What every part of the service works with. */
export interface JobPorts {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly targets: JobTargets | null;
  readonly objects: JobObjects | null;
  readonly quotas: Quotas;
  /** Only transitions that AWS's documents draw. */
  readonly strict: boolean;
  readonly thingArn: (thing: ThingName) => string;
  readonly listeners: ((change: JobExecution | Job) => void)[];
  /** Null until somebody wants them. */
  readonly notifications: () => JobNotifications | null;
  /** An execution's timer has moved from one instant to another; null is none. */
  readonly due: (before: Millis | null, after: Millis | null) => void;
}

export interface Course {
  now(): Millis;
  /** @param before the thing's latest execution of this job until now, an attempt before this one too; null when it had none */
  change(record: JobRecord, before: Execution | null, after: Execution): void;
  /** Takes an execution away altogether. */
  remove(record: JobRecord, execution: Execution): void;
  /** QUEUED executions are cancelled batch by batch from now on, with `force` those in progress too. */
  cancel(record: JobRecord, options: { readonly force: boolean; readonly reasonCode?: string; readonly comment?: string }): void;
  /** SNAPSHOT jobs, and those whose end has come, are COMPLETED once nothing is left to do. */
  complete(record: JobRecord): void;
  /** Tells whoever listens how the job stands. */
  told(record: JobRecord, event?: JobEvent): void;
  /** False for an execution that its job's end has caught up with, though it is not swept away yet. */
  isAlive(execution: Execution): boolean;
  /** What the device sees, in its turn. */
  visible(thing: ThingName): Execution[];
  documentText(record: JobRecord): string;
  described(execution: Execution): DescribedExecution;
}

export function openCourse(ports: JobPorts): Course {
  const { clock, ledger, objects, listeners, notifications } = ports;
  const now = (): Millis => clock.epoch + clock.now();
  const pendingOf = (thing: ThingName): Execution[] => ledger.pending(thing).filter(({ held }) => !held);

  const isAlive = ({ jobId, status }: Execution): boolean => {
    const state = ledger.job(jobId)?.state;
    if (!state || state.status === 'DELETION_IN_PROGRESS') return false;
    if (state.status !== 'CANCELED') return true;
    return status !== 'QUEUED' && !(status === 'IN_PROGRESS' && state.work === 'force-cancel');
  };
  const visible = (thing: ThingName) => pendingOf(thing).filter(isAlive);

  const documentText = ({ config }: JobRecord): string => {
    const text = withParameters(config.document, config.documentParameters);
    return objects ? withPresignedUrls(text, objects.presign, config.presignedUrlConfig?.expiresInSec ?? DEFAULT_PRESIGNED_SECONDS) : text;
  };
  const described = (execution: Execution): DescribedExecution => {
    const text = documentText(ledger.job(execution.jobId)!);
    return { ...shown(execution), document: parseDocument(text), documentText: text };
  };

  const announce = (thing: ThingName, was: readonly Execution[]) => {
    const is = pendingOf(thing);
    const { list, next } = whatToSay(was, is);
    if (!list && !next) return;
    const seen = is.filter(isAlive);
    if (list) ledger.tell(() => notifications()?.list(thing, seen.slice(0, PENDING_SHOWN).map(shown)));
    if (next) ledger.tell(() => notifications()?.next(thing, seen.length > 0 && ledger.job(seen[0].jobId) ? described(seen[0]) : null));
  };

  const emit = (type: 'JOB' | 'JOB_EXECUTION', made: () => { topic: string; body: Readonly<Record<string, unknown>> }) => {
    if (ledger.settings()?.events.enabled[type] !== true) return;
    const { topic, body } = made();
    ledger.tell(() => notifications()?.event?.(topic, body));
  };

  const put = (record: JobRecord, before: Execution | null, after: Execution) => {
    const { state } = record;
    ledger.put(record, after);
    if (before) {
      state.counts[before.status]--;
      if (before.held) state.held--;
    }
    state.counts[after.status]++;
    if (after.held) state.held++;
    if (!after.held && after.status === 'QUEUED' && after.retryAttempt === 0 && (before === null || before.held)) state.notified++;
    ports.due(before?.timesOutAt ?? null, after.timesOutAt);
    ledger.touch(record);
    if (listeners.length > 0) {
      const seen = shown(after);
      ledger.tell(() => {
        for (const heard of listeners) heard(seen);
      });
    }
    if (isTerminal(after.status))
      emit('JOB_EXECUTION', () => executionEvent(after, after.status.toLowerCase(), ports.thingArn(after.thing), now()));
  };

  const retry = (record: JobRecord, failed: Execution) => {
    const used = retried(record.config.jobExecutionsRetryConfig?.criteriaList ?? [], failed.status, failed.retriesUsed);
    if (!used) return;
    const { jobId, thing, executionNumber, failedBits } = failed;
    const held = !mayNotify(record.schedule, now());
    put(record, failed, {
      ...queuedExecution({ jobId, thing, executionNumber: executionNumber + 1, held, now: now() }),
      retryAttempt: used.failed + used.timedOut,
      retriesUsed: used,
      failedBits,
    });
  };

  const course: Course = {
    now,
    isAlive,
    visible,
    documentText,
    described,
    change(record, before, after) {
      const { state, config } = record;
      const was = notifications() ? pendingOf(after.thing) : null;
      const bit = failureBit(after.status);
      put(record, before, bit === 0 ? after : { ...after, failedBits: after.failedBits | bit });
      state.failures = counted(state.failures, after.failedBits, after.status);
      if (state.status === 'IN_PROGRESS') {
        // only a failure or a first notification can satisfy a criterion
        if (config.abortConfig && aborts(config.abortConfig.criteriaList, state.notified, state.failures))
          course.cancel(record, { force: false, reasonCode: 'ABORT_CRITERIA', comment: 'an abort criterion was satisfied' });
        else if (bit !== 0) retry(record, { ...after, failedBits: after.failedBits | bit });
        course.complete(record);
      }
      if (was) announce(after.thing, was);
    },
    remove(record, execution) {
      const was = notifications() ? pendingOf(execution.thing) : null;
      ledger.remove(record, execution);
      ports.due(execution.timesOutAt, null);
      ledger.touch(record);
      emit('JOB_EXECUTION', () => executionEvent(execution, 'deleted', ports.thingArn(execution.thing), now()));
      if (was) announce(execution.thing, was);
    },
    cancel(record, { force, reasonCode, comment }) {
      const { state } = record;
      state.status = 'CANCELED';
      state.forceCanceled = force;
      state.reasonCode = reasonCode ?? state.reasonCode;
      state.comment = comment ?? state.comment;
      state.lastUpdatedAt = now();
      state.completedAt = now();
      state.counts.CANCELED += state.waiting; // their turn never comes: nobody has heard of them
      state.waiting = 0;
      state.work = force ? 'force-cancel' : 'cancel';
      ledger.dropTargets(record);
      ledger.touch(record);
      course.told(record, 'cancellation_in_progress');
    },
    complete(record) {
      const { state, config } = record;
      if (state.status !== 'IN_PROGRESS' || state.work !== null || !isDone(state)) return;
      if (config.targetSelection === 'CONTINUOUS' && !state.stopped) return;
      state.status = 'COMPLETED';
      state.lastUpdatedAt = now();
      state.completedAt = now();
      ledger.touch(record);
      course.told(record, 'completed');
    },
    told(record, event) {
      if (event) emit('JOB', () => jobEvent(record, event, now()));
      if (listeners.length === 0) return;
      const job = jobOf(record, now());
      ledger.tell(() => {
        for (const heard of listeners) heard(job);
      });
    },
  };
  return course;
}
