// DeepConvNet as an ONNX file, for ONNX Runtime Web.

import protobuf from 'protobufjs';
import { LAYERS } from './network.mjs';

// The part of ONNX's schema (onnx.proto3) that this network needs.
const SCHEMA = `
  syntax = "proto3";
  message ModelProto { int64 ir_version = 1; GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8; }
  message OperatorSetIdProto { string domain = 1; int64 version = 2; }
  message GraphProto {
    repeated NodeProto node = 1;
    string name = 2;
    repeated TensorProto initializer = 5;
    repeated ValueInfoProto input = 11;
    repeated ValueInfoProto output = 12;
  }
  message NodeProto {
    repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
    repeated AttributeProto attribute = 5;
  }
  message AttributeProto { string name = 1; int64 i = 3; repeated int64 ints = 8; int32 type = 20; }
  message TensorProto { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
  message ValueInfoProto { string name = 1; TypeProto type = 2; }
  message TypeProto { TensorTypeProto tensor_type = 1; }
  message TensorTypeProto { int32 elem_type = 1; TensorShapeProto shape = 2; }
  message TensorShapeProto { repeated DimensionProto dim = 1; }
  message DimensionProto { int64 dim_value = 1; }
`;
const FLOAT = 1;
const INT = 2;
const INTS = 7;
// Old enough for any runtime of today, new enough for Gemm without broadcasting flags.
const VERSIONS = { ir_version: 8, opset_import: [{ domain: '', version: 17 }] };

/** The bytes of the model: input `image` of 1 × 1 × 28 × 28, output `scores` of 1 × 10. */
export function toOnnx(weights) {
  const node = [];
  let from = 'image';
  for (const layer of LAYERS) {
    for (const made of nodes(layer)) {
      node.push({ ...made, name: made.output, output: [made.output], input: [from, ...made.parameters] });
      from = made.output;
    }
  }
  node.at(-1).output = ['scores'];
  const graph = {
    name: 'deep_convnet',
    node,
    initializer: Object.entries(weights).map(initializer),
    input: [value('image', [1, 1, 28, 28])],
    output: [value('scores', [1, 10])],
  };
  const Model = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('ModelProto');
  return Model.encode(Model.fromObject({ ...VERSIONS, graph })).finish();
}

function nodes({ kind, name, pad, relu }) {
  const parameters = [`${name}.weight`, `${name}.bias`];
  const activation = { op_type: 'Relu', output: `${name}.relu`, parameters: [] };
  if (kind === 'conv') {
    const attribute = [ints('kernel_shape', [3, 3]), ints('pads', [pad, pad, pad, pad])];
    return [{ op_type: 'Conv', output: name, parameters, attribute }, activation];
  }
  if (kind === 'affine') {
    const affine = { op_type: 'Gemm', output: name, parameters, attribute: [{ name: 'transB', type: INT, i: 1 }] };
    return relu ? [affine, activation] : [affine];
  }
  if (kind === 'flatten') return [{ op_type: 'Flatten', output: name, parameters: [] }];
  return [{ op_type: 'MaxPool', output: name, parameters: [], attribute: [ints('kernel_shape', [2, 2]), ints('strides', [2, 2])] }];
}

const ints = (name, values) => ({ name, type: INTS, ints: values });

const initializer = ([name, { shape, data }]) => ({ name, dims: shape, data_type: FLOAT, raw_data: new Uint8Array(data.buffer) });

const value = (name, shape) => ({
  name,
  type: { tensor_type: { elem_type: FLOAT, shape: { dim: shape.map((n) => ({ dim_value: n })) } } },
});
