/** What was really the matter with recorded twins: the sidecar beside a recording. For whoever evaluates or prepares, never for a detector. */
import type { FaultOnset } from './faults.ts';
import type { ThingName } from './ids.ts';

/** A fault at work on one turbine; its severity is the most that it reaches. */
export interface FaultInterval {
  readonly thing: ThingName;
  readonly fault: string;
  /** 0..1 */
  readonly severity: number;
  readonly onset: FaultOnset;
  /** From nothing to its severity in so long. */
  readonly overMs: number;
  /** Of a `sensor-…` fault. */
  readonly channel?: string;
  /** ISO 8601, both samples included; null: to the recording's end. */
  readonly from: string;
  readonly to: string | null;
}

export interface GroundTruth {
  readonly schema: 'windfleet.truth/v1';
  /** Names of the files it tells of, without their folder. */
  readonly recordings: readonly string[];
  readonly machine: string;
  readonly seed: number;
  readonly things: readonly ThingName[];
  /** ISO 8601 instants of the first and the last sample. */
  readonly from: string;
  readonly to: string;
  /** What blew, in words or numbers: the mean in m/s, the turbulence, or the file it came from. */
  readonly wind: Readonly<Record<string, string | number>>;
  readonly faults: readonly FaultInterval[];
}

/** `farm.csv`, `farm.csv.gz`, `farm.parquet` → `farm.truth.json`. */
export const truthFileOf = (recording: string): string =>
  `${recording.replace(/(\.(csv|parquet|log|txt|jsonl|json))?(\.gz)?$/i, '')}.truth.json`;
