/**
 * The part of ONNX's protobuf schema that a dense network needs, as a descriptor for protobufjs. Field numbers after onnx.proto3
 * (ONNX IR version 8).
 */
const field = (type: string, id: number, repeated = false) => ({ type, id, ...(repeated ? { rule: 'repeated' as const } : {}) });

export const onnxSchema = {
  nested: {
    onnx: {
      nested: {
        ModelProto: {
          fields: {
            irVersion: field('int64', 1),
            producerName: field('string', 2),
            producerVersion: field('string', 3),
            graph: field('GraphProto', 7),
            opsetImport: field('OperatorSetIdProto', 8, true),
          },
        },
        OperatorSetIdProto: { fields: { domain: field('string', 1), version: field('int64', 2) } },
        GraphProto: {
          fields: {
            node: field('NodeProto', 1, true),
            name: field('string', 2),
            initializer: field('TensorProto', 5, true),
            input: field('ValueInfoProto', 11, true),
            output: field('ValueInfoProto', 12, true),
          },
        },
        NodeProto: {
          fields: {
            input: field('string', 1, true),
            output: field('string', 2, true),
            name: field('string', 3),
            opType: field('string', 4),
            attribute: field('AttributeProto', 5, true),
          },
        },
        AttributeProto: {
          fields: { name: field('string', 1), i: field('int64', 3), ints: field('int64', 8, true), type: field('int32', 20) },
        },
        TensorProto: {
          fields: { dims: field('int64', 1, true), dataType: field('int32', 2), name: field('string', 8), rawData: field('bytes', 9) },
        },
        ValueInfoProto: { fields: { name: field('string', 1), type: field('TypeProto', 2) } },
        TypeProto: { fields: { tensorType: field('TypeProtoTensor', 1) } },
        TypeProtoTensor: { fields: { elemType: field('int32', 1), shape: field('TensorShapeProto', 2) } },
        TensorShapeProto: { fields: { dim: field('TensorShapeDimension', 1, true) } },
        TensorShapeDimension: {
          oneofs: { value: { oneof: ['dimValue', 'dimParam'] } },
          fields: { dimValue: field('int64', 1), dimParam: field('string', 2) },
        },
      },
    },
  },
};
