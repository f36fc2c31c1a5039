/** The shape of every value of a graph for one batch, before anything runs; and what it will take to run. */
import { OnnxFault, shown } from './fault.ts';
import { LIMITS } from './limits.ts';
import { DATA_TYPES, type OnnxGraph, tensorValues } from './model.ts';
import { type Known, OPERATORS } from './operators.ts';

const FEW = 64; // numbers of a constant that are followed: shapes and axes

export interface GraphShapes {
  readonly values: ReadonlyMap<string, Known>;
  /** Multiplications a window. */
  readonly macs: number;
}

/**
 * @param inputs [batch, …] of each input
 * @throws OnnxFault that names the node: an unknown operator, an input that nobody makes, shapes that do not fit, too much of it.
 */
export function inferShapes(graph: OnnxGraph, inputs: ReadonlyMap<string, readonly number[]>, batch: number): GraphShapes {
  const values = new Map<string, Known>();
  for (const { name = '', dims = [], dataType = 0, ...tensor } of graph.initializer ?? []) {
    const few = dims.reduce((all, n) => all * n, 1) <= FEW && dataType !== DATA_TYPES.float;
    values.set(name, { dims, type: dataType, ...(few && { values: [...tensorValues({ ...tensor, dims, dataType })] }) });
  }
  for (const [name, dims] of inputs) values.set(name, { dims, type: DATA_TYPES.float });

  let macs = 0;
  let made = 0;
  for (const [n, node] of (graph.node ?? []).entries()) {
    const where = `node ${n} (${shown(node.opType ?? '')}${node.name ? ` ${shown(node.name)}` : ''})`;
    const rule = OPERATORS.get(node.opType ?? '');
    if (!rule)
      throw new OnnxFault(
        `${where}: unknown operator ${shown(node.opType ?? '')}; known are ${[...OPERATORS.keys()].join(', ')}`,
        'network.operator',
      );
    const known = (node.input ?? []).map((name) => {
      if (name === '') return null;
      const value = values.get(name);
      if (!value) throw new OnnxFault(`${where} reads ${shown(name)}, which nothing before it makes`, 'network.shape');
      return value;
    });
    const inferred = follow(where, () => rule(node, known));
    macs += inferred.macs ?? 0;
    if (!(macs <= LIMITS.macs * batch)) throw new OnnxFault(`${where}: more than ${LIMITS.macs} multiplications a window`, 'network.limit');
    for (const [o, name] of (node.output ?? []).entries()) {
      const value = inferred.outputs[o];
      if (name === '' || !value) continue; // a Dropout's mask, a BatchNormalization's running mean: nobody may read them
      if (values.has(name)) throw new OnnxFault(`${where} makes ${shown(name)}, which is there already`, 'network.shape');
      made += sizeOf(where, value.dims);
      if (!(made <= LIMITS.valueElements * batch))
        throw new OnnxFault(
          `${where} makes [${value.dims.join(', ')}]: more than ${LIMITS.valueElements} values a window in all`,
          'network.limit',
        );
      values.set(name, value);
    }
  }
  return { values, macs: macs / batch };
}

function follow<T>(where: string, rule: () => T): T {
  try {
    return rule();
  } catch (error) {
    if (error instanceof OnnxFault) throw new OnnxFault(`${where}: ${error.message}`, error.reason);
    throw error;
  }
}

function sizeOf(where: string, dims: readonly number[]): number {
  if (dims.length > LIMITS.rank + 1) throw new OnnxFault(`${where} makes a value of ${dims.length} dimensions`, 'network.shape');
  if (dims.some((n) => !Number.isSafeInteger(n) || n < 1)) throw new OnnxFault(`${where} makes [${dims.join(', ')}]`, 'network.shape');
  return dims.reduce((all, n) => all * n, 1);
}
