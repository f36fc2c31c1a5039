/** How far a long command has come: a line rewritten where a person watches, a line in ten seconds elsewhere. On the standard error. */
import type { Io } from './print.ts';

export interface Progress {
  /** Costs little when it is not time yet; `text` is asked for only then. */
  say(text: () => string): void;
  /** Ends the line that was rewritten. */
  end(): void;
  /** Since it began. */
  seconds(): number;
}

const QUIET_SECONDS = 10;
const WATCHED_SECONDS = 0.2;

export function openProgress(io: Io): Progress {
  const began = process.hrtime.bigint();
  const seconds = () => Number(process.hrtime.bigint() - began) / 1e9;
  let saidAt = io.isTerminal ? Number.NEGATIVE_INFINITY : 0;
  let standing = false;
  return {
    seconds,
    say(text) {
      const now = seconds();
      if (now - saidAt < (io.isTerminal ? WATCHED_SECONDS : QUIET_SECONDS)) return;
      saidAt = now;
      if (!io.isTerminal) return io.err(text());
      process.stderr.write(`\r\u001B[K${text()}`);
      standing = true;
    },
    end() {
      if (standing) process.stderr.write('\r\u001B[K');
      standing = false;
    },
  };
}
