/** The device plane: what a thing may ask of its own executions. Order of checks: schema, existence, version, transition. */
import { JobRefused } from '../../actors/contracts/errors.ts';
import type { ThingName } from '../../actors/contracts/ids.ts';
import { isTerminal, type JobsDevice } from '../../actors/contracts/jobs.ts';
import type { Course, JobPorts } from './course.ts';
import { checkUpdate, type Execution, shown, updated } from './executions.ts';
import type { JobRecord } from './record.ts';

export function openDevice({ ledger, strict }: JobPorts, course: Course): JobsDevice {
  const find = (thing: ThingName, jobId: string, executionNumber?: number): { record: JobRecord; execution: Execution } => {
    const record = ledger.job(jobId);
    const execution = record && record.state.status !== 'DELETION_IN_PROGRESS' ? ledger.find(record, thing, executionNumber) : null;
    if (record && execution && !execution.held) return { record, execution };
    const which = executionNumber === undefined ? '' : ` ${executionNumber}`;
    throw new JobRefused('ResourceNotFound', `thing ${thing} has no execution${which} of job ${jobId}`);
  };

  const update = (record: JobRecord, execution: Execution, change: Parameters<typeof updated>[1]): Execution => {
    if (!isTerminal(execution.status) && !course.isAlive(execution))
      throw new JobRefused('InvalidStateTransition', `job ${record.config.jobId} has been cancelled`, {
        ...shown(execution),
        status: 'CANCELED',
      });
    const next = updated(execution, change, course.now(), record.config.timeoutConfig?.inProgressTimeoutInMinutes ?? null, strict);
    course.change(record, execution, next);
    return next;
  };

  return {
    pending: (thing) => ledger.read(() => course.visible(thing).map(shown)),
    describe: (thing, jobId, executionNumber) =>
      ledger.read(() => {
        if (jobId === '$next') {
          const [next] = course.visible(thing);
          return next ? course.described(next) : null;
        }
        const { execution } = find(thing, jobId, executionNumber);
        if (isTerminal(execution.status) || !course.isAlive(execution))
          throw new JobRefused('TerminalStateReached', `the execution is ${execution.status}`, shown(execution));
        return course.described(execution);
      }),
    startNext: (thing, { clientToken, ...options } = {}) =>
      ledger.write(() => {
        checkUpdate(options);
        const request = clientToken === undefined ? null : requestOf(thing, '$next', undefined, clientToken);
        const known = request === null ? undefined : ledger.answered(request);
        if (known && ledger.job(known.jobId)) return course.described(known);
        const [next] = course.visible(thing);
        if (!next) return null;
        // AWS IoT Jobs: one in progress already is given again, its details and timers unchanged
        if (next.status === 'IN_PROGRESS') return course.described(next);
        const started = update(ledger.job(next.jobId)!, next, { ...options, status: 'IN_PROGRESS' });
        if (request !== null) ledger.answer(request, started);
        return course.described(started);
      }),
    update: (thing, jobId, { clientToken, ...change }) =>
      ledger.write(() => {
        checkUpdate(change);
        const request = clientToken === undefined ? null : requestOf(thing, jobId, change.executionNumber, clientToken);
        const known = request === null ? undefined : ledger.answered(request);
        if (known) return shown(known);
        const { record, execution } = find(thing, jobId, change.executionNumber);
        const next = update(record, execution, change);
        if (request !== null) ledger.answer(request, next);
        return shown(next);
      }),
    document: (jobId) =>
      ledger.read(() => {
        const record = ledger.job(jobId);
        if (!record) throw new JobRefused('ResourceNotFound', `there is no job ${jobId}`);
        return course.documentText(record);
      }),
  };
}

const requestOf = (thing: ThingName, jobId: string, executionNumber: number | undefined, clientToken: string) =>
  `${thing}\n${jobId}\n${executionNumber ?? ''}\n${clientToken}`;
