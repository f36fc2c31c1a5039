/** A worker thread of `windfleet evaluate`: it loads the model once, and plays and scores the seeds that it is sent. */
import { parentPort, workerData } from 'node:worker_threads';
import { FleetError } from '../../../actors/contracts/errors.ts';
import type { GoldenSamples, ModelManifest } from '../../../actors/contracts/model.ts';
import { onnxEngine } from '../../../actors/inference/onnx.ts';
import { controlsOf } from '../../studio/evaluate/controls.ts';
import { evaluationFleet } from '../../studio/evaluate/fleet.ts';
import { type ScoredWindows, scoreFleet } from '../../studio/evaluate/score.ts';
import { announceRule } from './announce.ts';
import { evaluatedMachine, evaluationChance, twinRecorder } from './play.ts';

export interface EvaluationJob {
  readonly manifest: ModelManifest;
  readonly network: Uint8Array;
  readonly golden: GoldenSamples;
  /** [1], shared; above 0 once nobody wants the seed that is being scored. */
  readonly stop: Int32Array;
}

/** What a worker is asked: a seed, or to go home. A thread that is ended while ONNX Runtime computes may take the process with it. */
export type EvaluationOrder = number | 'end';

export type EvaluationNews =
  | { readonly kind: 'progress'; readonly seed: number; readonly share: number }
  | { readonly kind: 'scored'; readonly windows: ScoredWindows }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

if (parentPort === null) throw new Error('this file is the entry of a worker thread');
const port = parentPort;
const tell = (news: EvaluationNews) => port.postMessage(news);
const { manifest, network, golden, stop } = workerData as EvaluationJob;
const { channels, catalogue } = evaluatedMachine(manifest.machine);
const recorder = twinRecorder(manifest.machine);
const loading = onnxEngine({ arch: process.arch }).load(manifest, network, golden);

port.on('message', async (order: EvaluationOrder) => {
  if (order === 'end') {
    await (await loading.catch(() => null))?.close();
    port.close();
    return;
  }
  const seed = order;
  try {
    const chance = evaluationChance(seed);
    const windows = await scoreFleet(evaluationFleet(seed, chance, manifest.machine, catalogue), {
      manifest,
      inference: await loading,
      recorder,
      controls: controlsOf(channels, manifest.signal.features, chance.fork('control')),
      announceRule,
      onProgress(share) {
        if (Atomics.load(stop, 0) > 0) throw new Stopped();
        tell({ kind: 'progress', seed, share });
      },
    });
    tell({ kind: 'scored', windows });
  } catch (error) {
    if (error instanceof Stopped) return;
    tell({
      kind: 'failed',
      code: error instanceof FleetError ? error.code : 'defect',
      message: error instanceof FleetError ? error.message : String((error as Error).stack ?? error),
    });
  }
});

class Stopped extends Error {}
