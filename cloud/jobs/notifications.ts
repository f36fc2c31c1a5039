/**
 * What a thing is told of its jobs. `notify`: an execution has entered or left its list of pending ones. `notify-next`: another one
 * is first. A QUEUED head that goes IN_PROGRESS changes neither, so nothing is said.
 */
import type { Execution } from './executions.ts';

export interface Said {
  readonly list: boolean;
  readonly next: boolean;
}

/** @param was, is pending executions in their turn, before and after */
export function whatToSay(was: readonly Execution[], is: readonly Execution[]): Said {
  const names = is.map(nameOf);
  return {
    list: was.length !== is.length || was.some((one) => !names.includes(nameOf(one))),
    next: (was.length === 0 ? '' : nameOf(was[0])) !== (names[0] ?? ''),
  };
}

const nameOf = ({ jobId, executionNumber }: Execution) => `${jobId}#${executionNumber}`;
