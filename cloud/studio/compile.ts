/**
 * A model for a named processor: its graph rewritten where that changes no answer, its weights in int8 if wanted, and the proof, on the
 * golden samples and on held-out windows, of how far the answers moved.
 */
import { ModelRejected } from '../../actors/contracts/errors.ts';
import { modelId } from '../../actors/contracts/ids.ts';
import type { Inference } from '../../actors/contracts/inference.ts';
import type { GoldenSamples, ModelManifest } from '../../actors/contracts/model.ts';
import { BATCH, checkOnnx } from '../../actors/onnx/check.ts';
import { writeOnnx } from '../../actors/onnx/write.ts';
import type { ModelArtefacts } from './export.ts';
import { irOf, modelOf, openGraph } from './onnx-graph.ts';
import { optimise } from './onnx-passes.ts';
import { INPUT, SCORES } from './onnx-scores.ts';
import { quantiseWeights } from './quantise.ts';

export type Target = 'x64' | 'arm64';

/** How far int8 weights may move a golden score, in thresholds, before the model is refused. */
export const INT8_TOLERANCE = 0.05;
const ROUNDS = 15;

export interface CompileOptions {
  readonly target: Target;
  readonly int8: boolean;
  /** Loads a network whose golden samples are not known yet, on the target or as if on it. */
  readonly open: (manifest: ModelManifest, network: Uint8Array) => Promise<Inference>;
  /** Hex SHA-256. */
  readonly digest: (bytes: Uint8Array) => string;
  /** A clock for the speeds, in nanoseconds. */
  readonly now: () => bigint;
  /** [windows × features × samples], normal windows that training never saw; null: there are none but the golden ones. */
  readonly heldOut: Float32Array | null;
}

/** How far the compiled network's scores are from the original's. */
export interface Deviation {
  readonly windows: number;
  readonly max: number;
  readonly mean: number;
  /** Share of the windows, 0..1, that one of the two calls anomalous (a score above 1) and the other does not. */
  readonly verdictsChanged: number;
}

export interface CompileReport {
  readonly model: string;
  readonly target: Target;
  readonly int8: boolean;
  /** What was rewritten: places by pass, those with none left out. */
  readonly passes: Readonly<Record<string, number>>;
  readonly nodes: readonly [before: number, after: number];
  /** Multiplications a window. */
  readonly macs: readonly [before: number, after: number];
  readonly bytes: readonly [before: number, after: number];
  /** In batches of 64, here. */
  readonly windowsPerSecond: readonly [before: number, after: number];
  readonly golden: Deviation;
  readonly heldOut: Deviation | null;
}

/** @throws ModelRejected when the model does not answer its golden samples, before or after; OnnxFault when it may not be loaded at all. */
export async function compileModel(
  { manifest, network, golden }: ModelArtefacts,
  options: CompileOptions,
): Promise<{ readonly artefacts: ModelArtefacts; readonly report: CompileReport }> {
  const { target, int8, digest } = options;
  const model = modelId(manifest.name, manifest.version);
  if (manifest.target !== 'any' && manifest.target !== target)
    throw new ModelRejected(model, `it is compiled for ${manifest.target} already; compile the model that was trained for ${target}`);
  const ends = { input: INPUT, shape: manifest.network.input, outputs: { [SCORES]: [-1, manifest.signal.features.length] } };
  const before = checkOnnx(network, ends);
  const graph = openGraph(before.graph, before.opset);
  const passes = new Map(optimise(graph));
  if (int8) {
    if (graph.opset < 13) throw new ModelRejected(model, `int8 by output wants opset 13 or above; it has ${graph.opset}`);
    passes.set('weights in int8', quantiseWeights(graph));
  }
  const compiled = writeOnnx(modelOf(graph));
  const after = checkOnnx(compiled, ends);
  const described: ModelManifest = {
    ...manifest,
    target,
    network: { ...manifest.network, sha256: digest(compiled), opset: graph.opset, ir: irOf(graph.opset) },
  };
  const proof = await compare(manifest, network, described, compiled, golden, options);
  const tolerance = int8 ? INT8_TOLERANCE : manifest.golden.tolerance;
  if (!(proof.golden.max <= tolerance))
    throw new ModelRejected(model, `compiled, its golden scores are off by ${proof.golden.max}; ${tolerance} is let pass`);

  return {
    artefacts: {
      network: compiled,
      // What a device asks is whether it computes what was computed here; of int8 that is not what float32 gave.
      golden: int8 ? { windows: golden.windows, scores: proof.scores } : golden,
      manifest: { ...described, lineage: lineageOf(manifest, digest(network), options, proof) },
    },
    report: {
      model,
      target,
      int8,
      passes: Object.fromEntries([...passes].filter(([, places]) => places > 0)),
      nodes: [before.graph.node?.length ?? 0, graph.nodes.length],
      macs: [before.macs, after.macs],
      bytes: [network.length, compiled.length],
      windowsPerSecond: proof.windowsPerSecond,
      golden: proof.golden,
      heldOut: proof.heldOut,
    },
  };
}

interface Proof {
  readonly golden: Deviation;
  readonly heldOut: Deviation | null;
  /** The compiled network's own, of the golden windows. */
  readonly scores: readonly (readonly number[])[];
  readonly windowsPerSecond: readonly [before: number, after: number];
}

async function compare(
  manifest: ModelManifest,
  network: Uint8Array,
  described: ModelManifest,
  compiled: Uint8Array,
  golden: GoldenSamples,
  { open, heldOut, now, target }: CompileOptions,
): Promise<Proof> {
  const features = manifest.signal.features.length;
  const old = await open({ ...manifest, target }, network);
  try {
    const windows = Float32Array.from(golden.windows.flat());
    const wanted = Float32Array.from(golden.scores.flat());
    const own = await scoresOf(old, windows, features, golden.windows.length);
    const off = deviation(own, wanted, features);
    if (!(off.max <= manifest.golden.tolerance))
      throw new ModelRejected(
        old.model,
        `it does not answer its golden samples: off by ${off.max}; ${manifest.golden.tolerance} is let pass`,
      );
    const fresh = await open(described, compiled);
    try {
      const answers = await scoresOf(fresh, windows, features, golden.windows.length);
      const count = heldOut ? heldOut.length / (features * manifest.signal.window.samples) : 0;
      const unseen = heldOut
        ? deviation(await scoresOf(fresh, heldOut, features, count), await scoresOf(old, heldOut, features, count), features)
        : null;
      return {
        golden: deviation(answers, wanted, features),
        heldOut: unseen,
        scores: golden.windows.map((_, w) => [...answers.subarray(w * features, (w + 1) * features)]),
        windowsPerSecond: await speeds([old, fresh], windows.subarray(0, windows.length / golden.windows.length), features, now),
      };
    } finally {
      await fresh.close();
    }
  } finally {
    await old.close();
  }
}

export async function scoresOf(inference: Inference, windows: Float32Array, features: number, count: number): Promise<Float32Array> {
  const scores = new Float32Array(count * features);
  await inference.predict(windows, count, scores);
  return scores;
}

/** Relative to a score where that is above 1, as an engine judges golden samples. @param scores [windows × features] */
function deviation(scores: Float32Array, wanted: Float32Array, features: number): Deviation {
  const windows = scores.length / features;
  let [max, sum, changed] = [0, 0, 0];
  for (let w = 0; w < windows; w++) {
    const row = (values: Float32Array) => values.subarray(w * features, (w + 1) * features);
    for (const [f, score] of row(scores).entries()) {
      const off = Math.abs(score - row(wanted)[f]) / Math.max(1, Math.abs(row(wanted)[f]));
      max = Number.isNaN(off) ? Infinity : Math.max(max, off);
      sum += off;
    }
    if (row(scores).some((score) => score > 1) !== row(wanted).some((score) => score > 1)) changed++;
  }
  return { windows, max, mean: sum / Math.max(1, scores.length), verdictsChanged: changed / Math.max(1, windows) };
}

/** Both in turn, the best round of each: the machine may be shared. @param window one. @returns windows a second */
async function speeds(both: readonly [Inference, Inference], window: Float32Array, features: number, now: () => bigint) {
  const batch = Float32Array.from({ length: BATCH * window.length }, (_, i) => window[i % window.length]);
  const scores = new Float32Array(BATCH * features);
  const best: [number, number] = [Infinity, Infinity];
  for (let round = 0; round < ROUNDS; round++)
    for (const [i, inference] of both.entries()) {
      const began = now();
      await inference.predict(batch, BATCH, scores);
      best[i] = Math.min(best[i], Number(now() - began) / 1e9);
    }
  return [BATCH / best[0], BATCH / best[1]] as const;
}

function lineageOf(manifest: ModelManifest, source: string, { target, int8 }: CompileOptions, { golden, heldOut }: Proof) {
  return {
    ...manifest.lineage,
    compiledFor: target,
    compiledFrom: source,
    compiledGoldenDeviation: golden.max,
    ...(int8 && { weights: 'int8' }),
    ...(heldOut && { compiledHeldOutDeviation: heldOut.max, compiledVerdictsChanged: heldOut.verdictsChanged }),
  };
}
