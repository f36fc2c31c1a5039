/** An ONNX file as values: the part of `onnx.proto3` (IR version 10) that a network for a turbine may use. */

/** `TensorProto.DataType`, those that are allowed. */
export const DATA_TYPES = {
  float: 1,
  uint8: 2,
  int8: 3,
  int32: 6,
  int64: 7,
  bool: 9,
} as const;

/** `AttributeProto.AttributeType`. */
export const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const;

export interface OnnxModel {
  readonly irVersion?: number;
  readonly producerName?: string;
  readonly producerVersion?: string;
  readonly opsetImport?: readonly { readonly domain?: string; readonly version?: number }[];
  readonly graph?: OnnxGraph;
}

export interface OnnxGraph {
  readonly name?: string;
  readonly node?: readonly OnnxNode[];
  readonly initializer?: readonly OnnxTensor[];
  readonly input?: readonly OnnxValue[];
  readonly output?: readonly OnnxValue[];
  readonly valueInfo?: readonly OnnxValue[];
}

export interface OnnxNode {
  readonly input?: readonly string[];
  readonly output?: readonly string[];
  readonly name?: string;
  readonly opType?: string;
  readonly domain?: string;
  readonly attribute?: readonly OnnxAttribute[];
}

export interface OnnxAttribute {
  readonly name?: string;
  readonly type?: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: OnnxTensor;
  readonly floats?: readonly number[];
  readonly ints?: readonly number[];
  readonly strings?: readonly Uint8Array[];
}

export interface OnnxTensor {
  readonly name?: string;
  /** A scalar has none. */
  readonly dims?: readonly number[];
  readonly dataType?: number;
  readonly floatData?: readonly number[];
  readonly int32Data?: readonly number[];
  readonly int64Data?: readonly number[];
  /** Little-endian, in the type's own width. */
  readonly rawData?: Uint8Array;
  /** 0: in the file. */
  readonly dataLocation?: number;
}

export interface OnnxValue {
  readonly name?: string;
  readonly type?: {
    readonly tensorType?: {
      readonly elemType?: number;
      /** A dimension has a value, or a name, or neither. */
      readonly shape?: { readonly dim?: readonly { readonly dimValue?: number; readonly dimParam?: string }[] };
    };
  };
}

/** The numbers of a tensor of any allowed type, whichever way they are stored. */
export function tensorValues({ dataType, dims = [], rawData, floatData, int32Data, int64Data }: OnnxTensor): Float32Array | Float64Array {
  if (rawData && rawData.length > 0) {
    const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
    const count = dims.reduce((product, n) => product * n, 1);
    if (dataType === DATA_TYPES.float) return Float32Array.from({ length: count }, (_, i) => view.getFloat32(4 * i, true));
    if (dataType === DATA_TYPES.int64) return Float64Array.from({ length: count }, (_, i) => Number(view.getBigInt64(8 * i, true)));
    if (dataType === DATA_TYPES.int32) return Float64Array.from({ length: count }, (_, i) => view.getInt32(4 * i, true));
    return Float64Array.from({ length: count }, (_, i) => (dataType === DATA_TYPES.int8 ? view.getInt8(i) : view.getUint8(i)));
  }
  if (dataType === DATA_TYPES.float) return Float32Array.from(floatData ?? []);
  return Float64Array.from((dataType === DATA_TYPES.int64 ? int64Data : int32Data) ?? []);
}

/** An attribute of a node by its name. */
export const attributeOf = (node: OnnxNode, name: string): OnnxAttribute | undefined =>
  node.attribute?.find((attribute) => attribute.name === name);

/** An attribute's integer. A zero may have been left out of the file: protobuf's default. */
export function intAttribute(node: OnnxNode, name: string, otherwise: number): number {
  const attribute = attributeOf(node, name);
  return attribute ? (attribute.i ?? 0) : otherwise;
}
