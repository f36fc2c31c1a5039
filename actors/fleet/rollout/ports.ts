/** What rollouts ask of the process that has the cloud: telemetry and job events, never an actor. */
import type { Clock } from '../../contracts/clock.ts';
import type { Disk } from '../../contracts/disk.ts';
import type { BenchTrial, FleetEvidence } from '../../contracts/evidence.ts';
import type { ModelId, ThingName } from '../../contracts/ids.ts';
import type { JobsControl } from '../../contracts/jobs.ts';
import type { EventLog, Log } from '../../contracts/log.ts';
import type { Rng } from '../../contracts/rng.ts';
import type { Millis } from '../../contracts/units.ts';
import type { ModelOrder } from '../../package/job-document.ts';

export interface RolloutPorts {
  readonly clock: Clock;
  readonly log: Log;
  readonly events: EventLog;
  readonly jobs: JobsControl;
  readonly disk: Disk;
  readonly evidence: FleetEvidence;
  /** Null where no twins run: nothing is tried on them. */
  readonly bench: BenchTrial | null;
  /** @throws NotFound */
  readonly resolve: (targets: readonly string[]) => readonly ThingName[];
  /** By an id or an alias, with the key of a grant when one has been given for whom it goes to. @throws NotFound */
  readonly published: (id: string, to: string) => Promise<ModelOrder>;
  /** The same, with a grant that is made when there is none: for the way back. @throws NotFound */
  readonly granted: (id: ModelId, to: string) => Promise<ModelOrder>;
  /** Chance of a rollout by its seed. */
  readonly chance: (seed: string) => Rng;
  /** Of the process; a rollout's own is made of it and its id. */
  readonly seed: string;
  readonly parseWindow: (text: string) => Window;
}

/** When a wave may begin. */
export interface Window {
  /** @param at epoch milliseconds @param windMps of the wave's turbines; null: nobody knows */
  isOpen(at: Millis, windMps: number | null): boolean;
  /** What it waits for, in words. */
  words(at: Millis, windMps: number | null): string;
}

export const TICK_MS = 10_000; // between two looks
export const SETTLE_MS = 10_000; // after an update, until windows are of the new model alone
export const BASELINE_MS = 300_000; // of telemetry before a wave
export const HEAL_WAIT_MS = 900_000; // for turbines that do not answer; their job goes on waiting for them
export const IN_PROGRESS_MINUTES = 60; // a device that starts and is never heard of again ends TIMED_OUT
