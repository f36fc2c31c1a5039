/** A structured log; pino fits. Nothing secret goes in. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * The ordered log of what happened in a run; its SHA-256 is the run's digest. Only simulated instants and names that a
 * seed decides go in: never wall-clock times, paths or ids of the machine.
 */
export interface EventLog {
  append(event: FleetEvent): void;
}

export interface FleetEvent {
  /** Simulated milliseconds. */
  readonly at: number;
  readonly kind: 'state' | 'verdict' | 'alarm' | 'job' | 'fault' | 'command' | 'model' | 'rollout' | 'step';
  /** The thing, job or model that it is about. */
  readonly of: string;
  readonly what: Readonly<Record<string, string | number | boolean | null>>;
}
