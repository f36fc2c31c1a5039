/** Where two runs part: the first event that one has and the other has not, there. */
import type { FleetEvent } from '../actors/contracts/log.ts';
import { eventLine } from './digest.ts';
import { clockTime } from './expect/clock-time.ts';
import type { RecordedRun } from './run-folder.ts';

export interface RunDifference {
  /** Place in both logs, from 0. */
  readonly index: number;
  /** Null: that run has ended there. */
  readonly a: FleetEvent | null;
  readonly b: FleetEvent | null;
  /** What happened before, in both, oldest first. */
  readonly before: readonly FleetEvent[];
}

const BEFORE = 3;

/** Null when both have the same events. */
export function firstDifference(a: readonly FleetEvent[], b: readonly FleetEvent[]): RunDifference | null {
  const shared = Math.min(a.length, b.length);
  let index = 0;
  while (index < shared && eventLine(a[index]) === eventLine(b[index])) index++;
  if (index === a.length && index === b.length) return null;
  return { index, a: a[index] ?? null, b: b[index] ?? null, before: a.slice(Math.max(0, index - BEFORE), index) };
}

/** In words, for a person. */
export function explainDifference(difference: RunDifference | null, a: RecordedRun, b: RecordedRun): string {
  const heads = [a, b].map(({ folder, summary }) => `${folder}: ${summary.name}, seed ${summary.seed}, digest ${summary.digest}`);
  if (difference === null) return [...heads, `the same ${a.events.length} events`].join('\n');
  const { index, before } = difference;
  return [
    ...heads,
    `the first ${index} events are the same; event ${index + 1} differs:`,
    ...before.map((event) => `    ${inWords(event)}`),
    `  A ${difference.a ? inWords(difference.a) : `ends at ${clockTime(a.summary.endMs)}`}`,
    `  B ${difference.b ? inWords(difference.b) : `ends at ${clockTime(b.summary.endMs)}`}`,
  ].join('\n');
}

const inWords = ({ at, kind, of, what }: FleetEvent) => `${clockTime(at)} ${kind} ${of} ${JSON.stringify(what)}`;
