//! ONNX: a graph of operators with its weights, the field's common format.
//!
//! This room reads and writes the file; what the operators do is `systems/formats/imported`'s. Specification:
//! <https://github.com/onnx/onnx/blob/main/docs/IR.md>; the messages' field numbers: `onnx/onnx.proto3`.

mod inline;
mod order;
mod proto;
mod read;
mod write;

pub use read::{read, read_with};
pub use write::write;

use super::array::{Array, Number};
use std::collections::BTreeMap;

/// A model.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Model {
    /// Version of the standard operators.
    pub opset: i64,
    /// Who wrote it.
    pub producer: String,
    /// The main graph.
    pub graph: Graph,
    /// The rest, by key.
    pub metadata: BTreeMap<String, String>,
}

/// Operators, each behind those that it reads from.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    /// Its name.
    pub name: String,
    /// The operators.
    pub nodes: Vec<Node>,
    /// Weights and other constants, by name.
    pub constants: Vec<(String, Array)>,
    /// What must be given; constants that the file lists as inputs, too, are left out.
    pub inputs: Vec<Port>,
    /// What it answers.
    pub outputs: Vec<Port>,
}

/// An input or output.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// The type of its numbers; `None` if it is no tensor of a type that is read here.
    pub number: Option<Number>,
    /// Its sides, if the file says; one that depends on the run, such as the batch, is `None`.
    pub shape: Option<Vec<Option<usize>>>,
}

/// One operator at work.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    /// Its name, often empty.
    pub name: String,
    /// The operator: `Conv`, `Relu`, …
    pub op: String,
    /// The operator's collection; empty for the standard ones.
    pub domain: String,
    /// What it reads, by name; an empty name is an optional input left out.
    pub inputs: Vec<String>,
    /// What it makes; an empty name is an output that nobody wants.
    pub outputs: Vec<String>,
    /// Its settings, by name.
    pub attributes: BTreeMap<String, Attribute>,
}

/// A setting of an operator.
#[derive(Debug, Clone, PartialEq)]
pub enum Attribute {
    /// A number.
    Float(f32),
    /// A whole number.
    Int(i64),
    /// Text.
    Text(String),
    /// An array.
    Tensor(Array),
    /// A part of the graph that runs under a condition.
    Graph(Graph),
    /// Numbers.
    Floats(Vec<f32>),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Texts.
    Texts(Vec<String>),
}

/// The number types by ONNX's codes.
const TYPES: [(i32, Number); 13] = [
    (1, Number::F32),
    (2, Number::U8),
    (3, Number::I8),
    (4, Number::U16),
    (5, Number::I16),
    (6, Number::I32),
    (7, Number::I64),
    (9, Number::Bool),
    (10, Number::F16),
    (11, Number::F64),
    (12, Number::U32),
    (13, Number::U64),
    (16, Number::Bf16),
];

/// The number type of a code, if it is one that is read here: strings, complex numbers and those of 8 bits with a point
/// or of 4 bits are not.
pub fn number(code: i64) -> Option<Number> {
    TYPES.iter().find(|(known, _)| i64::from(*known) == code).map(|(_, number)| *number)
}

fn code(number: Number) -> i32 {
    TYPES.iter().find(|(_, known)| *known == number).map_or(0, |(code, _)| *code)
}
