/** Loading and asking neural models; ONNX Runtime in this process, or the edge agent's gRPC. */
import type { GoldenSamples, ModelManifest } from './model.ts';

/** A loaded model that scores windows by the batch. */
export interface Inference {
  /** `name@version` */
  readonly model: string;
  /**
   * Fixed batch shape inside: a window's score does not depend on its neighbours.
   * @param windows [batch × features × samples], normalised with this model's statistics, oldest sample first
   * @param scores [batch × features] out: mean absolute reconstruction error over its threshold
   */
  predict(windows: Float32Array, batch: number, scores: Float32Array): Promise<void>;
  close(): Promise<void>;
}

/** What loads models. */
export interface Engine {
  /**
   * Loads a network and asks it the golden samples.
   * @throws ModelRejected when the bytes are no model, its shapes are not the manifest's, or a golden answer is off.
   */
  load(manifest: ModelManifest, network: Uint8Array, golden: GoldenSamples): Promise<Inference>;
}
