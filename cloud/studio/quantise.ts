/**
 * Weights as int8, an output a scale: w ≈ q · s_o with s_o = max |w_o| / 127, and DequantizeLinear before the product that reads them.
 *
 * Activations stay float32: a scale that follows the batch would make a window's scores depend on its neighbours, and a fixed one would
 * cut off the very excursions that a detector is there for.
 */
import { attributeOf, DATA_TYPES, intAttribute, type OnnxNode, type OnnxTensor, tensorValues } from '../../actors/onnx/model.ts';
import { addFloats, freshName, type Graph, makeNode } from './onnx-graph.ts';

const WORTH_IT = 256; // weights; below that the scales and the node cost more than is saved

/** @returns how many weight tensors are int8 now; biases stay as they are */
export function quantiseWeights(graph: Graph): number {
  const done = new Map<string, string>();
  graph.nodes = graph.nodes.flatMap((node): OnnxNode[] => {
    const [x = '', name = '', ...rest] = node.input ?? [];
    const tensor = graph.tensors.get(name);
    const axis = tensor ? outputAxis(node, tensor) : null;
    if (!tensor || axis === null || (tensor.dims ?? []).reduce((all, n) => all * n, 1) < WORTH_IT) return [node];
    const before = done.get(name);
    if (before !== undefined) return [{ ...node, input: [x, before, ...rest] }];
    const { values, scales } = quantised(tensorValues(tensor), tensor.dims ?? [], axis);
    const stored = freshName(graph, `${name}_int8`);
    graph.tensors.set(stored, { dims: tensor.dims ?? [], dataType: DATA_TYPES.int8, name: stored, rawData: new Uint8Array(values.buffer) });
    const scale = addFloats(graph, freshName(graph, `${name}_scale`), [scales.length], scales);
    const restored = freshName(graph, `${name}_float`);
    done.set(name, restored);
    return [makeNode('DequantizeLinear', [stored, scale], restored, { axis }), { ...node, input: [x, restored, ...rest] }];
  });
  for (const name of done.keys()) if (!graph.nodes.some(({ input = [] }) => input.includes(name))) graph.tensors.delete(name);
  return done.size;
}

/** Along which axis of its weights a product's outputs lie; null for what is none. */
function outputAxis(node: OnnxNode, { dims = [], dataType }: OnnxTensor): number | null {
  if (dataType !== DATA_TYPES.float) return null;
  if (node.opType === 'Conv') return 0;
  if (node.opType === 'ConvTranspose') return intAttribute(node, 'group', 1) === 1 ? 1 : null;
  if (node.opType === 'Gemm') return attributeOf(node, 'transB') && intAttribute(node, 'transB', 0) === 1 ? 0 : 1;
  return node.opType === 'MatMul' && dims.length === 2 ? 1 : null;
}

function quantised(weights: ArrayLike<number>, dims: readonly number[], axis: number) {
  const inner = dims.slice(axis + 1).reduce((all, n) => all * n, 1);
  const outputAt = (i: number) => Math.floor(i / inner) % dims[axis];
  const largest = new Float64Array(dims[axis]);
  for (let i = 0; i < weights.length; i++) largest[outputAt(i)] = Math.max(largest[outputAt(i)], Math.abs(weights[i]));
  const scales = Float32Array.from(largest, (most) => (most > 0 ? most / 127 : 1));
  const values = new Int8Array(weights.length);
  for (let i = 0; i < weights.length; i++) values[i] = Math.max(-127, Math.min(127, Math.round(weights[i] / scales[outputAt(i)])));
  return { values, scales };
}
