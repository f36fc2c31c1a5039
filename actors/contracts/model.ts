/** What a model package says of itself: `manifest.json`, schema `windfleet.model/v1`. `actors/package/manifest.ts` parses it. */
import type { ThingName } from './ids.ts';
import type { ExecutionStatus, JobStatus } from './jobs.ts';
import type { Millis } from './units.ts';

/** The fleet whose packages these are, unless a manifest says otherwise. */
export const HOME_FLEET = 'windturbine-farm';

/** One input feature of a model, made from channels by a named operation of its signal pipeline. */
export interface FeatureSpec {
  readonly name: string;
  /** An operation of its pipeline in `actors/signal`: of `stream` `value`, `roll`, `vibration`, …; of `seed-db6` `roll`, `pitch`, `yaw`, `value`. */
  readonly op: string;
  /** Channels that the operation reads, in its order. */
  readonly channels: readonly string[];
  /** Constants of the operation, by name. `seed-db6` wants one of each feature: `sigma`, the standard deviation of its raw training data. */
  readonly parameters: Readonly<Record<string, number>>;
  /** Statistics of the training data after the operation and, in `seed-db6`, the denoising: the model sees (x − mean) / std. */
  readonly mean: number;
  readonly std: number;
}

export interface SignalSpec {
  /** `stream`: causal, a few numbers of memory. `seed-db6`: the original's, 501 samples denoised together for each window. */
  readonly pipeline: 'stream' | 'seed-db6';
  readonly rateHz: number;
  /** `settle` samples after a break fill the pipeline's memory and belong to no window; 0 with `seed-db6`, whose memory is its buffer. */
  readonly window: { readonly samples: number; readonly hop: number; readonly settle: number };
  readonly features: readonly FeatureSpec[];
}

export interface ThresholdSpec {
  readonly feature: string;
  /** Mean absolute reconstruction error, in units of the feature's std; above it is anomalous. */
  readonly mae: number;
}

export interface ModelManifest {
  readonly schema: 'windfleet.model/v1';
  readonly name: string;
  /** SemVer. */
  readonly version: string;
  /** Grows with every release of the name. */
  readonly sequence: number;
  /** ISO 8601 instant after which it may not be installed; null: never. */
  readonly expires: string | null;
  readonly fleet: string;
  readonly machine: string;
  readonly target: string; // 'any', 'x64', 'arm64'
  readonly network: {
    readonly file: string;
    readonly sha256: string;
    /** Of `input0`; the batch is −1. */
    readonly input: readonly number[];
    /** Of ONNX: the operator set and the file format that the network is written in. */
    readonly opset?: number | undefined;
    readonly ir?: number | undefined;
  };
  readonly signal: SignalSpec;
  readonly thresholds: readonly ThresholdSpec[];
  /** Windows in a row that must disagree before a verdict turns over. */
  readonly persistence: number;
  readonly golden: { readonly file: string; readonly tolerance: number };
  readonly lineage: Readonly<Record<string, string | number>>;
}

/** `golden.json`: normalised windows and the scores that the network must give for them. */
export interface GoldenSamples {
  /** [window][features × samples], feature-major, oldest sample first. */
  readonly windows: readonly (readonly number[])[];
  /** [window][features]. */
  readonly scores: readonly (readonly number[])[];
}

/** A name that is moved from version to version: `windturbine-anomaly@production`. */
export interface ModelAlias {
  readonly alias: string;
  readonly name: string;
  /** Where it points; null once it has been removed. */
  readonly version: string | null;
  /** Its moves, the newest first; the first one holds. */
  readonly history: readonly AliasMove[];
}

export interface AliasMove {
  readonly version: string | null;
  /** ISO 8601. */
  readonly at: string;
}

/** Leave to install an older model: what a device wants to see, signed, before it goes down. */
export interface RollbackGrant {
  readonly schema: 'windfleet.rollback-grant/v1';
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
  /** Hex SHA-256 of the package. */
  readonly sha256: string;
  /** A thing's or a group's name. */
  readonly group: string;
  /** ISO 8601 instants. */
  readonly issuedAt: string;
  readonly expires: string;
}

/** Where a model comes from and where it went: data → training run → model → jobs → devices. */
export interface ModelLineage {
  /** Of the recording and the windows: digests, seeds, counts. */
  readonly data: Readonly<Record<string, string | number>>;
  /** Of the run that made it: command, seed, epochs, commit, figures. */
  readonly training: Readonly<Record<string, string | number>>;
  readonly model: {
    readonly name: string;
    readonly version: string;
    readonly sequence: number;
    readonly sha256: string;
    readonly signedBy: string;
  };
  /** Jobs that carried it, the newest first. */
  readonly jobs: readonly LineageJob[];
  /** Devices that it was brought to, or that run it. */
  readonly devices: readonly LineageDevice[];
}

export interface LineageJob {
  readonly jobId: string;
  readonly to: readonly string[];
  readonly status: JobStatus;
  /** Epoch milliseconds. */
  readonly createdAt: Millis;
  readonly executions: { readonly [status in ExecutionStatus]?: number };
}

export interface LineageDevice {
  readonly thing: ThingName;
  /** Whether it judges with it now; null while nobody hears the device. */
  readonly runs: boolean | null;
  /** The job that brought it last; null for a device's first model. */
  readonly jobId: string | null;
  /** Whether it is accepted there, or on probation; null where it is not what is installed, and where nobody knows. */
  readonly isAccepted: boolean | null;
}
