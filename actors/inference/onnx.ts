/**
 * ONNX Runtime as an `Engine`: one thread a session, batches of a fixed shape, so that a window's scores depend on nothing but
 * the window. The network's output `scores` is error over threshold, both inside the graph.
 */
import './no-telemetry.ts';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { ModelRejected } from '../contracts/errors.ts';
import { answerGolden } from '../contracts/golden.ts';
import { modelId } from '../contracts/ids.ts';
import type { Engine, Inference } from '../contracts/inference.ts';
import type { ModelManifest } from '../contracts/model.ts';
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
        let input = windows.subarray(first * size, (first + count) * size);
        if (count < BATCH) {
          const padded = new Float32Array(BATCH * size);
          padded.set(input);
          input = padded;
        }
        const outputs = await session.run({ [INPUT]: new Tensor('float32', input, shape) }, [OUTPUT]);
        const { data, dims } = outputs[OUTPUT];
        if (!(data instanceof Float32Array) || dims.length !== 2 || dims[0] !== BATCH || dims[1] !== features)
          throw new ModelRejected(model, `its ${OUTPUT} are [${dims.join(', ')}], not [${BATCH}, ${features}]`);
        scores.set(data.subarray(0, count * features), first * features);
      }
    },
    close: () => session.release(),
  };
}
