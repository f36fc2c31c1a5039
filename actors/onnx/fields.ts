/**
 * ONNX's protobuf schema as a table that the reader and the writer share. Field numbers after onnx.proto3, IR version 10.
 *
 * What a network for a turbine must not hold stands in the table too, with the words of its refusal: a field that a reader does not
 * know is a field that another reader may act on.
 */
export type Kind = 'int' | 'float' | 'string' | 'bytes' | 'message' | 'skip' | 'refuse';

export interface Field {
  readonly name: string;
  readonly kind: Kind;
  readonly repeated: boolean;
  /** Of a message: its name. */
  readonly of: string;
  /** Of what is refused: the words. */
  readonly why: string;
}

export type Fields = ReadonlyMap<number, Field>;

const field = (name: string, kind: Kind, more: Partial<Field> = {}): Field => ({
  name,
  kind,
  repeated: false,
  of: '',
  why: '',
  ...more,
});
const int = (name: string) => field(name, 'int');
const ints = (name: string) => field(name, 'int', { repeated: true });
const floats = (name: string) => field(name, 'float', { repeated: true });
const string = (name: string) => field(name, 'string');
const strings = (name: string) => field(name, 'string', { repeated: true });
const message = (name: string, of: string) => field(name, 'message', { of });
const messages = (name: string, of: string) => field(name, 'message', { of, repeated: true });
/** Read for its length, and forgotten: it has no part in the answer. */
const skip = (name: string) => field(name, 'skip', { repeated: true });
const refuse = (name: string, why: string) => field(name, 'refuse', { why });

export const EXTERNAL = 'it keeps tensor data outside the file (external_data); a package’s network is one file';
const SUBGRAPH = 'it has a graph inside a node (If, Loop, Scan)';
const SPARSE = 'it has a sparse tensor';

export const MESSAGES: ReadonlyMap<string, Fields> = new Map([
  [
    'Model',
    new Map([
      [1, int('irVersion')],
      [2, string('producerName')],
      [3, string('producerVersion')],
      [4, skip('domain')],
      [5, skip('modelVersion')],
      [6, skip('docString')],
      [7, message('graph', 'Graph')],
      [8, messages('opsetImport', 'OperatorSet')],
      [14, skip('metadataProps')],
      [20, refuse('trainingInfo', 'it carries training_info; export it for inference')],
      [25, refuse('functions', 'it defines functions of its own; export it with plain operators')],
    ]),
  ],
  [
    'OperatorSet',
    new Map([
      [1, string('domain')],
      [2, int('version')],
    ]),
  ],
  [
    'Graph',
    new Map([
      [1, messages('node', 'Node')],
      [2, string('name')],
      [5, messages('initializer', 'Tensor')],
      [10, skip('docString')],
      [11, messages('input', 'Value')],
      [12, messages('output', 'Value')],
      [13, messages('valueInfo', 'Value')],
      [14, skip('quantizationAnnotation')],
      [15, refuse('sparseInitializer', SPARSE)],
      [16, skip('metadataProps')],
    ]),
  ],
  [
    'Node',
    new Map([
      [1, strings('input')],
      [2, strings('output')],
      [3, string('name')],
      [4, string('opType')],
      [5, messages('attribute', 'Attribute')],
      [6, skip('docString')],
      [7, string('domain')],
      [8, refuse('overload', 'it calls an overloaded function')],
      [9, skip('metadataProps')],
    ]),
  ],
  [
    'Attribute',
    new Map([
      [1, string('name')],
      [2, field('f', 'float')],
      [3, int('i')],
      [4, field('s', 'bytes')],
      [5, message('t', 'Tensor')],
      [6, refuse('g', SUBGRAPH)],
      [7, floats('floats')],
      [8, ints('ints')],
      [9, field('strings', 'bytes', { repeated: true })],
      [10, refuse('tensors', 'it has an attribute of many tensors')],
      [11, refuse('graphs', SUBGRAPH)],
      [13, skip('docString')],
      [14, refuse('tp', 'it has an attribute that is a type')],
      [15, refuse('typeProtos', 'it has an attribute that is a type')],
      [20, int('type')],
      [21, refuse('refAttrName', 'an attribute refers to a function’s')],
      [22, refuse('sparseTensor', SPARSE)],
      [23, refuse('sparseTensors', SPARSE)],
    ]),
  ],
  [
    'Tensor',
    new Map([
      [1, ints('dims')],
      [2, int('dataType')],
      [3, refuse('segment', 'it has a tensor in segments')],
      [4, floats('floatData')],
      [5, ints('int32Data')],
      [6, refuse('stringData', 'it has a tensor of texts')],
      [7, ints('int64Data')],
      [8, string('name')],
      [9, field('rawData', 'bytes')],
      [10, refuse('doubleData', 'it has a tensor of float64; export it in float32')],
      [11, refuse('uint64Data', 'it has a tensor of uint64')],
      [12, skip('docString')],
      [13, refuse('externalData', EXTERNAL)],
      [14, int('dataLocation')], // 0, as tools write it that took the data in
      [16, skip('metadataProps')],
    ]),
  ],
  [
    'Value',
    new Map([
      [1, string('name')],
      [2, message('type', 'Type')],
      [3, skip('docString')],
      [4, skip('metadataProps')],
    ]),
  ],
  [
    'Type',
    new Map([
      [1, message('tensorType', 'TensorType')],
      [4, refuse('sequenceType', 'it has a value that is a sequence')],
      [5, refuse('mapType', 'it has a value that is a map')],
      [6, skip('denotation')],
      [7, refuse('opaqueType', 'it has an opaque value')],
      [8, refuse('sparseTensorType', SPARSE)],
      [9, refuse('optionalType', 'it has an optional value')],
    ]),
  ],
  [
    'TensorType',
    new Map([
      [1, int('elemType')],
      [2, message('shape', 'Shape')],
    ]),
  ],
  ['Shape', new Map([[1, messages('dim', 'Dimension')]])],
  [
    'Dimension',
    new Map([
      [1, int('dimValue')],
      [2, string('dimParam')],
      [3, skip('denotation')],
    ]),
  ],
]);

/** The message's fields; its name comes from the table itself. */
export function fieldsOf(name: string): Fields {
  const fields = MESSAGES.get(name);
  if (!fields) throw new Error(`no message ${name} in the table`);
  return fields;
}
