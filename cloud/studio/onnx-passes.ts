/**
 * What may be rewritten in a network's graph without changing its answers, in ONNX's own operators only: the result runs wherever ONNX
 * does. ONNX Runtime's own optimiser could write its graph to a file too, but in operators of its vendor's domain and in layouts of
 * the processor that it ran on; it does that work again at every load anyway.
 */
import { BATCH } from '../../actors/onnx/check.ts';
import { attributeOf, type OnnxNode } from '../../actors/onnx/model.ts';
import { inferShapes } from '../../actors/onnx/shapes.ts';
import { asConvolutions, cropWhereMade } from './onnx-convolutions.ts';
import { addIntegers, freshName, type Graph, readersOf } from './onnx-graph.ts';
import { fuseBias, fuseNormalisation } from './onnx-fusions.ts';

/** What was done, by pass: how many places. */
export type Done = ReadonlyMap<string, number>;

const PASSES: readonly (readonly [string, (graph: Graph) => number])[] = [
  ['constants stored', storeConstants],
  ['idle nodes dropped', dropIdle],
  ['shapes folded', foldShapes],
  ['normalisations fused', fuseNormalisation],
  ['biases fused', fuseBias],
  ['transposed convolutions made plain', asConvolutions],
  ['crops moved to where values are made', cropWhereMade],
  ['unread values dropped', sweep],
];

/** Rewrites the graph in place. */
export function optimise(graph: Graph): Done {
  return new Map(PASSES.map(([name, pass]) => [name, pass(graph)]));
}

/** Constant nodes become initialisers. */
function storeConstants(graph: Graph): number {
  const before = graph.nodes.length;
  graph.nodes = graph.nodes.filter((node) => {
    const [name] = node.output ?? [];
    const tensor = attributeOf(node, 'value')?.t;
    if (node.opType !== 'Constant' || name === undefined || !tensor) return true;
    graph.tensors.set(name, { ...tensor, name });
    return false;
  });
  return before - graph.nodes.length;
}

/** Identity, and Dropout, which does nothing but in training. */
function dropIdle(graph: Graph): number {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const idle = graph.nodes.filter(
    ({ opType, output = [], input = [] }) =>
      (opType === 'Identity' || opType === 'Dropout') &&
      !outputs.has(output[0]) &&
      output.slice(1).every((name) => readersOf(graph, name) === 0) &&
      input[0] !== undefined,
  );
  const instead = new Map(idle.map(({ input = [], output = [] }) => [output[0], input[0]]));
  const root = (name: string): string => {
    const other = instead.get(name);
    return other === undefined ? name : root(other);
  };
  graph.nodes = graph.nodes.filter((node) => !idle.includes(node)).map((node) => ({ ...node, input: (node.input ?? []).map(root) }));
  return idle.length;
}

/** A shape that is computed from the batch (Shape, Gather, Concat) becomes the constant that it always is: its side that varies is −1. */
function foldShapes(graph: Graph): number {
  const known = (batch: number) =>
    inferShapes(
      { node: graph.nodes, initializer: [...graph.tensors.values()] },
      new Map(graph.inputs.map(({ name = '', type }) => [name, batched(type?.tensorType?.shape?.dim ?? [], batch)])),
      batch,
    ).values;
  const [one, other] = [known(BATCH), known(BATCH + 1)];
  let folded = 0;
  graph.nodes = graph.nodes.map((node): OnnxNode => {
    const [data, shape] = node.input ?? [];
    if (node.opType !== 'Reshape' || shape === undefined || graph.tensors.has(shape)) return node;
    const [a, b] = [one, other].map((values) => values.get(node.output?.[0] ?? '')?.dims ?? []);
    const fixed = a.map((n, d) => (n === b[d] ? n : -1));
    if (fixed.filter((n) => n === -1).length > 1) return node;
    folded++;
    return { ...node, input: [data, addIntegers(graph, freshName(graph, `${shape}_fixed`), fixed)] };
  });
  return folded;
}

const batched = (dims: readonly { readonly dimValue?: number }[], batch: number) => [
  batch,
  ...dims.slice(1).map((dim) => dim.dimValue ?? 1),
];

/** What leads to no output goes, nodes and tensors. */
function sweep(graph: Graph): number {
  const wanted = new Set(graph.outputs.map(({ name = '' }) => name));
  const kept: OnnxNode[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!(node.output ?? []).some((name) => wanted.has(name))) continue;
    kept.unshift(node);
    for (const name of node.input ?? []) wanted.add(name);
  }
  const unread = [...graph.tensors.keys()].filter((name) => !wanted.has(name));
  const dropped = graph.nodes.length - kept.length + unread.length;
  graph.nodes = kept;
  for (const name of unread) graph.tensors.delete(name);
  return dropped;
}
