/** Two nodes that are one: a normalisation with fixed statistics inside the weights before it, an added bias inside its product. */
import { attributeOf, intAttribute, type OnnxNode, type OnnxTensor, tensorValues } from '../../actors/onnx/model.ts';
import { addFloats, freshName, type Graph, makeNode, producerOf, readersOf } from './onnx-graph.ts';

/** BatchNormalization y = (x − mean) / √(var + ε) · scale + shift after Conv, ConvTranspose or Gemm: both are linear. */
export function fuseNormalisation(graph: Graph): number {
  let count = 0;
  for (const node of graph.nodes.filter(({ opType }) => opType === 'BatchNormalization')) {
    const [x = '', ...names] = node.input ?? [];
    const before = readersOf(graph, x) === 1 ? producerOf(graph, x) : undefined;
    const statistics = names.map((name) => graph.tensors.get(name)).flatMap((tensor) => (tensor ? [tensorValues(tensor)] : []));
    const weights = graph.tensors.get(before?.input?.[1] ?? '');
    const layout = before && weights ? layoutOf(before, weights) : null;
    if (!before || !weights || !layout || statistics.length !== 4) continue;
    const stored = before.input?.[2] === undefined ? null : graph.tensors.get(before.input[2]);
    if (stored === undefined) continue; // a bias that is computed
    const [scale, shift, mean, variance] = statistics;
    const said = attributeOf(node, 'epsilon');
    const epsilon = said ? (said.f ?? 0) : 1e-5;
    const factor = Float64Array.from(scale, (s, o) => s / Math.sqrt(variance[o] + epsilon));
    const old = tensorValues(weights);
    const bias = stored ? tensorValues(stored) : new Float32Array(factor.length);
    if (layout.outputs !== factor.length || bias.length !== factor.length) continue;
    const w = addFloats(
      graph,
      freshName(graph, `${weights.name}_scaled`),
      weights.dims ?? [],
      Float32Array.from(old, (v, i) => v * factor[layout.outputAt(i)]),
    );
    const b = addFloats(
      graph,
      freshName(graph, `${weights.name}_shifted`),
      [factor.length],
      Float32Array.from(factor, (f, o) => (bias[o] - mean[o]) * f + shift[o]),
    );
    const output = [node.output?.[0] ?? ''];
    graph.nodes = graph.nodes
      .filter((other) => other !== node)
      .map((other) => (other === before ? { ...before, input: [before.input?.[0] ?? '', w, b], output } : other));
    count++;
  }
  return count;
}

interface Layout {
  readonly outputs: number;
  /** Which output a weight belongs to. */
  readonly outputAt: (i: number) => number;
}

function layoutOf({ opType, ...node }: OnnxNode, { dims = [] }: OnnxTensor): Layout | null {
  const inner = dims.slice(1).reduce((all, n) => all * n, 1);
  if (opType === 'Conv') return { outputs: dims[0], outputAt: (i) => Math.floor(i / inner) };
  if (opType === 'ConvTranspose' && intAttribute(node, 'group', 1) === 1)
    return { outputs: dims[1], outputAt: (i) => Math.floor(i / (inner / dims[1])) % dims[1] };
  if (opType === 'Gemm' && intAttribute(node, 'transA', 0) === 0 && !attributeOf(node, 'alpha') && !attributeOf(node, 'beta'))
    return intAttribute(node, 'transB', 0) === 1
      ? { outputs: dims[0], outputAt: (i) => Math.floor(i / inner) }
      : { outputs: dims[1], outputAt: (i) => i % dims[1] };
  return null;
}

/** MatMul by a stored matrix and then Add of a stored vector is Gemm, where the values are a batch of rows. */
export function fuseBias(graph: Graph): number {
  let count = 0;
  for (const add of graph.nodes.filter(({ opType }) => opType === 'Add')) {
    const [one = '', other = ''] = add.input ?? [];
    const [product, bias] = graph.tensors.has(one) ? [other, one] : [one, other];
    const before = readersOf(graph, product) === 1 ? producerOf(graph, product) : undefined;
    const weights = graph.tensors.get(before?.input?.[1] ?? '')?.dims ?? [];
    const vector = graph.tensors.get(bias)?.dims ?? [];
    const isRows = isBatchOfRows(graph, before?.input?.[0] ?? '');
    if (before?.opType !== 'MatMul' || !isRows || weights.length !== 2 || vector.length !== 1 || vector[0] !== weights[1]) continue;
    const [x = '', w = ''] = before.input ?? [];
    graph.nodes = graph.nodes
      .filter((node) => node !== add)
      .map((node) => (node === before ? makeNode('Gemm', [x, w, bias], add.output?.[0] ?? '') : node));
    count++;
  }
  return count;
}

/** Whether what made the value makes two dimensions. */
function isBatchOfRows(graph: Graph, value: string): boolean {
  const node = producerOf(graph, value);
  if (node?.opType === 'Flatten' || node?.opType === 'Gemm') return true;
  if (node?.opType === 'Reshape') return graph.tensors.get(node.input?.[1] ?? '')?.dims?.[0] === 2;
  return ['Relu', 'Tanh', 'Sigmoid', 'LeakyRelu', 'Elu'].includes(node?.opType ?? '') && isBatchOfRows(graph, node?.input?.[0] ?? '');
}
