/** ONNX Runtime as a `TensorEngine`: any network, its tensors as bytes, for an agent that serves what it is given. */
import './no-telemetry.ts';
import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { ModelRejected } from '../contracts/errors.ts';
import { BYTES_PER_ELEMENT, type TensorEngine, type TensorModel, type TensorSpec, type TensorType } from '../contracts/inference.ts';
import { openSession } from './session.ts';

export const onnxTensors = (): TensorEngine => ({
  async open(model, network) {
    const session = await openSession(model, network);
    try {
      return tensorModel(session, readSpecs(model, session.inputMetadata), readSpecs(model, session.outputMetadata));
    } catch (error) {
      await session.release();
      throw error;
    }
  },
});

function tensorModel(session: InferenceSession, inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]): TensorModel {
  const names = outputs.map(({ name }) => name);
  return {
    inputs,
    outputs,
    async run(values) {
      const feeds = Object.fromEntries(
        values.map(({ name, type, shape, bytes }) => [name, new Tensor(type, elements(type, bytes), shape) as Tensor]),
      );
      const results = await session.run(feeds, names);
      return outputs.map(({ name, type }) => {
        const { data, dims } = results[name];
        const view = data as Float32Array;
        return { name, type, shape: dims, bytes: new Uint8Array(view.buffer, view.byteOffset, view.byteLength) };
      });
    },
    close: () => session.release(),
  };
}

/** The bytes as the array that the runtime wants, in memory of their own: they may come unaligned. */
function elements(type: TensorType, bytes: Uint8Array): Float32Array {
  const { buffer } = new Uint8Array(bytes); // `slice` of a Buffer is no copy
  const kind = {
    uint8: Uint8Array,
    int16: Int16Array,
    int32: Int32Array,
    int64: BigInt64Array,
    float16: halfFloats,
    float32: Float32Array,
    float64: Float64Array,
  }[type];
  return new kind(buffer as ArrayBuffer) as unknown as Float32Array; // the runtime's types name one pair at a time
}

/** The runtime takes the language's own half floats where there are any, and their bits where there are none. */
const halfFloats = (globalThis as { Float16Array?: typeof Uint16Array }).Float16Array ?? Uint16Array;

const isTensorType = (type: string): type is TensorType => Object.hasOwn(BYTES_PER_ELEMENT, type);

function readSpecs(model: string, metadata: readonly InferenceSession.ValueMetadata[]): TensorSpec[] {
  return metadata.map((value) => {
    const { name } = value;
    if (!value.isTensor) throw new ModelRejected(model, `its ${name} is no tensor`);
    if (name.includes('\uFFFD')) throw new ModelRejected(model, `a tensor has a name that is not UTF-8: ${JSON.stringify(name)}`);
    if (!isTensorType(value.type)) throw new ModelRejected(model, `its ${name} is of ${value.type}, which cannot be sent`);
    return { name, type: value.type, shape: value.shape.map((size) => (typeof size === 'number' && size > 0 ? size : null)) };
  });
}
