/**
 * Transposed convolutions of stride 1 as plain ones. With kernel k and padding p,
 *
 *   y[o, j] = Σ_c Σ_t x[c, j + p − t] · w[c, o, t]   is   Conv with w′[o, c, t] = w[c, o, k − 1 − t] and padding k − 1 − p.
 *
 * A padding below zero is a crop of the input. Where that input comes out of a convolution of stride 1, it need not be made at all:
 * that one's padding shrinks by the crop.
 */
import { intAttribute, type OnnxNode, tensorValues } from '../../actors/onnx/model.ts';
import { addFloats, addIntegers, freshName, type Graph, intsOf, makeNode, producerOf, readersOf } from './onnx-graph.ts';

export function asConvolutions(graph: Graph): number {
  let count = 0;
  graph.nodes = graph.nodes.flatMap((node): OnnxNode[] => {
    const rewritten = node.opType === 'ConvTranspose' ? asConvolution(graph, node) : null;
    if (rewritten) count++;
    return rewritten ?? [node];
  });
  return count;
}

/** Null when it is not of stride 1, of one group, with stored weights. */
function asConvolution(graph: Graph, node: OnnxNode): OnnxNode[] | null {
  const [x, weights, bias] = node.input ?? [];
  const [y] = node.output ?? [];
  const tensor = graph.tensors.get(weights);
  const [inputs, outputs, ...kernel] = tensor?.dims ?? [];
  const rank = kernel.length;
  const ones = kernel.map(() => 1);
  const zeros = kernel.map(() => 0);
  const isPlain =
    intsOf(node, 'strides', ones).every((n) => n === 1) &&
    intsOf(node, 'dilations', ones).every((n) => n === 1) &&
    intsOf(node, 'output_padding', zeros).every((n) => n === 0) &&
    intAttribute(node, 'group', 1) === 1;
  if (!tensor || !isPlain || rank === 0) return null;

  const flipped = addFloats(
    graph,
    freshName(graph, `${weights}_flipped`),
    [outputs, inputs, ...kernel],
    flip(tensorValues(tensor), inputs, outputs, kernel),
  );
  const pads = intsOf(node, 'pads', [...zeros, ...zeros]).map((p, i) => kernel[i % rank] - 1 - p);
  const crops = pads.map((p) => Math.max(0, -p));
  const conv = (from: string) =>
    makeNode('Conv', [from, flipped, ...(bias ? [bias] : [])], y, {
      kernel_shape: kernel,
      strides: ones,
      pads: pads.map((p) => Math.max(0, p)),
    });
  if (crops.every((n) => n === 0)) return [conv(x)];
  const cropped = freshName(graph, `${y}_cropped`);
  return [cropNode(graph, x, cropped, crops), conv(cropped)];
}

/** A Slice that takes so much off every side; ends count from the back. @param crops before each axis, then after each */
function cropNode(graph: Graph, x: string, name: string, crops: readonly number[]): OnnxNode {
  const rank = crops.length / 2;
  const to = crops.slice(rank).map((n) => (n === 0 ? Number.MAX_SAFE_INTEGER : -n));
  const starts = addIntegers(graph, freshName(graph, `${name}_starts`), crops.slice(0, rank));
  const ends = addIntegers(graph, freshName(graph, `${name}_ends`), to);
  const axes = addIntegers(
    graph,
    freshName(graph, `${name}_axes`),
    to.map((_, d) => d + 2),
  );
  return makeNode('Slice', [x, starts, ends, axes], name);
}

/** [inputs × outputs × kernel] → [outputs × inputs × kernel], every kernel turned end to end. */
function flip(weights: ArrayLike<number>, inputs: number, outputs: number, kernel: readonly number[]): Float32Array {
  const size = kernel.reduce((all, n) => all * n, 1);
  const flipped = new Float32Array(weights.length);
  for (let c = 0; c < inputs; c++)
    for (let o = 0; o < outputs; o++)
      for (let t = 0; t < size; t++) flipped[(o * inputs + c) * size + (size - 1 - t)] = weights[(c * outputs + o) * size + t];
  return flipped;
}

const POINTWISE = ['Relu', 'LeakyRelu', 'Elu', 'Selu', 'Tanh', 'Sigmoid', 'Softplus', 'Clip'];

/** A crop of what a convolution of stride 1 made, a pointwise activation between them or not, becomes a smaller padding of that one. */
export function cropWhereMade(graph: Graph): number {
  let count = 0;
  for (const slice of graph.nodes.filter((node) => node.opType === 'Slice')) {
    const crops = cropsOf(graph, slice);
    const conv = crops && convolutionBehind(graph, slice.input?.[0] ?? '');
    if (!crops || !conv) continue;
    const pads = intsOf(
      conv,
      'pads',
      crops.map(() => 0),
    );
    if (pads.length !== crops.length || pads.some((p, i) => p < crops[i])) continue;
    const [uncropped, cropped] = [slice.input?.[0], slice.output?.[0]];
    graph.nodes = graph.nodes
      .filter((node) => node !== slice)
      .map((node) => {
        if (node === conv)
          return withPads(
            node,
            pads.map((p, i) => p - crops[i]),
          );
        return { ...node, input: (node.input ?? []).map((name) => (name === cropped && uncropped !== undefined ? uncropped : name)) };
      });
    count++;
  }
  return count;
}

const withPads = (node: OnnxNode, pads: readonly number[]): OnnxNode => ({
  ...node,
  attribute: (node.attribute ?? []).map((attribute) => (attribute.name === 'pads' ? { ...attribute, ints: pads } : attribute)),
});

/** Before each spatial axis, then after each; null for a Slice that is something else. */
function cropsOf(graph: Graph, slice: OnnxNode): number[] | null {
  const [, ...names] = slice.input ?? [];
  const lists = names.map((name) => graph.tensors.get(name)).map((tensor) => (tensor ? [...tensorValues(tensor)] : null));
  const [starts, ends, axes] = lists;
  if (lists.length !== 3 || !starts || !ends || !axes || axes.some((a, d) => a !== d + 2)) return null;
  const after = ends.map((n) => (n >= Number.MAX_SAFE_INTEGER ? 0 : -n));
  return [...starts, ...after].some((n) => n < 0) ? null : [...starts, ...after];
}

/** The convolution of stride 1 that made a value which nobody else reads. */
function convolutionBehind(graph: Graph, value: string): OnnxNode | null {
  const node = readersOf(graph, value) === 1 ? producerOf(graph, value) : undefined;
  if (!node) return null;
  if (POINTWISE.includes(node.opType ?? '')) return convolutionBehind(graph, node.input?.[0] ?? '');
  return node.opType === 'Conv' && intsOf(node, 'strides', []).every((n) => n === 1) && node.attribute?.some((a) => a.name === 'pads')
    ? node
    : null;
}
