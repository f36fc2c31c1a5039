/** A network from elsewhere and a description of what it is for → a model: thresholds, golden samples that it answered here, manifest. */
import { modelId } from '../../actors/contracts/ids.ts';
import type { Inference } from '../../actors/contracts/inference.ts';
import type { ModelManifest, SignalSpec, ThresholdSpec } from '../../actors/contracts/model.ts';
import { OnnxFault } from '../../actors/onnx/fault.ts';
import { scoresOf } from './compile.ts';
import type { ModelArtefacts } from './export.ts';
import { irOf } from './onnx-graph.ts';
import type { ForeignNetwork } from './onnx-import.ts';
import { thresholdsOf, USUAL_ALARM_RATE } from './thresholds.ts';

const GOLDEN = 6;
const TOLERANCE = 1e-4;

export interface Description {
  readonly name: string;
  readonly version: string;
  readonly sequence: number;
  readonly fleet: string;
  readonly machine: string;
  readonly signal: SignalSpec;
  /** Null: to be found from the windows' errors. */
  readonly thresholds: readonly ThresholdSpec[] | null;
  readonly persistence: number;
  /** [windows × features × samples]: normal windows, held out where thresholds are to be found from them. */
  readonly windows: Float32Array;
  readonly lineage: Readonly<Record<string, string | number>>;
}

export interface DescribeOptions {
  readonly open: (manifest: ModelManifest, network: Uint8Array) => Promise<Inference>;
  /** Hex SHA-256. */
  readonly digest: (bytes: Uint8Array) => string;
}

/** @throws OnnxFault when the network is not for windows of that shape; ModelRejected when it cannot answer. */
export async function describeModel(
  foreign: ForeignNetwork,
  { windows, signal, lineage, ...description }: Description,
  { open, digest }: DescribeOptions,
): Promise<ModelArtefacts> {
  const names = signal.features.map(({ name }) => name);
  const size = names.length * signal.window.samples;
  const [features, ...sides] = foreign.input;
  if (features !== names.length || sides.reduce((all, n) => all * n, 1) !== signal.window.samples)
    throw new OnnxFault(
      `its input [N, ${foreign.input.join(', ')}] does not hold the ${names.length} features × ${signal.window.samples} samples of its signal (${names.join(', ')})`,
    );
  const manifestOf = (network: Uint8Array, thresholds: readonly ThresholdSpec[]): ModelManifest => ({
    schema: 'windfleet.model/v1',
    ...description,
    expires: null,
    target: 'any',
    network: {
      file: 'compiled.onnx',
      sha256: digest(network),
      input: [-1, ...foreign.input],
      opset: foreign.opset,
      ir: irOf(foreign.opset),
    },
    signal,
    thresholds,
    golden: { file: 'golden.json', tolerance: TOLERANCE },
    lineage: { ...lineage, producer: foreign.producer },
  });
  const score = async (network: Uint8Array, thresholds: readonly ThresholdSpec[], asked: Float32Array) => {
    const inference = await open(manifestOf(network, thresholds), network);
    try {
      return await scoresOf(inference, asked, names.length, asked.length / size);
    } finally {
      await inference.close();
    }
  };

  const ones = names.map((feature) => ({ feature, mae: 1 }));
  const thresholds =
    description.thresholds ??
    thresholdsOf(await score(foreign.withScores(new Float32Array(names.length).fill(1)), ones, windows), signal, {
      ...USUAL_ALARM_RATE,
      persistence: description.persistence,
    });
  const network = foreign.withScores(Float32Array.from(thresholds, ({ mae }) => mae));
  const count = windows.length / size;
  const chosen = Array.from({ length: Math.min(GOLDEN, count) }, (_, i) => Math.floor((i * count) / Math.min(GOLDEN, count)));
  const golden = chosen.map((w) => Array.from(windows.subarray(w * size, (w + 1) * size), (x) => Number(x.toPrecision(5))));
  const scores = await score(network, thresholds, Float32Array.from(golden.flat()));
  if (scores.some((value) => !Number.isFinite(value)))
    throw new OnnxFault(`${modelId(description.name, description.version)} answers a normal window with what is no number`);
  await expectIndependence(scores, golden, (asked) => score(network, thresholds, asked));
  return {
    network,
    golden: {
      windows: golden,
      scores: golden.map((_, w) => [...scores.subarray(w * names.length, (w + 1) * names.length)]),
    },
    manifest: manifestOf(network, thresholds),
  };
}

/** A network that looks along the batch (a normalisation that was left in training, say) would judge a turbine by its neighbours. */
async function expectIndependence(
  scores: Float32Array,
  windows: readonly (readonly number[])[],
  score: (asked: Float32Array) => Promise<Float32Array>,
): Promise<void> {
  const features = scores.length / windows.length;
  const others = windows.map((window) => window.map((x) => 100 * x - 7));
  const again = await score(Float32Array.from([...others, ...windows.toReversed()].flat()));
  for (let w = 0; w < windows.length; w++)
    for (let f = 0; f < features; f++)
      if (again[(windows.length + w) * features + f] !== scores[(windows.length - 1 - w) * features + f])
        throw new OnnxFault(`a window’s scores depend on the other windows of its batch ; was it exported for inference?`);
}
