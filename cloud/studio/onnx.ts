/**
 * A trained network as ONNX, opset 17, IR 8, with the error and the threshold inside the graph:
 *
 *   input0 [N, F, T] or [N, C, H, W] → layers → reconstruction, in the input's shape → scores [N, F]
 */
import { writeOnnx } from '../../actors/onnx/write.ts';
import type { Activation, ConvLayer, ConvTransposeLayer, DenseLayer, Image, LayeredNetwork } from './layers.ts';
import { addFloats, addIntegers, addNode, batchedValue, emptyGraph, type Graph, modelOf } from './onnx-graph.ts';
import { appendScores, INPUT, RECONSTRUCTION } from './onnx-scores.ts';
import { optimise } from './onnx-passes.ts';

/**
 * @param thresholds [features]; the features are the first side of the input's shape
 * @param form `as-trained` keeps each layer as it is; `convolutions` writes a transposed convolution of stride 1 as a plain one
 */
export function exportOnnx(
  network: LayeredNetwork,
  thresholds: Float32Array,
  form: 'as-trained' | 'convolutions' = 'convolutions',
): Uint8Array {
  if (network.layers.length === 0 || thresholds.length !== network.input[0])
    throw new Error(`${network.layers.length} layers, ${thresholds.length} thresholds for [${network.input.join(', ')}]`);
  const graph = emptyGraph();
  graph.inputs = [batchedValue(INPUT, network.input)];
  let value = { name: INPUT, shape: network.input };
  for (const [l, layer] of network.layers.entries())
    value = layer.kind === 'dense' ? addDense(graph, layer, value, l) : addConvolution(graph, layer, value, l);
  const { nodes } = graph;
  // Whatever made the last value, its result carries the output's name.
  if (value.shape.join() !== network.input.join()) shaped(graph, value, network.input, RECONSTRUCTION);
  else nodes.push({ ...nodes.pop(), output: [RECONSTRUCTION], name: RECONSTRUCTION });
  appendScores(graph, RECONSTRUCTION, network.input, thresholds);
  if (form === 'convolutions') optimise(graph);
  return writeOnnx(modelOf(graph));
}

interface Value {
  readonly name: string;
  /** Without the batch. */
  readonly shape: readonly number[];
}

function addDense(graph: Graph, { inputs, outputs, weights, bias, activation }: DenseLayer, value: Value, l: number): Value {
  const flat =
    value.shape.length === 1
      ? value.name
      : addNode(graph, 'Flatten', [value.name], value.name === INPUT ? 'flat' : `flat${l}`, { axis: 1 });
  const w = addFloats(graph, `W${l}`, [outputs, inputs], weights);
  const b = addFloats(graph, `b${l}`, [outputs], bias);
  const name = addNode(graph, 'Gemm', [flat, w, b], `gemm${l}`, { transB: 1 });
  return { name: addActivation(graph, activation, name, l), shape: [outputs] };
}

function addConvolution(graph: Graph, layer: ConvLayer | ConvTransposeLayer, value: Value, l: number): Value {
  const { input, output, kernel, stride, pad, weights, bias, activation } = layer;
  const x = shaped(graph, value, sidesOf(input), `image${l}`);
  const isTransposed = layer.kind === 'conv-transpose';
  const [from, to] = isTransposed ? [input, output] : [output, input];
  const w = addFloats(graph, `W${l}`, [from.channels, to.channels, ...kernel], weights);
  const b = addFloats(graph, `b${l}`, [output.channels], bias);
  const attributes = { kernel_shape: kernel, strides: stride, pads: [...pad, ...pad] };
  // Where the stride does not come out even, a transposed convolution may answer one of several lengths: the layer's own is meant.
  const more = [output.height, output.width].map((n, d) => n - (([input.height, input.width][d] - 1) * stride[d] + kernel[d] - 2 * pad[d]));
  const name = isTransposed
    ? addNode(graph, 'ConvTranspose', [x, w, b], `deconv${l}`, {
        ...attributes,
        ...(more.some((n) => n !== 0) && { output_padding: more }),
      })
    : addNode(graph, 'Conv', [x, w, b], `conv${l}`, attributes);
  return { name: addActivation(graph, activation, name, l), shape: sidesOf(output) };
}

const sidesOf = ({ channels, height, width }: Image) => [channels, height, width];

function addActivation(graph: Graph, activation: Activation, name: string, l: number): string {
  if (activation === 'none') return name;
  return activation === 'relu' ? addNode(graph, 'Relu', [name], `relu${l}`) : addNode(graph, 'Tanh', [name], `tanh${l}`);
}

/** The value in another shape of as many numbers. @returns its name */
function shaped(graph: Graph, { name, shape }: Value, wanted: readonly number[], as: string): string {
  if (shape.join() === wanted.join()) return name;
  return addNode(graph, 'Reshape', [name, addIntegers(graph, `${as}_shape`, [-1, ...wanted])], as);
}
