/** A package's contents around a network of random weights: its manifest, its ONNX, and golden samples that the plainest loop answered. */
import { createHash } from 'node:crypto';
import type { GoldenSamples, ModelManifest } from '../../actors/contracts/model.ts';
import type { LayeredNetwork } from '../../cloud/studio/layers.ts';
import { exportOnnx } from '../../cloud/studio/onnx.ts';
import { createRng } from '../../twins/rng.ts';
import { scoresOf } from './reference-network.ts';

export interface NetworkModel {
  readonly manifest: ModelManifest;
  readonly network: Uint8Array;
  readonly golden: GoldenSamples;
}

export function modelAround(
  layered: LayeredNetwork,
  form: 'as-trained' | 'convolutions' = 'convolutions',
  samples = layered.input.slice(1).reduce((product, n) => product * n, 1),
): NetworkModel {
  const [features] = layered.input;
  const thresholds = Float32Array.from({ length: features }, (_, f) => 0.5 + 0.1 * f);
  const network = exportOnnx(layered, thresholds, form);
  const names = Array.from({ length: features }, (_, f) => `feature_${f}`);
  const rng = createRng(77).fork('golden');
  const windows = [0, 1, 2].map((w) =>
    Array.from({ length: features * samples }, (_, i) => Number(rng.normal(w * features * samples + i).toPrecision(5))),
  );
  return {
    network,
    golden: { windows, scores: windows.map((window) => [...scoresOf(layered, Float32Array.from(window), thresholds)]) },
    manifest: {
      schema: 'windfleet.model/v1',
      name: 'random',
      version: '1.0.0',
      sequence: 1,
      expires: null,
      fleet: 'test',
      machine: 'desk-turbine',
      target: 'any',
      network: {
        file: 'compiled.onnx',
        sha256: createHash('sha256').update(network).digest('hex'),
        input: [-1, ...layered.input],
        opset: 17,
        ir: 8,
      },
      signal: {
        pipeline: 'stream',
        rateHz: 20,
        window: { samples, hop: samples, settle: 0 },
        features: names.map((name) => ({ name, op: 'value', channels: ['rps'], parameters: {}, mean: 0, std: 1 })),
      },
      thresholds: names.map((feature, f) => ({ feature, mae: thresholds[f] })),
      persistence: 1,
      golden: { file: 'golden.json', tolerance: 1e-4 },
      lineage: {},
    },
  };
}
