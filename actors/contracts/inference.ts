/** Loading and asking neural models; ONNX Runtime in this process, or the edge agent's gRPC. */
import type { GoldenSamples, ModelManifest } from './model.ts';
import type { Millis } from './units.ts';

/** A loaded model that scores windows by the batch. */
export interface Inference {
  /** `name@version` */
  readonly model: string;
  /** What it was loaded from, when loading that elsewhere gives the same answers: then a thread may have a session of its own. Who wraps one leaves it out. */
  readonly source?: ModelSource;
  /**
   * Fixed batch shape inside: a window's score does not depend on its neighbours.
   * @param windows [batch × features × samples], normalised with this model's statistics, oldest sample first; they stand until it resolves
   * @param scores [batch × features] out: mean absolute reconstruction error over its threshold
   */
  predict(windows: Float32Array, batch: number, scores: Float32Array): Promise<void>;
  /** Simulated milliseconds that it takes beyond what the data plane reckons with; absent: none. */
  readonly latencyMs?: Millis;
  close(): Promise<void>;
}

export interface ModelSource {
  readonly manifest: ModelManifest;
  readonly network: Uint8Array;
  readonly golden: GoldenSamples;
}

/** What loads models. */
export interface Engine {
  /**
   * Loads a network and asks it the golden samples.
   * @param files the signed package as it came, for an engine elsewhere that verifies it itself
   * @throws ModelRejected when the bytes are no model, its shapes are not the manifest's, or a golden answer is off.
   */
  load(manifest: ModelManifest, network: Uint8Array, golden: GoldenSamples, files?: ReadonlyMap<string, Uint8Array>): Promise<Inference>;
}

/** What loads a network where nothing that it does can hurt, before an engine loads it where turbines are judged. */
export interface Prover {
  /** @throws ModelRejected when it cannot be loaded within bounds, or a golden answer is off; EnvironmentLacking when it could not be tried. */
  prove(manifest: ModelManifest, network: Uint8Array, golden: GoldenSamples): Promise<void>;
}

/** What asks the models of a fleet: this process, or an edge agent on a unix socket. */
export type InferenceChoice = { readonly kind: 'onnx' } | { readonly kind: 'agent'; readonly socket: string };

/** Element types that a network's inputs and outputs may have. */
export type TensorType = 'uint8' | 'int16' | 'int32' | 'int64' | 'float16' | 'float32' | 'float64';

export const BYTES_PER_ELEMENT: Readonly<Record<TensorType, number>> = {
  uint8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
};

export interface TensorSpec {
  readonly name: string;
  readonly type: TensorType;
  /** Null: any size, decided by the call. */
  readonly shape: readonly (number | null)[];
}

export interface TensorValue {
  readonly name: string;
  readonly type: TensorType;
  readonly shape: readonly number[];
  /** Little-endian, C order; as many as shape and type say. */
  readonly bytes: Uint8Array;
}

/** A network as a graph has it, whatever it is for. */
export interface TensorModel {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** @param values one for each input, of its type and shape. @returns one for each output, in their order */
  run(values: readonly TensorValue[]): Promise<readonly TensorValue[]>;
  close(): Promise<void>;
}

export interface TensorEngine {
  /** @param model how errors call it. @throws ModelRejected when the bytes are no network that can be loaded here. */
  open(model: string, network: Uint8Array): Promise<TensorModel>;
}
