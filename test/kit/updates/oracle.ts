/**
 * What must hold of updates, whatever happens to devices, messages and stores. It is told facts by those who can see them from outside:
 * the disk (the pointer got its name), the runtime (a model was let go), the job service (an execution ended); it asks nothing of the code
 * that it judges.
 *
 *   lost    every execution that was ordered is known to the service, and its end has been told
 *   stuck   … and has ended
 *   wrong   … with the status and the code that its package deserves, no pointer leads down, and what serves at the end is committed
 *   twice   no pointer is replaced twice in the name of one job, and none ends twice
 *   dark    a turbine that is on has a model, which is open and answers as its package says
 *   early   SUCCEEDED is not told before the model judges
 */
import { isTerminal, type JobExecution } from '../../../actors/contracts/jobs.ts';
import type { Deserved } from './orders.ts';

export const CHECKS = ['lost', 'stuck', 'wrong', 'twice', 'dark', 'early'] as const;
export type Check = (typeof CHECKS)[number];

export interface Violation {
  readonly check: Check;
  readonly what: string;
}

/** Of the pointer `active.json`: what has been committed. */
export interface Committed {
  readonly model: string;
  readonly jobId: string | null;
  readonly executionNumber: number | null;
}

/** A loaded model, as its identity: what serves, and must not be let go. */
type Handle = object;

export interface Oracle {
  readonly violations: readonly Violation[];
  ordered(thing: string, jobId: string, deserves: Deserved): void;
  /** An operator takes it back, or found that it had ended: then it may end CANCELED. */
  withdrawn(thing: string, jobId: string, isTaken: boolean): void;
  /** It runs, and this model judges from now on. */
  judges(thing: string, model: string, handle: Handle): void;
  /** It came up without a model, or asked one that says wrong things. */
  isDark(thing: string, why: string): void;
  /** It has no power. @param isLong for longer than a job waits: what is in progress may time out, and is tried again */
  off(thing: string, isLong?: boolean): void;
  released(handle: Handle): void;
  committed(thing: string, pointer: Committed): void;
  /** The job service has committed a change of an execution. */
  changed(execution: JobExecution): void;
  /** Those that have not ended yet. */
  readonly open: number;
  /** At the end. @param executions all that the service knows of a thing */
  close(executions: (thing: string) => Promise<readonly JobExecution[]>): Promise<void>;
}

interface Update {
  readonly deserves: Deserved;
  isWithdrawn: boolean;
  timeouts: number;
  isOvertaken: boolean;
  applied: number;
  ends: number;
}

interface Turbine {
  readonly updates: Map<string, Update>; // by job, in the order of their orders
  /** What judges; null while it is off. */
  serving: { readonly model: string; readonly handle: Handle } | null;
  pointer: Committed | null;
  isLongOff: boolean;
}

/** Orders lead up, a major version each. */
const majorOf = (model: string): number => Number.parseInt(model.split('@')[1], 10);

const MOST = 50; // violations that are kept

export function createOracle(): Oracle {
  const turbines = new Map<string, Turbine>();
  const users = new Map<Handle, string>(); // which turbine a loaded model serves
  const violations: Violation[] = [];
  let open = 0;
  const blame = (check: Check, what: string) => {
    if (violations.length < MOST) violations.push({ check, what });
  };
  const turbineOf = (thing: string): Turbine => {
    const known = turbines.get(thing) ?? { updates: new Map(), serving: null, pointer: null, isLongOff: false };
    turbines.set(thing, known);
    return known;
  };

  return {
    violations,
    get open() {
      return open;
    },

    ordered(thing, jobId, deserves) {
      turbineOf(thing).updates.set(jobId, { deserves, isWithdrawn: false, timeouts: 0, isOvertaken: false, applied: 0, ends: 0 });
      open++;
    },

    withdrawn(thing, jobId, isTaken) {
      const update = turbineOf(thing).updates.get(jobId);
      if (update) update.isWithdrawn = isTaken;
    },

    judges(thing, model, handle) {
      const turbine = turbineOf(thing);
      if (turbine.serving) users.delete(turbine.serving.handle);
      turbine.serving = { model, handle };
      turbine.isLongOff = false;
      users.set(handle, thing);
      // After a boot, and at the moment of taking over, what is committed is what judges.
      if (turbine.pointer && turbine.pointer.model !== model)
        blame('dark', `${thing}: ${model} judges, and ${turbine.pointer.model} is committed`);
    },

    isDark: (thing, why) => blame('dark', `${thing}: ${why}`),

    off(thing, isLong = false) {
      const turbine = turbineOf(thing);
      turbine.isLongOff = isLong;
      if (turbine.serving) users.delete(turbine.serving.handle);
      turbine.serving = null;
    },

    released(handle) {
      const thing = users.get(handle);
      if (thing === undefined) return;
      users.delete(handle);
      blame('dark', `${thing}: ${turbineOf(thing).serving?.model} was let go while it judged`);
    },

    committed(thing, pointer) {
      const turbine = turbineOf(thing);
      const { pointer: before } = turbine;
      turbine.pointer = pointer;
      const { jobId } = pointer;
      if (jobId === null) {
        if (before) blame('dark', `${thing}: ${before.model} was gone, and its first model was installed again`);
        return;
      }
      const update = turbine.updates.get(jobId);
      if (!update) return blame('wrong', `${thing}: ${pointer.model} was committed in the name of ${jobId}, which nobody ordered`);
      update.applied++;
      if (update.applied > 1) blame('twice', `${thing}: ${jobId} was applied ${update.applied} times`);
      if (update.deserves.status === 'FAILED') blame('wrong', `${thing}: ${jobId} was applied, and deserves ${update.deserves.code}`);
      else if (update.deserves.model !== pointer.model) blame('wrong', `${thing}: ${jobId} brought ${pointer.model}`);
      if (before && majorOf(pointer.model) <= majorOf(before.model)) blame('wrong', `${thing}: ${jobId} led down from ${before.model}`);
    },

    changed({ thing, jobId, status, statusDetails }) {
      if (!isTerminal(status)) return;
      const turbine = turbineOf(thing);
      const update = turbine.updates.get(jobId);
      if (!update) return blame('wrong', `${thing}: ${jobId} ended, and nobody ordered it`);
      if (status === 'TIMED_OUT' && turbine.isLongOff) {
        update.timeouts++;
        return;
      }
      update.ends++;
      if (update.ends > 1) return blame('twice', `${thing}: ${jobId} ended ${update.ends} times`);
      open--;
      const { deserves } = update;
      const code = statusDetails['code'] ?? null;
      if (status === 'CANCELED' && update.isWithdrawn) return;
      if (code === 'job.older' && update.timeouts > 0 && majorOf(turbine.pointer?.model ?? '@0') > majorOf(deserves.model)) {
        update.isOvertaken = true; // its next attempt came after orders that were given later
        return;
      }
      if (status !== deserves.status || code !== deserves.code)
        return blame('wrong', `${thing}: ${jobId} ended ${status} ${code} and deserves ${deserves.status} ${deserves.code}`);
      if (status !== 'SUCCEEDED') return;
      if (update.applied === 0) blame('early', `${thing}: ${jobId} is SUCCEEDED, and ${turbine.pointer?.model} is committed`);
      else if (turbine.serving && turbine.serving.model !== deserves.model)
        blame('early', `${thing}: ${jobId} is SUCCEEDED, and ${turbine.serving.model} judges`);
    },

    async close(executionsOf) {
      for (const [thing, { updates, serving, pointer }] of turbines) {
        const known = new Map<string, JobExecution[]>();
        for (const one of await executionsOf(thing)) known.set(one.jobId, [...(known.get(one.jobId) ?? []), one]);
        for (const [jobId, { deserves, isWithdrawn, isOvertaken, timeouts, ends, applied }] of updates) {
          const attempts = [...(known.get(jobId) ?? [])].sort((a, b) => a.executionNumber - b.executionNumber);
          const execution = attempts.pop();
          const early = attempts.filter(({ status }) => status === 'TIMED_OUT');
          if (!execution) blame('lost', `${thing}: the service does not know ${jobId}`);
          else if (!isTerminal(execution.status)) blame('stuck', `${thing}: ${jobId} is ${execution.status}`);
          else if (ends === 0) blame('lost', `${thing}: nobody was told that ${jobId} ended`);
          else if (execution.status !== deserves.status && !isOvertaken && !(isWithdrawn && execution.status === 'CANCELED'))
            blame('wrong', `${thing}: ${jobId} stands as ${execution.status}`);
          if (attempts.length !== early.length || attempts.length !== timeouts)
            blame('twice', `${thing}: ${jobId} has ${1 + attempts.length} executions, ${timeouts} of which may have timed out`);
          if (execution?.status === 'SUCCEEDED' && applied === 0)
            blame('early', `${thing}: ${jobId} stands as SUCCEEDED and was never applied`);
        }
        if (!serving) blame('dark', `${thing}: nothing judges at the end`);
        else if (pointer && pointer.model !== serving.model)
          blame('wrong', `${thing}: ${serving.model} judges, ${pointer.model} is committed`);
      }
    },
  };
}
