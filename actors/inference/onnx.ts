/**
 * ONNX Runtime as an `Engine`: one thread a session, batches of a fixed shape, so that a window's scores depend on nothing but
 * the window. The network's output `scores` is error over threshold, both inside the graph.
 */
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { ModelRejected, reasonOf } from '../contracts/errors.ts';
import { modelId } from '../contracts/ids.ts';
import type { Engine, Inference } from '../contracts/inference.ts';
import type { GoldenSamples, ModelManifest } from '../contracts/model.ts';
import { BATCH } from '../onnx/check.ts';
import { openSession } from './session.ts';

const INPUT = 'input0';
const OUTPUT = 'scores';

export interface EngineOptions {
  /** `process.arch` of where it runs; absent, only packages for any processor load. */
  readonly arch?: string | undefined;
}

export function onnxEngine(options: EngineOptions = {}): Engine {
  return {
    async load(manifest, network, golden) {
      const inference = await openNetwork(manifest, network, options);
      try {
        await answerGolden(inference, manifest, golden);
        return inference;
      } catch (error) {
        await inference.close();
        throw error;
      }
    },
  };
}

/**
 * A network before it has golden samples, or to find out what they are.
 * @throws ModelRejected when it is for another processor, or is no network that its manifest describes.
 */
export async function openNetwork(manifest: ModelManifest, network: Uint8Array, { arch }: EngineOptions = {}): Promise<Inference> {
  const model = modelId(manifest.name, manifest.version);
  if (manifest.target !== 'any' && manifest.target !== arch)
    throw new ModelRejected(model, `it is compiled for ${manifest.target}, this is ${arch ?? 'a processor that was not named'}`);
  const session = await openSession(model, network, {
    input: INPUT,
    shape: manifest.network.input,
    outputs: { [OUTPUT]: [-1, manifest.signal.features.length] },
  });
  return onnxInference(session, manifest);
}

function onnxInference(session: InferenceSession, manifest: ModelManifest): Inference {
  const features = manifest.signal.features.length;
  const size = features * manifest.signal.window.samples;
  const model = modelId(manifest.name, manifest.version);
  const shape = [BATCH, ...manifest.network.input.slice(1)];

  return {
    model,
    async predict(windows, batch, scores) {
      for (let first = 0; first < batch; first += BATCH) {
        const count = Math.min(BATCH, batch - first);
        const padded = new Float32Array(BATCH * size);
        padded.set(windows.subarray(first * size, (first + count) * size));
        const outputs = await session.run({ [INPUT]: new Tensor('float32', padded, shape) }, [OUTPUT]);
        const { data, dims } = outputs[OUTPUT];
        if (!(data instanceof Float32Array) || dims.length !== 2 || dims[0] !== BATCH || dims[1] !== features)
          throw new ModelRejected(model, `its ${OUTPUT} are [${dims.join(', ')}], not [${BATCH}, ${features}]`);
        scores.set(data.subarray(0, count * features), first * features);
      }
    },
    close: () => session.release(),
  };
}

/** Asks the model its golden samples. @throws ModelRejected naming the first answer that is off. */
async function answerGolden(inference: Inference, manifest: ModelManifest, golden: GoldenSamples): Promise<void> {
  const features = manifest.signal.features.length;
  const size = features * manifest.signal.window.samples;
  const input = manifest.network.input.slice(1).reduce((product, n) => product * n, 1);
  if (input !== size)
    throw new ModelRejected(
      inference.model,
      `its input [${manifest.network.input.join(', ')}] does not hold ${features} features × ${manifest.signal.window.samples} samples`,
    );
  if (golden.windows.length === 0 || golden.windows.length !== golden.scores.length)
    throw new ModelRejected(inference.model, 'it has no golden samples to be tried on');
  for (const [i, window] of golden.windows.entries())
    if (window.length !== size || golden.scores[i].length !== features)
      throw new ModelRejected(inference.model, `golden sample ${i} is not ${features} × ${manifest.signal.window.samples}`);

  const scores = new Float32Array(golden.windows.length * features);
  await inference.predict(Float32Array.from(golden.windows.flat()), golden.windows.length, scores).catch((error: unknown) => {
    if (error instanceof ModelRejected) throw error;
    throw new ModelRejected(inference.model, `it cannot answer: ${firstLine(reasonOf(error))}`, error);
  });
  const wanted = golden.scores.flat();
  for (const [i, score] of scores.entries()) {
    if (Math.abs(score - wanted[i]) <= manifest.golden.tolerance * Math.max(1, Math.abs(wanted[i]))) continue; // NaN fails too
    const feature = manifest.signal.features[i % features].name;
    throw new ModelRejected(
      inference.model,
      `golden sample ${Math.floor(i / features)}, ${feature}: ${score}, not ${wanted[i]} ± ${manifest.golden.tolerance}`,
    );
  }
}

const firstLine = (text: string) => text.split('\n')[0].slice(0, 300);
