/** The event log of a run and its digest: SHA-256 over the events as lines of JSON, in the order in which they happened. */
import { createHash } from 'node:crypto';
import type { EventLog, FleetEvent } from '../actors/contracts/log.ts';

export interface RunLog extends EventLog {
  /** Events of the kinds that are kept, oldest first. */
  readonly events: readonly FleetEvent[];
  /** How many of each kind there have been. */
  count(kind: FleetEvent['kind']): number;
  /** Heard after each event. */
  onAppend(heard: (event: FleetEvent) => void): void;
  /** Hex; of what has happened so far. */
  digest(): string;
}

/** @param keep whether events are kept for reading; a farm that runs for weeks only wants the digest. */
export function createRunLog({ keep }: { readonly keep: boolean }): RunLog {
  const hash = createHash('sha256');
  const events: FleetEvent[] = [];
  const hearers: ((event: FleetEvent) => void)[] = [];
  const counts = new Map<FleetEvent['kind'], number>();

  return {
    events,
    count: (kind) => counts.get(kind) ?? 0,
    append(event) {
      counts.set(event.kind, (counts.get(event.kind) ?? 0) + 1);
      hash.update(`${eventLine(event)}\n`);
      if (keep) events.push(event);
      for (const hear of hearers) hear(event);
    },
    onAppend: (hear) => {
      hearers.push(hear);
    },
    digest: () => hash.copy().digest('hex'),
  };
}

/** One line, its keys always in the same order. */
export const eventLine = ({ at, kind, of, what }: FleetEvent): string =>
  JSON.stringify({ at, kind, of, what: Object.fromEntries(Object.entries(what).sort(([a], [b]) => (a < b ? -1 : 1))) });
