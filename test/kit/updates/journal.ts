/** What the journal of a process that was killed again and again says, told to the oracle in its order. */
import { closeSync, openSync, readSync } from 'node:fs';
import type { JobExecution } from '../../../actors/contracts/jobs.ts';
import type { JournalLine } from './host.ts';
import type { Committed, Oracle } from './oracle.ts';

export interface Journal {
  /** All lines so far; a last one that has not been written out says nothing. */
  lines(): readonly JournalLine[];
  /** Executions that have been reported. */
  reported(): number;
}

/** Reads what has been added since the last look. */
export function followJournal(file: string): Journal {
  const lines: JournalLine[] = [];
  const reported = new Set<string>();
  let at = 0;
  let rest = '';
  const read = () => {
    const fd = openSync(file, 'r');
    try {
      const chunk = Buffer.alloc(1 << 20);
      for (let n = readSync(fd, chunk, 0, chunk.length, at); n > 0; n = readSync(fd, chunk, 0, chunk.length, at)) {
        at += n;
        const whole = (rest + chunk.toString('latin1', 0, n)).split('\n');
        rest = whole.pop() ?? '';
        for (const text of whole) {
          const line = JSON.parse(Buffer.from(text, 'latin1').toString()) as JournalLine;
          lines.push(line);
          if (line.kind === 'report') reported.add(`${line.thing} ${line.report.jobId}`);
        }
      }
    } finally {
      closeSync(fd);
    }
  };
  return {
    lines() {
      read();
      return lines;
    },
    reported() {
      read();
      return reported.size;
    },
  };
}

/**
 * A change of the pointer that had begun when the process was killed has been made or not: the next boot shows which.
 * @returns how many changes were made, and how many of them a kill came in the middle of
 */
export function judgeJournal(lines: readonly JournalLine[], oracle: Oracle): { readonly applied: number; readonly torn: number } {
  const begun = new Map<string, Committed>();
  const handles = new Map<string, object>();
  const reported = new Set<string>();
  const on = new Set<string>();
  let [applied, torn] = [0, 0];
  const commit = (thing: string, committed: Committed) => {
    if (committed.jobId !== null) applied++;
    oracle.committed(thing, committed);
  };
  for (const line of lines)
    switch (line.kind) {
      case 'start':
        for (const thing of on) oracle.off(thing);
        on.clear();
        break;
      case 'boot': {
        const { thing, committed } = line;
        const change = begun.get(thing);
        begun.delete(thing);
        if (!change) break;
        torn++;
        if (isSame(change, committed)) commit(thing, change);
        break;
      }
      case 'intent':
        begun.set(line.thing, line.committed!);
        break;
      case 'pointer':
        commit(line.thing, begun.get(line.thing)!);
        begun.delete(line.thing);
        break;
      case 'judges': {
        const handle = {};
        handles.set(line.thing, handle);
        on.add(line.thing);
        oracle.judges(line.thing, line.model, handle);
        break;
      }
      case 'report': {
        const { thing, report } = line;
        if (reported.has(`${thing} ${report.jobId}`)) break; // said again after a kill
        reported.add(`${thing} ${report.jobId}`);
        oracle.changed({ ...report, thing } as unknown as JobExecution);
        break;
      }
      case 'dark':
        oracle.isDark(line.thing, line.why);
    }
  return { applied, torn };
}

const isSame = (one: Committed, other: Committed | null): boolean =>
  other !== null && one.model === other.model && one.jobId === other.jobId && one.executionNumber === other.executionNumber;
