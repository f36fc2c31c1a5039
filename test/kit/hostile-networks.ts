/** ONNX files that nobody should load, made from a good one: every trick that we know of, with the words that it is refused with. */
import { LIMITS } from '../../actors/onnx/limits.ts';
import type { OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from '../../actors/onnx/model.ts';
import { readOnnx } from '../../actors/onnx/read.ts';
import { writeOnnx } from '../../actors/onnx/write.ts';
import { createRng } from '../../twins/rng.ts';
import { modelAround } from './network-model.ts';
import { mixedNetwork } from './reference-network.ts';

/** The good one. */
export const goodNetwork = modelAround(mixedNetwork(4, 40, createRng(2)));
const { network } = goodNetwork;
const model = readOnnx(network);
export const goodGraph = model.graph as Required<Pick<OnnxGraph, 'node' | 'initializer' | 'input' | 'output'>>;

const graph = goodGraph;

/** The network with another graph. */
export const withGraph = (change: Partial<OnnxGraph>): Uint8Array => writeOnnx({ ...model, graph: { ...graph, ...change } });
const withModel = (change: Partial<OnnxModel>): Uint8Array => writeOnnx({ ...model, ...change });
const withTensor = (tensor: OnnxTensor): Uint8Array => withGraph({ initializer: [...graph.initializer, { name: 'extra', ...tensor }] });
const withNode = (node: OnnxNode): Uint8Array => withGraph({ node: [...graph.node, node] });
const changed = (name: string, change: OnnxTensor): Uint8Array =>
  withGraph({ initializer: graph.initializer.map((tensor) => (tensor.name === name ? { ...tensor, ...change } : tensor)) });

/** A field of the wire format, of a length. */
function field(id: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const payload = Buffer.concat(parts);
  return Buffer.concat([varint((id << 3) | 2), varint(payload.length), payload]);
}
function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    bytes.push((rest % 128) | (rest >= 128 ? 0x80 : 0));
    if (rest < 128) return Uint8Array.from(bytes);
  }
}
const text = (id: number, value: string) => field(id, Buffer.from(value));
const external = field(13, text(1, 'location'), text(2, '../../etc/passwd'));
/** The network with fields that our writer does not write, at the end of its graph. */
const withGraphBytes = (...fields: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat([
    writeOnnx({ ...model, graph: {} }).subarray(0, 2),
    field(7, graphBytes(), ...fields),
    field(8, Uint8Array.from([0x10, 17])),
  ]);
/** The graph's own bytes: the model's length-delimited field 7. */
function graphBytes(): Uint8Array {
  const alone = writeOnnx({ graph });
  let at = 1;
  while (alone[at] >= 0x80) at++;
  return alone.subarray(at + 1);
}
const nested = (levels: number): Uint8Array => {
  let inner: Uint8Array = new Uint8Array();
  for (let i = 0; i < levels; i++) inner = field(1, field(5, text(1, 'body'), field(6, inner))); // node { attribute { g { … } } }
  return inner;
};

export const HOSTILE_NETWORKS: readonly (readonly [string, Uint8Array, RegExp])[] = [
  ['nothing', new Uint8Array(), /it is empty/],
  ['no protobuf', Buffer.from('PK\x03\x04 this is a zip'), /it is no ONNX/],
  ['another protobuf', text(60, 'something else'), /it is no ONNX: Model has no field 60/],
  ['a text', Buffer.from('{"model": true}'), /it is no ONNX/],
  ['cut in half', network.subarray(0, network.length >> 1), /it is cut short/],
  ['cut by a byte', network.subarray(0, network.length - 1), /it is cut short/],
  ['a length of 4 GB', Buffer.concat([varint((7 << 3) | 2), varint(0xffffffff)]), /it is cut short|says a length/],
  ['a number without an end', Uint8Array.from([0x08, ...Array.from({ length: 11 }, () => 0xff)]), /more than ten bytes/],
  ['too many bytes', new Uint8Array(LIMITS.bytes + 1), /has 134217729 bytes; the limit is 134217728/],
  ['no graph', writeOnnx({ irVersion: 8, opsetImport: [{ version: 17 }] }), /holds no graph/],
  ['a graph said twice', Buffer.concat([network, field(7, text(2, 'second'))]), /Model.graph is said twice/],
  ['external data', withGraphBytes(field(5, text(8, 'w'), external)), /outside the file \(external_data\)/],
  ['external data by its location alone', changed('W0', { dataLocation: 1 }), /outside the file \(external_data\)/],
  [
    'external data in an attribute',
    withGraphBytes(field(1, text(4, 'Constant'), field(5, text(1, 'value'), field(5, external)))),
    /outside the file \(external_data\)/,
  ],
  ['external data in a sparse initialiser', withGraphBytes(field(15, field(1, external))), /sparse tensor/],
  ['a graph inside a node', withGraphBytes(nested(1)), /graph inside a node/],
  ['two thousand graphs inside each other', withGraphBytes(nested(2_000)), /graph inside a node/],
  ['functions', Buffer.concat([network, field(25, text(1, 'f'))]), /functions of its own/],
  ['training information', Buffer.concat([network, field(20, new Uint8Array())]), /training_info/],
  ['an old opset', withModel({ opsetImport: [{ domain: '', version: 6 }] }), /its opset is 6; 7 to 21 are read/],
  ['a new opset', withModel({ opsetImport: [{ domain: '', version: 99 }] }), /its opset is 99/],
  ['no opset', withModel({ opsetImport: [] }), /imports 0 operator sets/],
  [
    'a foreign domain',
    withModel({ opsetImport: [{ version: 17 }, { domain: 'com.microsoft', version: 1 }] }),
    /operators of com.microsoft/,
  ],
  ['an old IR', withModel({ irVersion: 2 }), /its IR version is 2; 3 to 10 are read/],
  ['a new IR', withModel({ irVersion: 77 }), /its IR version is 77/],
  ['an unknown operator', withNode({ opType: 'Einsum', input: ['input0'], output: ['z'] }), /node \d+ \(Einsum\): unknown operator Einsum/],
  [
    'a foreign operator',
    withNode({ opType: 'FusedConv', domain: 'com.microsoft', input: ['input0'], output: ['z'] }),
    /unknown operator com.microsoft.FusedConv/,
  ],
  ['a name with control characters', withNode({ opType: 'Bad\u001b[31m\n', output: ['z'] }), /unknown operator Bad\?\[31m\?;/],
  ['a name of a megabyte', withNode({ opType: 'x'.repeat(1 << 20), output: ['z'] }), /a name of 1048576 bytes; the limit is 256/],
  [
    'two thousand nodes',
    withGraph({ node: Array.from({ length: 2_000 }, (_, i) => ({ opType: 'Relu', input: ['input0'], output: [`r${i}`] })) }),
    /more than 1000 entries/,
  ],
  [
    'five thousand empty names',
    withNode({ opType: 'Concat', input: Array.from({ length: 5_000 }, () => '') }),
    /Node.input has more than 64 entries/,
  ],
  ['a thousand sides', withTensor({ dims: Array.from({ length: 1_000 }, () => 1), dataType: 1 }), /Tensor.dims has more than 64 numbers/],
  [
    'seventeen million numbers of a byte each',
    withGraphBytes(field(5, field(5, Buffer.alloc(17_000_000, 1)))),
    /more than 16777216 numbers/,
  ],
  [
    'values that would all be kept at once',
    withGraph({
      node: [
        ...graph.node,
        ...Array.from({ length: 700 }, (_, i) => ({
          opType: 'Concat',
          input: Array.from({ length: 60 }, () => 'image0'),
          output: [`z${i}`],
        })),
      ].map((node) => (node.opType === 'Concat' ? { ...node, attribute: [{ name: 'axis', type: 2, i: 1 }] } : node)),
    }),
    /more than 2097152 values a window in all/,
  ],
  ['a tensor that claims 2⁶³ bytes', withTensor({ dims: [2 ** 31, 2 ** 31, 2], dataType: 1 }), /has 9223372036854776000 elements/],
  ['sides whose product wraps round to 0', withTensor({ dims: [2 ** 32, 2 ** 32], dataType: 1 }), /18446744073709552000 elements/],
  ['a negative side', withTensor({ dims: [-4, 4], dataType: 1 }), /a side that is no count/],
  ['a side beyond int64’s exact doubles', withTensor({ dims: [2 ** 60], dataType: 1 }), /a side that is no count/],
  ['a huge tensor', withTensor({ dims: [20_000_000], dataType: 1 }), /has 20000000 elements; the limit is 16777216/],
  ['seven dimensions', withTensor({ dims: [1, 1, 1, 1, 1, 1, 1], dataType: 1, floatData: [1] }), /has 7 dimensions/],
  ['too few bytes', changed('W0', { rawData: new Uint8Array(12) }), /tensor W0 \[8, 4, 1, 5\] has 12 bytes of data, not 640/],
  ['no bytes', changed('b0', { rawData: new Uint8Array() }), /tensor b0 \[8\] has 0 values, not 8/],
  ['values twice', changed('b0', { floatData: [1, 2, 3, 4, 5, 6, 7, 8] }), /keeps its values twice/],
  ['a tensor of texts', changed('b0', { dataType: 8 }), /tensor b0 \[8\] has type 8/],
  ['weights that do not fit', changed('W0', { dims: [4, 8, 1, 5] }), /node \d+ \(Conv conv0\): its weights/],
  ['two tensors of one name', withTensor({ name: 'b0', dims: [1], dataType: 1, floatData: [1] }), /same name/],
  [
    'a value that nobody makes',
    withNode({ opType: 'Relu', input: ['ghost'], output: ['z'] }),
    /reads ghost, which nothing before it makes/,
  ],
  ['a value made twice', withNode({ opType: 'Relu', input: ['input0'], output: ['conv0'] }), /makes conv0, which is there already/],
  [
    'an attribute said twice',
    withNode({ opType: 'Flatten', input: ['input0'], output: ['z'], attribute: [axis(1), axis(2)] }),
    /Flatten says its axis twice/,
  ],
  [
    'an attribute that is not of its type',
    withNode({ opType: 'Flatten', input: ['input0'], output: ['z'], attribute: [{ name: 'axis', type: 7, i: 1, ints: [2] }] }),
    /attribute axis that does not hold what its type \(7\) says/,
  ],
  ['another input', withGraph({ input: [{ ...graph.input[0], name: 'x' }] }), /its inputs are x, not input0/],
  ['two inputs', withGraph({ input: [...graph.input, { ...graph.input[0], name: 'y' }] }), /its inputs are input0, y, not input0/],
  ['an input of float64', withGraph({ input: [{ name: 'input0', type: { tensorType: { elemType: 11 } } }] }), /has type 11, not float32/],
  ['an input of another shape', withGraph({ input: [shapedInput([null, 4, 41])] }), /its input input0 is \[N, 4, 41\], not \[N, 4, 40\]/],
  ['a fixed batch', withGraph({ input: [shapedInput([1, 4, 40])] }), /its batch is fixed at 1/],
  ['no scores', withGraph({ output: graph.output.slice(1) }), /it has no output scores but reconstruction/],
  [
    'a padding that would fill the memory',
    withNode({
      opType: 'Conv',
      input: ['image0', 'W0'],
      output: ['z'],
      attribute: [{ name: 'pads', type: 7, ints: [0, 2_000_000_000, 0, 2_000_000_000] }],
    }),
    /its pads are \[0, 2000000000\]/,
  ],
  [
    'paddings that together would',
    withNode({
      opType: 'Conv',
      input: ['image0', 'W0'],
      output: ['z'],
      attribute: [{ name: 'pads', type: 7, ints: [4_000, 4_000, 4_000, 4_000] }],
    }),
    /more than 2097152 values a window|more than 1000000000 multiplications/,
  ],
];

function axis(i: number) {
  return { name: 'axis', type: 2, i };
}

function shapedInput(dims: readonly (number | null)[]) {
  const dim = dims.map((n) => (n === null ? { dimParam: 'N' } : { dimValue: n }));
  return { name: 'input0', type: { tensorType: { elemType: 1, shape: { dim } } } };
}
