/** What a model package says of itself: `manifest.json`, schema `windfleet.model/v1`. `actors/package/manifest.ts` parses it. */

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
