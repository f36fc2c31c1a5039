/** What a person reads: tables on the standard output, errors with their mend on the other. */
import { FleetError, reasonOf } from '../../actors/contracts/errors.ts';

export interface Io {
  readonly signal: AbortSignal;
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Whether a person watches: then lines may be rewritten. */
  readonly isTerminal: boolean;
}

/** Columns as wide as they need to be. @param rows of the same length as the head */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c].length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, c) => cell.padEnd(widths[c]))
      .join('  ')
      .trimEnd();
  return [line(head), ...rows.map(line)].join('\n');
}

/** One JSON value, or what `text` says. */
export function printFacts(io: Io, json: boolean, facts: unknown, text: () => string): void {
  io.out(json ? JSON.stringify(facts) : text());
}

const EXIT_CODES: { readonly [code in FleetError['code']]?: number } = {
  usage: 2,
  'not.found': 2,
  'fault.refused': 2,
  'query.invalid': 2,
  'config.invalid': 3,
  'file.invalid': 3,
  'environment.lacking': 4,
  'store.unavailable': 4,
  'remote.refused': 5,
  'job.refused': 5,
  'thing.refused': 5,
  'verification.refused': 6,
  'model.rejected': 6,
};

/** Says what went wrong and how to mend it. @returns the exit code. */
export function printError(io: Pick<Io, 'err'>, error: unknown): number {
  if (error instanceof FleetError) {
    io.err(`error: ${error.message}`);
    if (error.hint !== undefined) io.err(`  ${error.hint}`);
    return EXIT_CODES[error.code] ?? 1;
  }
  io.err(`defect: ${error instanceof Error ? (error.stack ?? error.message) : reasonOf(error)}`);
  return 1;
}
