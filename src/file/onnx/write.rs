//! From a [`Model`] to bytes.

use super::{Attribute, Graph, Model, Node, Port, code, proto};
use crate::file::array::Array;
use prost::Message;

/// The version of the file format itself: the one that came with opset 17.
const IR_VERSION: i64 = 8;

/// The bytes of a model, for every reader of ONNX. Equal models give equal bytes.
pub fn write(model: &Model) -> Vec<u8> {
    let metadata_props = model.metadata.iter().map(|(key, value)| pair(key, value)).collect();
    proto::Model {
        ir_version: IR_VERSION,
        producer_name: model.producer.clone(),
        producer_version: String::new(),
        graph: Some(graph(&model.graph)),
        opset_import: vec![proto::Opset { domain: String::new(), version: model.opset }],
        metadata_props,
        functions: Vec::new(),
    }
    .encode_to_vec()
}

fn pair(key: &str, value: &str) -> proto::Pair {
    proto::Pair { key: key.into(), value: value.into() }
}

fn graph(graph: &Graph) -> proto::Graph {
    proto::Graph {
        node: graph.nodes.iter().map(node).collect(),
        name: graph.name.clone(),
        initializer: graph.constants.iter().map(|(name, array)| tensor(name, array)).collect(),
        doc_string: String::new(),
        input: graph.inputs.iter().map(port).collect(),
        output: graph.outputs.iter().map(port).collect(),
        sparse_initializer: Vec::new(),
    }
}

fn node(node: &Node) -> proto::Node {
    proto::Node {
        input: node.inputs.clone(),
        output: node.outputs.clone(),
        name: node.name.clone(),
        op_type: node.op.clone(),
        attribute: node.attributes.iter().map(|(name, value)| attribute(name, value)).collect(),
        domain: node.domain.clone(),
    }
}

fn attribute(name: &str, value: &Attribute) -> proto::Attribute {
    let mut out = proto::Attribute { name: name.into(), ..Default::default() };
    out.r#type = match value {
        Attribute::Float(x) => {
            out.f = *x;
            1
        }
        Attribute::Int(x) => {
            out.i = *x;
            2
        }
        Attribute::Text(text) => {
            out.s = text.clone().into_bytes();
            3
        }
        Attribute::Tensor(array) => {
            out.t = Some(Box::new(tensor("", array)));
            4
        }
        Attribute::Graph(inner) => {
            out.g = Some(Box::new(graph(inner)));
            5
        }
        Attribute::Floats(numbers) => {
            out.floats = numbers.clone();
            6
        }
        Attribute::Ints(numbers) => {
            out.ints = numbers.clone();
            7
        }
        Attribute::Texts(texts) => {
            out.strings = texts.iter().map(|text| text.clone().into_bytes()).collect();
            8
        }
    };
    out
}

fn tensor(name: &str, array: &Array) -> proto::Tensor {
    proto::Tensor {
        dims: array.shape().iter().map(|&side| side as i64).collect(),
        data_type: code(array.number()),
        name: name.into(),
        raw_data: array.encode(),
        ..Default::default()
    }
}

fn port(port: &Port) -> proto::ValueInfo {
    let side = |side: &Option<usize>| proto::Dimension {
        value: Some(side.map_or_else(|| proto::Side::Name("batch".into()), |n| proto::Side::Size(n as i64))),
    };
    let shape = port.shape.as_ref().map(|sides| proto::TensorShape { dim: sides.iter().map(side).collect() });
    let elem_type = port.number.map_or(0, code);
    let r#type = Some(proto::Type { tensor_type: Some(proto::TensorType { elem_type, shape }) });
    proto::ValueInfo { name: port.name.clone(), r#type }
}
