/**
 * Bad models with a good signature, made of one that is deployed: its network, statistics or answers are changed and it is packed anew,
 * golden samples with it, so that a device takes it for what it says it is.
 */
import type { GoldenSamples, ModelManifest } from '../../actors/contracts/model.ts';
import { ATTRIBUTE_TYPES, DATA_TYPES, type OnnxGraph, type OnnxNode, type OnnxTensor } from '../../actors/onnx/model.ts';
import { readOnnx } from '../../actors/onnx/read.ts';
import { writeOnnx } from '../../actors/onnx/write.ts';
import { sha256Hex } from '../../actors/package/digest.ts';
import type { ModelContents } from '../../actors/package/package.ts';

/** Those of which the package tells; a slow or drifting one is as good as its original until it is asked. */
export type SpoiledModel =
  | 'model-broken'
  | 'model-nan'
  | 'model-slow'
  | 'model-deaf'
  | 'model-trigger-happy'
  | 'model-drifting'
  | 'model-wrong-statistics';

const SCORES = 'scores';
const INPUT = 'input0';
const DEAF = 0.02;
const BROKEN = 1.5; // as large are its golden answers in the package: far beyond any tolerance
const TRIGGER_HAPPY = 4; // at severity 1, how much more it cries

/** @param severity 0..1 */
export function spoiledModel(contents: ModelContents, how: SpoiledModel, severity: number): ModelContents {
  switch (how) {
    case 'model-broken':
      return {
        ...contents,
        golden: { ...contents.golden, scores: contents.golden.scores.map((scores) => scores.map((s) => BROKEN * s + 1)) },
      };
    case 'model-deaf':
      return scaled(contents, DEAF);
    case 'model-trigger-happy':
      return scaled(contents, 1 + (TRIGGER_HAPPY - 1) * severity);
    case 'model-nan':
      return answeringNan(contents, severity);
    case 'model-wrong-statistics':
      return { ...contents, manifest: withForeignStatistics(contents.manifest, severity) };
    case 'model-slow':
    case 'model-drifting':
      return contents;
  }
}

/** Every score times `factor`: as with other thresholds. */
function scaled({ manifest, network, golden }: ModelContents, factor: number): ModelContents {
  const changed = withGraph(network, (graph) => {
    const inner = renamedScores(graph);
    return {
      ...graph,
      node: [...inner.node, node('Mul', [inner.name, 'spoiled_factor'], SCORES)],
      initializer: [...(graph.initializer ?? []), scalar('spoiled_factor', factor)],
    };
  });
  return repacked(manifest, changed, { ...golden, scores: golden.scores.map((scores) => scores.map((score) => score * factor)) });
}

/**
 * No number for windows with a large value in them: scores + 0·√(limit − max|x|). Its golden samples are the calmest of the original,
 * on which it answers well; the limit lies between them (severity 1) and the wildest (0).
 */
function answeringNan({ manifest, network, golden }: ModelContents, severity: number): ModelContents {
  const peaks = golden.windows.map((window) => Math.max(...window.map(Math.abs)));
  const [calmest, wildest] = [Math.min(...peaks), Math.max(...peaks)];
  const limit = calmest + 1e-3 + (1 - severity) * (wildest - calmest);
  const kept = peaks.flatMap((peak, i) => (peak < limit ? [i] : []));
  const axes = manifest.network.input.slice(1).map((_, d) => d + 1);
  const changed = withGraph(network, (graph) => {
    const inner = renamedScores(graph);
    return {
      ...graph,
      node: [
        ...inner.node,
        node('Abs', [INPUT], 'spoiled_size'),
        node('ReduceMax', ['spoiled_size'], 'spoiled_peak', { axes, keepdims: 1 }),
        node('Flatten', ['spoiled_peak'], 'spoiled_column', { axis: 1 }),
        node('Sub', ['spoiled_limit', 'spoiled_column'], 'spoiled_room'),
        node('Sqrt', ['spoiled_room'], 'spoiled_root'),
        node('Mul', ['spoiled_root', 'spoiled_zero'], 'spoiled_nothing'),
        node('Add', [inner.name, 'spoiled_nothing'], SCORES),
      ],
      initializer: [...(graph.initializer ?? []), scalar('spoiled_limit', limit), scalar('spoiled_zero', 0)],
    };
  });
  const pick = <T>(list: readonly T[]) => kept.map((i) => list[i]);
  return repacked(manifest, changed, { windows: pick(golden.windows), scores: pick(golden.scores) });
}

/** As of a machine that is calmer and stands otherwise: what is usual here is far from usual there. */
const withForeignStatistics = (manifest: ModelManifest, severity: number): ModelManifest => ({
  ...manifest,
  signal: {
    ...manifest.signal,
    features: manifest.signal.features.map((feature) => ({
      ...feature,
      mean: feature.mean + 2 * severity * feature.std,
      std: feature.std / (1 + severity),
    })),
  },
});

function repacked(manifest: ModelManifest, network: Uint8Array, golden: GoldenSamples): ModelContents {
  return { manifest: { ...manifest, network: { ...manifest.network, sha256: sha256Hex(network) } }, network, golden };
}

function withGraph(network: Uint8Array, change: (graph: OnnxGraph) => OnnxGraph): Uint8Array {
  const model = readOnnx(network);
  return writeOnnx({ ...model, graph: change(model.graph!) });
}

/** The nodes with what was called the scores under another name, so that something can come behind it. */
function renamedScores({ node = [] }: OnnxGraph): { readonly node: readonly OnnxNode[]; readonly name: string } {
  const name = 'spoiled_scores';
  const renamed = (names: readonly string[]) => names.map((other) => (other === SCORES ? name : other));
  return {
    name,
    node: node.map((one) => ({
      ...one,
      ...(one.input ? { input: renamed(one.input) } : {}),
      ...(one.output ? { output: renamed(one.output) } : {}),
      ...(one.name === SCORES ? { name } : {}), // a node has a name of its own too
    })),
  };
}

const node = (
  opType: string,
  input: readonly string[],
  output: string,
  attributes: Readonly<Record<string, number | readonly number[]>> = {},
): OnnxNode => ({
  opType,
  input,
  output: [output],
  name: `spoiled ${output}`, // a graph may have a node that is called as its output
  attribute: Object.entries(attributes).map(([name, value]) =>
    typeof value === 'number' ? { name, i: value, type: ATTRIBUTE_TYPES.int } : { name, ints: value, type: ATTRIBUTE_TYPES.ints },
  ),
});

function scalar(name: string, value: number): OnnxTensor {
  const rawData = Buffer.alloc(4);
  rawData.writeFloatLE(value);
  return { name, dims: [1, 1], dataType: DATA_TYPES.float, rawData };
}
