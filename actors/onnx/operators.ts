/**
 * The operators that a network for a turbine may use, each with the rule that gives its outputs' shapes: what has no rule here is
 * refused, since nobody could say what it would take to run. Shapes after the ONNX operator specification, opsets 7 to 21.
 */
import { OnnxFault } from './fault.ts';
import { attributeOf, DATA_TYPES, intAttribute, type OnnxNode, tensorValues } from './model.ts';

/** A value of the graph for one batch: its shape, its type, and its numbers where they are few and known before it runs. */
export interface Known {
  readonly dims: readonly number[];
  readonly type: number;
  readonly values?: readonly number[];
}

export interface Inferred {
  readonly outputs: readonly Known[];
  /** Multiplications of the whole batch. */
  readonly macs?: number;
}

/** @param inputs in the node's order; null for one that is left out. @throws OnnxFault */
export type Rule = (node: OnnxNode, inputs: readonly (Known | null)[]) => Inferred;

const product = (dims: readonly number[]) => dims.reduce((all, n) => all * n, 1);

const ints = (node: OnnxNode, name: string) => attributeOf(node, name)?.ints;
const text = (node: OnnxNode, name: string) => {
  const s = attributeOf(node, name)?.s;
  return s === undefined ? undefined : Buffer.from(s).toString('latin1');
};

function needed(inputs: readonly (Known | null)[], i: number): Known {
  const known = inputs[i];
  if (!known) throw new OnnxFault(`input ${i} is missing`, 'network.shape');
  return known;
}

/** The numbers of an input that says a shape. */
function numbers(inputs: readonly (Known | null)[], i: number, what: string): readonly number[] {
  const { values } = needed(inputs, i);
  if (!values) throw new OnnxFault(`its ${what} are not constants`, 'network.shape');
  return values;
}

const same: Rule = (_, inputs) => ({ outputs: [{ ...strip(needed(inputs, 0)) }] });
const identity: Rule = (_, inputs) => ({ outputs: [needed(inputs, 0)] });
const strip = ({ dims, type }: Known): Known => ({ dims, type });

const broadcast =
  (of?: (a: number, b: number) => number): Rule =>
  (_, inputs) => {
    const all = inputs.map((_, i) => needed(inputs, i));
    const rank = Math.max(...all.map(({ dims }) => dims.length));
    const dims = Array.from({ length: rank }, (_, d) => {
      const sides = all.map((known) => known.dims[known.dims.length - rank + d] ?? 1);
      const widest = sides.find((n) => n !== 1) ?? 1;
      if (sides.some((n) => n !== 1 && n !== widest))
        throw new OnnxFault(
          `its inputs [${all.map((known) => known.dims.join(', ')).join('] and [')}] do not fit each other`,
          'network.shape',
        );
      return widest;
    });
    const [a, b] = all;
    const known = of && all.length === 2 && a.values && b.values && rank <= 1 && a.type !== DATA_TYPES.float;
    const at = (values: readonly number[], i: number) => values[values.length === 1 ? 0 : i];
    const values = known ? Array.from({ length: product(dims) }, (_, i) => of(at(a.values!, i), at(b.values!, i))) : undefined;
    return { outputs: [{ dims, type: a.type, ...(values && { values }) }] };
  };

const gemm: Rule = (node, inputs) => {
  const [a, b] = [needed(inputs, 0).dims, needed(inputs, 1).dims];
  if (a.length !== 2 || b.length !== 2) throw new OnnxFault(`Gemm of [${a.join(', ')}] and [${b.join(', ')}]`, 'network.shape');
  const [rows, inner] = intAttribute(node, 'transA', 0) ? [a[1], a[0]] : a;
  const [wanted, columns] = intAttribute(node, 'transB', 0) ? [b[1], b[0]] : b;
  if (inner !== wanted) throw new OnnxFault(`its weights [${b.join(', ')}] do not take ${inner} values`, 'network.shape');
  return { outputs: [{ dims: [rows, columns], type: DATA_TYPES.float }], macs: rows * inner * columns };
};

const matmul: Rule = (node, inputs) => {
  const [a, b] = [needed(inputs, 0).dims, needed(inputs, 1).dims];
  if (a.length < 2 || b.length < 2 || a[a.length - 1] !== b[b.length - 2])
    throw new OnnxFault(`MatMul of [${a.join(', ')}] and [${b.join(', ')}]`, 'network.shape');
  const ahead = broadcast()(
    node,
    [a, b].map((dims) => ({ dims: dims.slice(0, -2), type: DATA_TYPES.float })),
  ).outputs[0].dims;
  const dims = [...ahead, a[a.length - 2], b[b.length - 1]];
  return { outputs: [{ dims, type: DATA_TYPES.float }], macs: product(dims) * a[a.length - 1] };
};

/** Kernel, steps and padding of a convolution or a pooling, along each axis. */
export interface Spatial {
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Before and after, by axis. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** SAME_UPPER and SAME_LOWER: the output is the input over the stride, rounded up. */
  readonly isSame: boolean;
}

export function spatialOf(node: OnnxNode, kernel: readonly number[]): Spatial {
  const rank = kernel.length;
  const one = Array.from({ length: rank }, () => 1);
  const pads = ints(node, 'pads') ?? Array.from({ length: 2 * rank }, () => 0);
  const auto = text(node, 'auto_pad') ?? 'NOTSET';
  const spatial = {
    kernel,
    strides: ints(node, 'strides') ?? one,
    dilations: ints(node, 'dilations') ?? one,
    before: pads.slice(0, rank),
    after: pads.slice(rank),
    isSame: auto.startsWith('SAME'),
  };
  for (const [what, list, least] of [
    ['kernel', spatial.kernel, 1],
    ['strides', spatial.strides, 1],
    ['dilations', spatial.dilations, 1],
    ['pads', spatial.before, 0],
    ['pads', spatial.after, 0],
  ] as const)
    if (list.length !== rank || list.some((n) => !Number.isInteger(n) || n < least || n > 4096))
      throw new OnnxFault(`its ${what} are [${list.join(', ')}]`, 'network.shape');
  return spatial;
}

/** An output's length: ⌊(n + before + after − dilation·(kernel − 1) − 1) / stride⌋ + 1 */
function slid(dims: readonly number[], s: Spatial, roundUp: boolean): number[] {
  return dims.map((n, d) => {
    if (s.isSame) return Math.ceil(n / s.strides[d]);
    const span = (n + s.before[d] + s.after[d] - s.dilations[d] * (s.kernel[d] - 1) - 1) / s.strides[d];
    return (roundUp ? Math.ceil(span) : Math.floor(span)) + 1;
  });
}

const conv: Rule = (node, inputs) => {
  const [x, w] = [needed(inputs, 0).dims, needed(inputs, 1).dims];
  const group = intAttribute(node, 'group', 1);
  if (x.length < 3 || w.length !== x.length || x[1] !== w[1] * group)
    throw new OnnxFault(`its weights [${w.join(', ')}] do not fit an input [${x.join(', ')}]`, 'network.shape');
  const dims = [x[0], w[0], ...slid(x.slice(2), spatialOf(node, w.slice(2)), false)];
  return { outputs: [{ dims, type: DATA_TYPES.float }], macs: product(dims) * product(w.slice(1)) };
};

const convTranspose: Rule = (node, inputs) => {
  const [x, w] = [needed(inputs, 0).dims, needed(inputs, 1).dims];
  const group = intAttribute(node, 'group', 1);
  if (x.length < 3 || w.length !== x.length || x[1] !== w[0])
    throw new OnnxFault(`its weights [${w.join(', ')}] do not fit an input [${x.join(', ')}]`, 'network.shape');
  if (ints(node, 'output_shape') || (text(node, 'auto_pad') ?? 'NOTSET') !== 'NOTSET')
    throw new OnnxFault('it lets its padding be found; export it with explicit pads', 'network.operator');
  const s = spatialOf(node, w.slice(2));
  const more = ints(node, 'output_padding') ?? s.kernel.map(() => 0);
  if (more.length !== s.kernel.length || more.some((n, d) => !Number.isInteger(n) || n < 0 || n >= Math.max(s.strides[d], s.dilations[d])))
    throw new OnnxFault(`its output_padding is [${more.join(', ')}]`, 'network.operator');
  const sides = x
    .slice(2)
    .map((n, d) => (n - 1) * s.strides[d] + more[d] + s.dilations[d] * (s.kernel[d] - 1) + 1 - s.before[d] - s.after[d]);
  return { outputs: [{ dims: [x[0], w[1] * group, ...sides], type: DATA_TYPES.float }], macs: product(x) * product(w.slice(1)) };
};

const pool: Rule = (node, inputs) => {
  const { dims, type } = needed(inputs, 0);
  const s = spatialOf(node, ints(node, 'kernel_shape') ?? []);
  if (s.kernel.length !== dims.length - 2) throw new OnnxFault('its kernel does not fit its input', 'network.shape');
  return { outputs: [{ dims: [...dims.slice(0, 2), ...slid(dims.slice(2), s, intAttribute(node, 'ceil_mode', 0) === 1)], type }] };
};

const axis = (a: number, rank: number): number => {
  const from = a < 0 ? a + rank : a;
  if (!Number.isInteger(from) || from < 0 || from >= Math.max(1, rank))
    throw new OnnxFault(`axis ${a} of ${rank} dimensions`, 'network.shape');
  return from;
};

/** Axes said by an attribute (before opset 13 or 18) or by the second input. */
const axesOf = (node: OnnxNode, inputs: readonly (Known | null)[], rank: number): number[] | undefined => {
  const said = ints(node, 'axes') ?? (inputs[1] ? numbers(inputs, 1, 'axes') : undefined);
  return said?.map((a) => axis(a, rank));
};

const reduce: Rule = (node, inputs) => {
  const { dims, type } = needed(inputs, 0);
  const axes = axesOf(node, inputs, dims.length) ?? dims.map((_, d) => d);
  const kept = intAttribute(node, 'keepdims', 1) === 1;
  return { outputs: [{ dims: dims.flatMap((n, d) => (axes.includes(d) ? (kept ? [1] : []) : [n])), type }] };
};

const flatten: Rule = (node, inputs) => {
  const { dims, type } = needed(inputs, 0);
  const at = intAttribute(node, 'axis', 1);
  const from = at < 0 ? at + dims.length : at;
  return { outputs: [{ dims: [product(dims.slice(0, from)), product(dims.slice(from))], type }] };
};

const reshape: Rule = (node, inputs) => {
  const known = needed(inputs, 0);
  const wanted = numbers(inputs, 1, 'new sides');
  const dims = wanted.map((n, d) => (n === 0 && intAttribute(node, 'allowzero', 0) === 0 ? (known.dims[d] ?? 0) : n));
  const free = dims.filter((n) => n === -1).length;
  const rest = product(dims.filter((n) => n !== -1));
  const whole = product(known.dims);
  if (free > 1 || (free === 1 ? rest <= 0 || whole % rest !== 0 : rest !== whole))
    throw new OnnxFault(`[${known.dims.join(', ')}] cannot become [${wanted.join(', ')}]`, 'network.shape');
  return { outputs: [{ ...known, dims: dims.map((n) => (n === -1 ? whole / rest : n)) }] };
};

const squeeze: Rule = (node, inputs) => {
  const known = needed(inputs, 0);
  const axes = axesOf(node, inputs, known.dims.length) ?? known.dims.flatMap((n, d) => (n === 1 ? [d] : []));
  if (axes.some((a) => known.dims[a] !== 1)) throw new OnnxFault(`[${known.dims.join(', ')}] has no side of 1 there`, 'network.shape');
  return { outputs: [{ ...known, dims: known.dims.filter((_, d) => !axes.includes(d)) }] };
};

const unsqueeze: Rule = (node, inputs) => {
  const known = needed(inputs, 0);
  const count = (ints(node, 'axes') ?? numbers(inputs, 1, 'axes')).length;
  const axes = axesOf(node, inputs, known.dims.length + count) ?? [];
  const rest = [...known.dims];
  return {
    outputs: [{ ...known, dims: Array.from({ length: rest.length + count }, (_, d) => (axes.includes(d) ? 1 : (rest.shift() ?? 1))) }],
  };
};

const transpose: Rule = (node, inputs) => {
  const { dims, type } = needed(inputs, 0);
  const order = ints(node, 'perm') ?? dims.map((_, d) => dims.length - 1 - d);
  if ([...order].sort((a, b) => a - b).join() !== dims.map((_, d) => d).join())
    throw new OnnxFault(`its perm is [${order.join(', ')}]`, 'network.shape');
  return { outputs: [{ dims: order.map((d) => dims[d]), type }] };
};

const concat: Rule = (node, inputs) => {
  const all = inputs.map((_, i) => needed(inputs, i));
  const { dims, type } = all[0];
  const at = axis(intAttribute(node, 'axis', 0), dims.length);
  if (all.some((known) => known.dims.length !== dims.length || known.dims.some((n, d) => d !== at && n !== dims[d])))
    throw new OnnxFault('its inputs do not fit each other', 'network.shape');
  const side = all.reduce((sum, known) => sum + known.dims[at], 0);
  const known = dims.length === 1 && all.every(({ values }) => values);
  return {
    outputs: [
      { dims: dims.map((n, d) => (d === at ? side : n)), type, ...(known && { values: all.flatMap(({ values }) => values ?? []) }) },
    ],
  };
};

const slice: Rule = (node, inputs) => {
  const known = needed(inputs, 0);
  const starts = ints(node, 'starts') ?? numbers(inputs, 1, 'starts');
  const ends = ints(node, 'ends') ?? numbers(inputs, 2, 'ends');
  const axes = (ints(node, 'axes') ?? (inputs[3] ? numbers(inputs, 3, 'axes') : starts.map((_, d) => d))).map((a) =>
    axis(a, known.dims.length),
  );
  const steps = inputs[4] ? numbers(inputs, 4, 'steps') : starts.map(() => 1);
  if (steps.some((step) => step !== 1)) throw new OnnxFault('it slices with steps', 'network.operator');
  if (ends.length !== starts.length || axes.length !== starts.length)
    throw new OnnxFault('its starts, ends and axes differ in number', 'network.shape');
  const bound = (n: number, side: number) => Math.min(side, Math.max(0, n < 0 ? n + side : n));
  const dims = [...known.dims];
  let values = known.dims.length === 1 ? known.values : undefined;
  for (const [k, a] of axes.entries()) {
    const [from, to] = [bound(starts[k], known.dims[a]), bound(ends[k], known.dims[a])];
    dims[a] = Math.max(0, to - from);
    values = values?.slice(from, to);
  }
  return { outputs: [{ dims, type: known.type, ...(values && { values }) }] };
};

const split: Rule = (node, inputs) => {
  const { dims, type } = needed(inputs, 0);
  const at = axis(intAttribute(node, 'axis', 0), dims.length);
  const count = node.output?.length ?? 0;
  const sides =
    ints(node, 'split') ?? (inputs[1] ? numbers(inputs, 1, 'parts') : Array.from({ length: count }, () => Math.ceil(dims[at] / count)));
  if (sides.length !== count || sides.some((n) => n < 0)) throw new OnnxFault(`its parts are [${sides.join(', ')}]`, 'network.shape');
  return { outputs: sides.map((side) => ({ dims: dims.map((n, d) => (d === at ? side : n)), type })) };
};

const shape: Rule = (node, inputs) => {
  const { dims } = needed(inputs, 0);
  const values = dims.slice(intAttribute(node, 'start', 0), intAttribute(node, 'end', dims.length));
  return { outputs: [{ dims: [values.length], type: DATA_TYPES.int64, values }] };
};

const gather: Rule = (node, inputs) => {
  const [data, indices] = [needed(inputs, 0), needed(inputs, 1)];
  const at = axis(intAttribute(node, 'axis', 0), data.dims.length);
  const dims = [...data.dims.slice(0, at), ...indices.dims, ...data.dims.slice(at + 1)];
  const picked =
    data.dims.length === 1 && data.values && indices.values
      ? indices.values.map((i) => data.values![i < 0 ? i + data.values!.length : i] ?? 0)
      : undefined;
  return { outputs: [{ dims, type: data.type, ...(picked && { values: picked }) }] };
};

const constant: Rule = (node) => {
  const t = attributeOf(node, 'value')?.t;
  if (t) return { outputs: [{ dims: t.dims ?? [], type: t.dataType ?? 0, values: [...tensorValues(t)] }] };
  const list = ints(node, 'value_ints');
  if (list) return { outputs: [{ dims: [list.length], type: DATA_TYPES.int64, values: list }] };
  const floats = attributeOf(node, 'value_floats')?.floats;
  if (floats) return { outputs: [{ dims: [floats.length], type: DATA_TYPES.float }] };
  if (attributeOf(node, 'value_int'))
    return { outputs: [{ dims: [], type: DATA_TYPES.int64, values: [intAttribute(node, 'value_int', 0)] }] };
  if (attributeOf(node, 'value_float')) return { outputs: [{ dims: [], type: DATA_TYPES.float }] };
  throw new OnnxFault('it has no value', 'network.shape');
};

const cast: Rule = (node, inputs) => {
  const known = needed(inputs, 0);
  const type = intAttribute(node, 'to', 0);
  if (!(Object.values(DATA_TYPES) as number[]).includes(type)) throw new OnnxFault(`it casts to type ${type}`, 'network.operator');
  return { outputs: [type === DATA_TYPES.float ? { dims: known.dims, type } : { ...known, type }] };
};

const typed =
  (type: number): Rule =>
  (_, inputs) => ({ outputs: [{ dims: needed(inputs, 0).dims, type }] });

const quantize: Rule = (_, inputs) => ({ outputs: [{ dims: needed(inputs, 0).dims, type: inputs[2]?.type ?? DATA_TYPES.uint8 }] });

const globalPool: Rule = (_, inputs) => {
  const { dims, type } = needed(inputs, 0);
  return { outputs: [{ dims: dims.map((n, d) => (d < 2 ? n : 1)), type }] };
};

/** By their name in the domain `ai.onnx`. */
export const OPERATORS: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...[
    ...['Relu', 'LeakyRelu', 'PRelu', 'Elu', 'Selu', 'Celu', 'Tanh', 'Sigmoid', 'HardSigmoid', 'Softplus', 'Softsign', 'Softmax'],
    ...['Abs', 'Neg', 'Sqrt', 'Exp', 'Log', 'Erf', 'Clip', 'BatchNormalization', 'LayerNormalization', 'InstanceNormalization'],
  ].map((name): [string, Rule] => [name, same]),
  ['Identity', identity],
  ['Dropout', identity],
  ['Add', broadcast((a, b) => a + b)],
  ['Sub', broadcast((a, b) => a - b)],
  ['Mul', broadcast((a, b) => a * b)],
  ['Div', broadcast((a, b) => Math.trunc(a / b))],
  ['Pow', broadcast()],
  ['Min', broadcast()],
  ['Max', broadcast()],
  ['Gemm', gemm],
  ['MatMul', matmul],
  ['Conv', conv],
  ['ConvTranspose', convTranspose],
  ['MaxPool', pool],
  ['AveragePool', pool],
  ['GlobalAveragePool', globalPool],
  ['ReduceMean', reduce],
  ['ReduceSum', reduce],
  ['ReduceMax', reduce],
  ['Flatten', flatten],
  ['Reshape', reshape],
  ['Squeeze', squeeze],
  ['Unsqueeze', unsqueeze],
  ['Transpose', transpose],
  ['Concat', concat],
  ['Slice', slice],
  ['Split', split],
  ['Shape', shape],
  ['Gather', gather],
  ['Constant', constant],
  ['Cast', cast],
  ['QuantizeLinear', quantize],
  ['DequantizeLinear', typed(DATA_TYPES.float)],
]);
