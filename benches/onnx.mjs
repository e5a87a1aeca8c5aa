// A network as an ONNX file, for ONNX Runtime.

// The part of ONNX's schema (onnx.proto3) that these networks need.
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

/** The bytes of the model with input `input` and output `output`. `protobuf` is the protobufjs module. */
export function toOnnx(protobuf, { input, layers }, batch, weights) {
  const node = layers.map((layer, i) => ({
    ...operator(layer),
    name: layer.name,
    input: [...(layer.inputs ?? [i ? layers[i - 1].name : 'input']), ...parameters(layer)],
    output: [layer.name],
  }));
  node.at(-1).output = ['output'];
  const graph = {
    name: 'network',
    node,
    initializer: Object.entries(weights).map(initializer),
    input: [value('input', [batch, ...input])],
    output: [value('output')],
  };
  const Model = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('ModelProto');
  return Model.encode(Model.fromObject({ ...VERSIONS, graph })).finish();
}

const parameters = ({ name, type }) => (['conv', 'affine'].includes(type) ? [`${name}.weight`, `${name}.bias`] : []);

function operator({ type, kernel, stride = 1, pad = 0 }) {
  const window = () => [ints('kernel_shape', [kernel, kernel]), ints('strides', [stride, stride]), ints('pads', [pad, pad, pad, pad])];
  switch (type) {
    case 'conv': return { op_type: 'Conv', attribute: window() };
    case 'max_pool': return { op_type: 'MaxPool', attribute: window() };
    case 'average_pool': return { op_type: 'AveragePool', attribute: window() };
    case 'affine': return { op_type: 'Gemm', attribute: [{ name: 'transB', type: INT, i: 1 }] };
    case 'global_average_pool': return { op_type: 'GlobalAveragePool' };
    case 'flatten': return { op_type: 'Flatten' };
    case 'relu': return { op_type: 'Relu' };
    case 'add': return { op_type: 'Add' };
    default: throw new Error(`no ONNX operator for ${type}`);
  }
}

const ints = (name, values) => ({ name, type: INTS, ints: values });

const initializer = ([name, { shape, data }]) => ({ name, dims: shape, data_type: FLOAT, raw_data: new Uint8Array(data.buffer) });

const value = (name, shape) => {
  const dims = shape && { shape: { dim: shape.map((n) => ({ dim_value: n })) } };
  return { name, type: { tensor_type: { elem_type: FLOAT, ...dims } } };
};
