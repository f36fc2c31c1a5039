/** An ONNX graph while it is built or rewritten: nodes in the order in which they run, stored tensors by name. */
import {
  ATTRIBUTE_TYPES,
  attributeOf,
  DATA_TYPES,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from '../../actors/onnx/model.ts';

export interface Graph {
  nodes: OnnxNode[];
  readonly tensors: Map<string, OnnxTensor>;
  inputs: OnnxValue[];
  outputs: OnnxValue[];
  opset: number;
}

export const OPSET = 17;
export const IR = 8;

/** The file format that an operator set came with. */
export const irOf = (opset: number): number => (opset <= 18 ? IR : opset <= 20 ? 9 : 10);

export const emptyGraph = (): Graph => ({ nodes: [], tensors: new Map(), inputs: [], outputs: [], opset: OPSET });

export function openGraph({ node = [], initializer = [], input = [], output = [] }: OnnxGraph, opset: number): Graph {
  const tensors = new Map(initializer.map((tensor) => [tensor.name ?? '', tensor]));
  return {
    nodes: [...node],
    tensors,
    inputs: input.filter(({ name = '' }) => !tensors.has(name)), // before IR 4 initialisers were inputs too
    outputs: [...output],
    opset,
  };
}

/** The same graph always gives the same model. */
export function modelOf(graph: Graph): OnnxModel {
  return {
    irVersion: irOf(graph.opset),
    producerName: 'windfleet',
    graph: {
      node: graph.nodes,
      name: 'autoencoder',
      initializer: [...graph.tensors.values()],
      input: graph.inputs,
      output: graph.outputs,
    },
    opsetImport: [{ domain: '', version: graph.opset }],
  };
}

/** @param dims without the batch */
export const batchedValue = (name: string, dims: readonly number[]): OnnxValue => ({
  name,
  type: { tensorType: { elemType: DATA_TYPES.float, shape: { dim: [{ dimParam: 'N' }, ...dims.map((dimValue) => ({ dimValue }))] } } },
});

type Attributes = Readonly<Record<string, number | readonly number[]>>;

/** Appends a node that is named for what it makes. Numbers become integer attributes. @returns the name */
export function addNode(graph: Graph, opType: string, input: readonly string[], output: string, attributes: Attributes = {}): string {
  graph.nodes.push(makeNode(opType, input, output, attributes));
  return output;
}

export const makeNode = (opType: string, input: readonly string[], output: string, attributes: Attributes = {}): OnnxNode => ({
  input,
  output: [output],
  name: output,
  opType,
  attribute: Object.entries(attributes).map(
    ([name, value]): OnnxAttribute =>
      typeof value === 'number' ? { name, i: value, type: ATTRIBUTE_TYPES.int } : { name, ints: value, type: ATTRIBUTE_TYPES.ints },
  ),
});

/** @returns the name */
export function addFloats(graph: Graph, name: string, dims: readonly number[], values: Float32Array): string {
  const rawData = new Uint8Array(4 * values.length);
  const view = new DataView(rawData.buffer);
  for (const [i, value] of values.entries()) view.setFloat32(4 * i, value, true);
  graph.tensors.set(name, { dims, dataType: DATA_TYPES.float, name, rawData });
  return name;
}

/** @returns the name */
export function addIntegers(graph: Graph, name: string, values: readonly number[]): string {
  const rawData = new Uint8Array(8 * values.length);
  const view = new DataView(rawData.buffer);
  for (const [i, value] of values.entries()) view.setBigInt64(8 * i, BigInt(value), true);
  graph.tensors.set(name, { dims: [values.length], dataType: DATA_TYPES.int64, name, rawData });
  return name;
}

/** A name that nothing in the graph has yet. */
export function freshName(graph: Graph, stem: string): string {
  const taken = new Set([...graph.tensors.keys(), ...graph.nodes.flatMap(({ output = [] }) => output), ...graph.inputs.map((v) => v.name)]);
  if (!taken.has(stem)) return stem;
  for (let i = 1; ; i++) if (!taken.has(`${stem}_${i}`)) return `${stem}_${i}`;
}

export const producerOf = (graph: Graph, name: string): OnnxNode | undefined =>
  graph.nodes.find(({ output = [] }) => output.includes(name));

/** How many nodes and outputs read a value. */
export const readersOf = (graph: Graph, name: string): number =>
  graph.nodes.reduce((sum, { input = [] }) => sum + input.filter((other) => other === name).length, 0) +
  graph.outputs.filter((output) => output.name === name).length;

export const intsOf = (node: OnnxNode, name: string, otherwise: readonly number[]): readonly number[] =>
  attributeOf(node, name)?.ints ?? otherwise;
