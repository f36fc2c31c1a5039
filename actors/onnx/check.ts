/**
 * Whether an ONNX file may be handed to ONNX Runtime: read strictly, within the limits, every operator known, every shape followed
 * from the input to the outputs. No file is opened, no memory is taken by what a tensor only claims to be.
 */
import { OnnxFault, shown } from './fault.ts';
import { EXTERNAL } from './fields.ts';
import { LIMITS } from './limits.ts';
import {
  ATTRIBUTE_TYPES,
  DATA_TYPES,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  type OnnxValue,
} from './model.ts';
import { readOnnx } from './read.ts';
import { type GraphShapes, inferShapes } from './shapes.ts';

/** The batch that shapes are followed with; engines run the same. */
export const BATCH = 64;

export interface CheckedOnnx extends GraphShapes {
  readonly model: OnnxModel;
  readonly graph: OnnxGraph;
  readonly opset: number;
  readonly ir: number;
}

/** What a manifest says of its network's ends; the batch comes first, as −1. */
export interface ExpectedEnds {
  /** Its only input. */
  readonly input: string;
  readonly shape: readonly number[];
  /** By name; other outputs may be there too. */
  readonly outputs: Readonly<Record<string, readonly number[]>>;
}

/**
 * @param expected absent for a network of any inputs and outputs
 * @throws OnnxFault in words
 */
export function checkOnnx(bytes: Uint8Array, expected?: ExpectedEnds): CheckedOnnx {
  const model = readOnnx(bytes);
  const graph = model.graph ?? {};
  const ir = model.irVersion ?? 0;
  const [oldest, newest] = LIMITS.irVersions;
  if (ir < oldest || ir > newest) throw new OnnxFault(`its IR version is ${ir}; ${oldest} to ${newest} are read`, 'network.operator');
  const opset = opsetOf(model);
  const stored = new Set((graph.initializer ?? []).map(({ name = '' }) => name));
  if (stored.size !== (graph.initializer ?? []).length) throw new OnnxFault('two of its initialisers have the same name');
  let elements = 0;
  for (const tensor of graph.initializer ?? []) elements += checkTensor(tensor);
  for (const node of graph.node ?? []) elements += checkNode(node);
  if (elements > LIMITS.elements)
    throw new OnnxFault(`its tensors have ${elements} elements in all; the limit is ${LIMITS.elements}`, 'network.limit');

  const inputs = (graph.input ?? []).filter(({ name = '' }) => !stored.has(name));
  if (expected) checkInput(inputs, expected);
  const shapes = new Map(inputs.map((input) => [input.name ?? '', expected ? [BATCH, ...expected.shape.slice(1)] : declaredShape(input)]));
  const checked = { model, graph, opset, ir, ...inferShapes(graph, shapes, BATCH) };
  for (const [name, shape] of Object.entries(expected?.outputs ?? {})) {
    const own = outputShape(checked, name);
    if (own.join() !== shape.join()) throw new OnnxFault(`its output ${name} is ${sides(own)}, not ${sides(shape)}`, 'network.shape');
  }
  return checked;
}

const sides = (shape: readonly (number | null)[]) => `[${shape.map((n) => (n === -1 || n === null ? 'N' : n)).join(', ')}]`;

/** What an input says of itself, with the batch that engines run; what it leaves open beside that counts as 1. */
function declaredShape({ name = '', type }: OnnxValue): number[] {
  const shape = (type?.tensorType?.shape?.dim ?? []).map(({ dimValue = 0 }, d) => (dimValue > 0 ? dimValue : d === 0 ? BATCH : 1));
  if (shape.length > LIMITS.rank || !(shape.reduce((all, n) => all * n, 1) <= LIMITS.valueElements * BATCH))
    throw new OnnxFault(`its input ${shown(name)} is ${sides(shape)}; ${LIMITS.valueElements} values a window are run`, 'network.limit');
  return shape;
}

/** The shape of an output, the batch first as −1. @throws OnnxFault when there is none of that name, or it does not lead with the batch. */
export function outputShape({ graph, values }: Pick<CheckedOnnx, 'graph' | 'values'>, name: string): number[] {
  const names = (graph.output ?? []).map((output) => output.name ?? '');
  const known = values.get(name);
  if (!names.includes(name) || !known)
    throw new OnnxFault(`it has no output ${name} but ${names.map(shown).join(', ') || 'none'}`, 'network.shape');
  if (known.dims[0] !== BATCH)
    throw new OnnxFault(`its output ${name} is [${known.dims.join(', ')}] for a batch of ${BATCH}`, 'network.shape');
  return [-1, ...known.dims.slice(1)];
}

function opsetOf(model: OnnxModel): number {
  const opsets = model.opsetImport ?? [];
  const foreign = opsets.find(({ domain = '' }) => domain !== '' && domain !== 'ai.onnx');
  if (foreign) throw new OnnxFault(`it imports operators of ${shown(foreign.domain ?? '')}; only ONNX’s own are run`, 'network.operator');
  if (opsets.length !== 1) throw new OnnxFault(`it imports ${opsets.length} operator sets, not one`, 'network.operator');
  const version = opsets[0].version ?? 0;
  const [oldest, newest] = LIMITS.opsets;
  if (version < oldest || version > newest)
    throw new OnnxFault(`its opset is ${version}; ${oldest} to ${newest} are read`, 'network.operator');
  return version;
}

const WIDTHS = new Map<number, number>([
  [DATA_TYPES.float, 4],
  [DATA_TYPES.uint8, 1],
  [DATA_TYPES.int8, 1],
  [DATA_TYPES.int32, 4],
  [DATA_TYPES.int64, 8],
  [DATA_TYPES.bool, 1],
]);

/** @returns how many elements it has, all of them there. */
function checkTensor(tensor: OnnxTensor): number {
  const { name = '', dims = [], dataType = 0, rawData, floatData, int32Data, int64Data, dataLocation = 0 } = tensor;
  const where = `tensor ${shown(name)} [${dims.slice(0, 8).join(', ')}]`;
  if (dataLocation !== 0) throw new OnnxFault(EXTERNAL, 'network.external');
  const width = WIDTHS.get(dataType);
  if (width === undefined)
    throw new OnnxFault(`${where} has type ${dataType}; float32, int8, uint8, int32, int64 and bool are run`, 'network.operator');
  if (dims.length > LIMITS.rank)
    throw new OnnxFault(`${where} has ${dims.length} dimensions; the limit is ${LIMITS.rank}`, 'network.limit');
  if (dims.some((n) => !Number.isSafeInteger(n) || n < 0)) throw new OnnxFault(`${where} has a side that is no count`);
  const elements = dims.reduce((all, n) => all * n, 1);
  if (elements > LIMITS.elements)
    throw new OnnxFault(`${where} has ${elements} elements; the limit is ${LIMITS.elements}`, 'network.limit');
  const raw = rawData ? rawData.length : 0;
  const typed = (dataType === DATA_TYPES.float ? floatData : dataType === DATA_TYPES.int64 ? int64Data : int32Data) ?? [];
  const lists = [floatData, int32Data, int64Data].filter((list) => list !== undefined && list.length > 0).length;
  if (raw > 0 && raw !== elements * width) throw new OnnxFault(`${where} has ${raw} bytes of data, not ${elements * width}`);
  if (raw === 0 && typed.length !== elements) throw new OnnxFault(`${where} has ${typed.length} values, not ${elements}`);
  if (lists > (raw > 0 || elements === 0 ? 0 : 1)) throw new OnnxFault(`${where} keeps its values twice`);
  return elements;
}

function checkNode({ opType = '', domain = '', attribute = [] }: OnnxNode): number {
  if (domain !== '' && domain !== 'ai.onnx')
    throw new OnnxFault(`unknown operator ${shown(domain)}.${shown(opType)}; only ONNX’s own are run`, 'network.operator');
  const names = attribute.map(({ name = '' }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new OnnxFault(`${shown(opType)} says its ${shown(twice)} twice`);
  return attribute.reduce((sum, one) => sum + checkAttribute(opType, one), 0);
}

/** Where each type keeps its value; readers differ in whether they go by the type or by what is there. */
const HELD_IN: ReadonlyMap<number, keyof OnnxAttribute> = new Map([
  [ATTRIBUTE_TYPES.float, 'f'],
  [ATTRIBUTE_TYPES.int, 'i'],
  [ATTRIBUTE_TYPES.string, 's'],
  [ATTRIBUTE_TYPES.tensor, 't'],
  [ATTRIBUTE_TYPES.floats, 'floats'],
  [ATTRIBUTE_TYPES.ints, 'ints'],
  [ATTRIBUTE_TYPES.strings, 'strings'],
]);

/** @returns how many elements it stores */
function checkAttribute(opType: string, attribute: OnnxAttribute): number {
  const held = HELD_IN.get(attribute.type ?? 0);
  const others = [...HELD_IN.values()].filter((field) => field !== held && attribute[field] !== undefined);
  if (held === undefined || others.length > 0)
    throw new OnnxFault(
      `${shown(opType)} has an attribute ${shown(attribute.name ?? '')} that does not hold what its type (${attribute.type ?? 0}) says`,
    );
  return attribute.t ? checkTensor(attribute.t) : 0;
}

function checkInput(inputs: readonly OnnxValue[], { input, shape }: ExpectedEnds): void {
  if (inputs.length !== 1 || inputs[0].name !== input)
    throw new OnnxFault(`its inputs are ${inputs.map(({ name = '' }) => shown(name)).join(', ') || 'none'}, not ${input}`, 'network.shape');
  const tensor = inputs[0].type?.tensorType;
  if (tensor?.elemType !== DATA_TYPES.float)
    throw new OnnxFault(`its input ${input} has type ${tensor?.elemType ?? 0}, not float32`, 'network.operator');
  const dims = (tensor.shape?.dim ?? []).map(({ dimValue = 0, dimParam }) => (dimValue === 0 && dimParam !== undefined ? null : dimValue));
  if (dims.length !== shape.length || dims.slice(1).some((n, d) => n !== null && n !== shape[d + 1]))
    throw new OnnxFault(`its input ${input} is ${sides(dims)}, not ${sides(shape)}`, 'network.shape');
  if (dims[0] !== null && dims[0] !== 0 && dims[0] !== -1)
    throw new OnnxFault(
      `its batch is fixed at ${dims[0]}; export it with a first side that is free (dynamic_axes in PyTorch)`,
      'network.operator',
    );
}
