/**
 * A trained network as ONNX, opset 17, IR 8, with the error and the threshold inside the graph:
 *
 *   input0 [N, F, T] → Flatten → (Gemm → Tanh)… → Gemm → Reshape [N, F, T] → |· − input0| → mean over T → ÷ thresholds → scores [N, F]
 */
import protobuf from 'protobufjs';
import type { LayeredNetwork } from './layers.ts';
import { onnxSchema } from './onnx-schema.ts';

const FLOAT = 1;
const INT64 = 7;
const ATTRIBUTE_INT = 2;
const ATTRIBUTE_INTS = 7;

/** @param thresholds [features] */
export function exportOnnx(network: LayeredNetwork, features: number, samples: number, thresholds: Float32Array): Uint8Array {
  const initializer: object[] = [];
  const node: object[] = [];
  const tensor = (name: string, dims: number[], values: Float32Array) => {
    initializer.push({ name, dims, dataType: FLOAT, rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) });
    return name;
  };
  const add = (opType: string, input: string[], output: string, attribute: object[] = []) => {
    node.push({ opType, name: output, input, output: [output], attribute });
    return output;
  };

  let x = add('Flatten', ['input0'], 'flat', [{ name: 'axis', type: ATTRIBUTE_INT, i: 1 }]);
  for (const [l, layer] of network.layers.entries()) {
    if (layer.kind !== 'dense') throw new Error(`a ${layer.kind} layer cannot be exported`);
    const { inputs, outputs, weights, bias, activation } = layer;
    x = add('Gemm', [x, tensor(`W${l}`, [outputs, inputs], weights), tensor(`b${l}`, [outputs], bias)], `gemm${l}`, [
      { name: 'transB', type: ATTRIBUTE_INT, i: 1 },
    ]);
    if (activation === 'tanh') x = add('Tanh', [x], `tanh${l}`);
  }
  const shape = BigInt64Array.from([-1n, BigInt(features), BigInt(samples)]);
  initializer.push({ name: 'shape', dims: [3], dataType: INT64, rawData: new Uint8Array(shape.buffer) });
  add('Reshape', [x, 'shape'], 'reconstruction');
  add('Sub', ['reconstruction', 'input0'], 'difference');
  add('Abs', ['difference'], 'absolute');
  add('ReduceMean', ['absolute'], 'error', [
    { name: 'axes', type: ATTRIBUTE_INTS, ints: [2] },
    { name: 'keepdims', type: ATTRIBUTE_INT, i: 0 },
  ]);
  add('Div', ['error', tensor('thresholds', [features], thresholds)], 'scores');

  const value = (name: string, dims: number[]) => ({
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: [{ dimParam: 'N' }, ...dims.map((dimValue) => ({ dimValue }))] } } },
  });
  const Model = protobuf.Root.fromJSON(onnxSchema).lookupType('onnx.ModelProto');
  return Model.encode(
    Model.fromObject({
      irVersion: 8,
      producerName: 'windfleet',
      opsetImport: [{ domain: '', version: 17 }],
      graph: {
        name: 'autoencoder',
        node,
        initializer,
        input: [value('input0', [features, samples])],
        output: [value('scores', [features]), value('reconstruction', [features, samples])],
      },
    }),
  ).finish();
}
