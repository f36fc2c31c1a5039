/**
 * ONNX Runtime as an `Engine`: one thread a session, batches of a fixed shape, so that a window's scores depend on nothing but
 * the window. The network's output `scores` is error over threshold, both inside the graph.
 *
 * A farm fills a window or two a tick, and a batch of 64 for them would be nearly all padding: a network that gives the same bits in
 * batches of four, which is tried when it is loaded, is asked few windows so.
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
const SMALL = 4;
const SMALL_UP_TO = 20; // windows; above, one whole batch costs less

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
        return { ...inference, source: { manifest, network, golden } };
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
    throw new ModelRejected(
      model,
      `it is compiled for ${manifest.target}, this is ${arch ?? 'a processor that was not named'}`,
      undefined,
      'manifest.target',
    );
  const session = await openSession(model, network, {
    input: INPUT,
    shape: manifest.network.input,
    outputs: { [OUTPUT]: [-1, manifest.signal.features.length] },
  });
  const whole = onnxInference(session, manifest, BATCH);
  const small = onnxInference(session, manifest, SMALL);
  return (await agree(whole, small, manifest)) ? bothInferences(whole, small, manifest) : whole;
}

/** Whether two shapes of batch give the same scores to the last bit, wherever in its batch a window stands. */
async function agree(whole: Inference, small: Inference, { signal }: ModelManifest): Promise<boolean> {
  const windows = Float32Array.from({ length: BATCH * signal.features.length * signal.window.samples }, (_, i) => 3 * Math.sin(i * i));
  const scores = new Float32Array(BATCH * signal.features.length);
  const others = new Float32Array(scores.length);
  try {
    await whole.predict(windows, BATCH, scores);
    await small.predict(windows, BATCH, others);
    return scores.every((score, i) => Object.is(score, others[i]));
  } catch {
    return false; // one of them cannot be asked so: the golden samples will tell whether the other one can
  }
}

function bothInferences(whole: Inference, small: Inference, { signal }: ModelManifest): Inference {
  const features = signal.features.length;
  const size = features * signal.window.samples;
  return {
    model: whole.model,
    async predict(windows, batch, scores) {
      const few = batch % BATCH <= SMALL_UP_TO ? batch % BATCH : 0; // of the last batch
      const many = batch - few;
      if (many > 0) await whole.predict(windows, many, scores);
      if (few > 0) await small.predict(windows.subarray(many * size), few, scores.subarray(many * features));
    },
    close: () => whole.close(),
  };
}

/** @param size windows a run; the last run is padded */
function onnxInference(session: InferenceSession, manifest: ModelManifest, size: number): Inference {
  const features = manifest.signal.features.length;
  const values = features * manifest.signal.window.samples;
  const model = modelId(manifest.name, manifest.version);
  const shape = [size, ...manifest.network.input.slice(1)];
  const rooms: Float32Array[] = []; // for padding, when nobody else uses them

  return {
    model,
    async predict(windows, batch, scores) {
      for (let first = 0; first < batch; first += size) {
        const count = Math.min(size, batch - first);
        const asked = windows.subarray(first * values, (first + count) * values);
        const room = count < size ? (rooms.pop() ?? new Float32Array(size * values)) : null;
        room?.set(asked);
        room?.fill(0, count * values);
        const outputs = await session.run({ [INPUT]: new Tensor('float32', room ?? asked, shape) }, [OUTPUT]);
        if (room) rooms.push(room);
        const { data, dims } = outputs[OUTPUT];
        if (!(data instanceof Float32Array) || dims.length !== 2 || dims[0] !== size || dims[1] !== features)
          throw new ModelRejected(model, `its ${OUTPUT} are [${dims.join(', ')}], not [${size}, ${features}]`, undefined, 'network.shape');
        scores.set(data.subarray(0, count * features), first * features);
      }
    },
    close: () => session.release(),
  };
}
