/**
 * A network that was trained elsewhere (PyTorch's, say) as one of ours: its input called `input0` with a free batch, and behind its
 * reconstruction the scores. One that has `scores` already keeps them.
 */
import { checkOnnx, outputShape } from '../../actors/onnx/check.ts';
import { OnnxFault, shown } from '../../actors/onnx/fault.ts';
import { DATA_TYPES, type OnnxNode, tensorValues } from '../../actors/onnx/model.ts';
import { writeOnnx } from '../../actors/onnx/write.ts';
import { addIntegers, addNode, batchedValue, freshName, type Graph, modelOf, openGraph } from './onnx-graph.ts';
import { appendScores, INPUT, RECONSTRUCTION, SCORES } from './onnx-scores.ts';

export interface ForeignNetwork {
  /** Of one window, without the batch; its first side is the features. */
  readonly input: readonly number[];
  readonly opset: number;
  /** Whether the error over the threshold is in it already. */
  readonly hasScores: boolean;
  readonly producer: string;
  /** The network with ends like ours, and nothing else changed; of one that has scores, the thresholds are those inside. @param thresholds [features] */
  withScores(thresholds: Float32Array): Uint8Array;
}

/** @throws OnnxFault that says what is wrong with the file, or what its ends must be. */
export function openForeign(bytes: Uint8Array): ForeignNetwork {
  const { model, graph: foreign, opset } = checkOnnx(bytes); // before anything believes what its tensors say
  const graph = openGraph(foreign, opset);
  if (graph.inputs.length !== 1)
    throw new OnnxFault(`it has ${graph.inputs.length} inputs (${graph.inputs.map(({ name = '' }) => shown(name)).join(', ')}), not one`);
  freeBatch(graph);
  rename(graph, graph.inputs[0].name ?? '', INPUT);
  const dims = graph.inputs[0].type?.tensorType?.shape?.dim ?? [];
  const input = dims.slice(1).map(({ dimValue = 0 }) => dimValue);
  if (dims.length < 3 || dims.length > 4 || input.some((n) => !(n > 0)))
    throw new OnnxFault(
      `its input is [${dims.map(({ dimValue, dimParam }) => dimValue || shown(dimParam ?? '?')).join(', ')}]; it must be [N, features, samples] or [N, features, rows, columns]`,
    );
  graph.inputs = [batchedValue(INPUT, input)];

  // As a device will check it, but for the ends.
  const checked = checkOnnx(writeOnnx(modelOf(graph)), { input: INPUT, shape: [-1, ...input], outputs: {} });
  const names = graph.outputs.map(({ name = '' }) => name);
  const hasScores = names.includes(SCORES);
  if (hasScores) expectShape(SCORES, outputShape(checked, SCORES), [-1, input[0]]);
  else reconstructing(graph, names, (name) => outputShape(checked, name), input);
  return {
    input,
    opset,
    hasScores,
    producer:
      [model.producerName, model.producerVersion]
        .filter(Boolean)
        .map((text) => shown(text ?? ''))
        .join(' ') || 'unknown',
    withScores(thresholds) {
      const own: Graph = { ...graph, nodes: [...graph.nodes], tensors: new Map(graph.tensors) };
      if (!hasScores) appendScores(own, RECONSTRUCTION, input, thresholds);
      return writeOnnx(modelOf(own));
    },
  };
}

/** The one output that has the input's numbers is the reconstruction. */
function reconstructing(graph: Graph, names: readonly string[], shapeOf: (name: string) => number[], input: readonly number[]): void {
  const count = (shape: readonly number[]) => shape.reduce((all, n) => all * Math.abs(n), 1);
  const fitting = names.filter((name) => count(shapeOf(name)) === count(input));
  if (fitting.length !== 1) {
    const said = names
      .map(
        (name) =>
          `${shown(name)} [${shapeOf(name)
            .map((n) => (n === -1 ? 'N' : n))
            .join(', ')}]`,
      )
      .join(', ');
    throw new OnnxFault(
      `its outputs are ${said}; one must be ${SCORES} [N, ${input[0]}], or a reconstruction of the input [N, ${input.join(', ')}]`,
    );
  }
  const [output] = fitting;
  rename(graph, output, RECONSTRUCTION);
  if (shapeOf(output).slice(1).join() === input.join()) return;
  const flat = freshName(graph, 'unshaped');
  rename(graph, RECONSTRUCTION, flat);
  addNode(graph, 'Reshape', [flat, addIntegers(graph, freshName(graph, 'window_shape'), [-1, ...input])], RECONSTRUCTION);
}

function expectShape(name: string, own: readonly number[], wanted: readonly number[]): void {
  if (own.join() !== wanted.join()) throw new OnnxFault(`its output ${name} is [${own.join(', ')}], not [${wanted.join(', ')}]`);
}

/** Gives a value another name wherever it stands; who had that name gets a new one. */
function rename(graph: Graph, from: string, to: string): void {
  if (from === to) return;
  const moved = freshName(graph, `${to}_of_it`);
  const name = (old: string) => (old === from ? to : old === to ? moved : old);
  graph.nodes = graph.nodes.map(
    (node): OnnxNode => ({ ...node, input: (node.input ?? []).map(name), output: (node.output ?? []).map(name) }),
  );
  for (const [key, tensor] of [...graph.tensors])
    if (name(key) !== key) {
      graph.tensors.delete(key);
      graph.tensors.set(name(key), { ...tensor, name: name(key) });
    }
  graph.inputs = graph.inputs.map((value) => ({ ...value, name: name(value.name ?? '') }));
  graph.outputs = graph.outputs.map((value) => ({ ...value, name: name(value.name ?? '') }));
}

/**
 * A batch that was fixed when the network was written (PyTorch without dynamic_axes) is set free: of the input, and of every Reshape
 * whose stored shape leads with it. Whether the batch then comes through to the outputs is checked by following the shapes.
 */
function freeBatch(graph: Graph): void {
  const dim = graph.inputs[0].type?.tensorType?.shape?.dim ?? [];
  const fixed = dim[0]?.dimValue ?? 0;
  if (fixed === 0) return;
  const stored = new Map(graph.tensors);
  for (const node of graph.nodes) {
    const tensor = node.opType === 'Constant' ? node.attribute?.find(({ name }) => name === 'value')?.t : undefined;
    if (tensor && node.output?.[0] !== undefined) stored.set(node.output[0], tensor);
  }
  graph.nodes = graph.nodes.map((node) => {
    const [data = '', shape = ''] = node.input ?? [];
    const tensor = stored.get(shape);
    if (node.opType !== 'Reshape' || !tensor || tensor.dataType !== DATA_TYPES.int64) return node;
    const [first, ...rest] = tensorValues(tensor);
    // 0 takes the side from the value that is reshaped, which leads with the batch.
    return first === fixed ? { ...node, input: [data, addIntegers(graph, freshName(graph, `${shape}_free`), [0, ...rest])] } : node;
  });
}
