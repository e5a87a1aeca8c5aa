//! ONNX out: any network of this crate as a graph of standard operators, with its weights under their own names.
//!
//! Images go in as N × C × H × W, any number of them, and the class scores come out as N × classes, before the softmax. What
//! the numbers of an image mean is written into the model's metadata by whoever knows.

mod layers;

use crate::error::Result;
use crate::file::array::{Array, Number};
use crate::file::onnx::{Attribute, Graph, Model, Node as Operator, Port};
use crate::nn::graph::Node;
use crate::nn::{Network, Params, Wire};
use ndarray::ArrayD;
use std::collections::BTreeMap;

/// The standard operators' version: the first with a group norm that has a weight for each channel.
const OPSET: i64 = 21;

/// The graph of a network in inference. Layers that do nothing then are left out, and so is what leads to no answer.
///
/// Errors: [`crate::Error::Missing`] for parameters of another network, [`crate::Error::Value`] for a layer that ONNX cannot say: a local
/// response norm over an even number of channels, an unpooling that is not just its pooling's inverse.
pub fn to_onnx(name: &str, net: &Network, params: &Params, metadata: BTreeMap<String, String>) -> Result<Model> {
    let mut writer = Writer { net, params, graph: Graph::default(), wires: BTreeMap::new() };
    let shape = net.input_shape();
    for (wire, needed) in net.wires().zip(needed(net)) {
        match &net.node(wire).layer {
            None => drop(writer.wires.insert(wire, Value { name: "input".into(), rank: 4 })),
            Some(_) if needed => writer.layer(wire)?,
            Some(_) => (),
        }
    }
    let (wire, out) = (net.output(), net.node(net.output()).shape);
    let vector = (out.h, out.w) == (1, 1);
    let answer = if vector { writer.vector(wire) } else { writer.wires[&wire].name.clone() };
    writer.push("Identity", "answer", &[&answer], "", &[]);
    writer.free("output");
    if let Some(last) = writer.graph.nodes.last_mut() {
        last.outputs = vec!["output".into()];
    }
    let port = |name: &str, sides: &[usize]| Port {
        name: name.into(),
        number: Some(Number::F32),
        shape: Some(std::iter::once(None).chain(sides.iter().copied().map(Some)).collect()),
    };
    let sides = [out.c, out.h, out.w];
    let mut graph = writer.graph;
    graph.name = name.into();
    graph.inputs = vec![port("input", &[shape.c, shape.h, shape.w])];
    graph.outputs = vec![port("output", if vector { &sides[..1] } else { &sides })];
    Ok(Model { opset: OPSET, producer: format!("hitofude {}", env!("CARGO_PKG_VERSION")), graph, metadata })
}

/// Which wires lead to the output.
fn needed(net: &Network) -> Vec<bool> {
    let numbers: BTreeMap<Wire, usize> = net.wires().zip(0..).collect();
    let mut needed = vec![false; net.nodes().len()];
    needed[numbers[&net.output()]] = true;
    for (k, node) in net.nodes().iter().enumerate().rev().filter(|(_, node)| !node.inputs.is_empty()) {
        for input in &node.inputs {
            needed[numbers[input]] |= needed[k];
        }
    }
    needed
}

/// A wire in the graph: its name, and whether a vector is N × C (2) or N × C × 1 × 1 (4).
#[derive(Clone)]
struct Value {
    name: String,
    rank: usize,
}

struct Writer<'a> {
    net: &'a Network,
    params: &'a Params,
    graph: Graph,
    wires: BTreeMap<Wire, Value>,
}

/// A setting by its name.
type Setup<'a> = (&'a str, Attribute);

fn ints(list: &[usize]) -> Attribute {
    Attribute::Ints(list.iter().map(|&v| v as i64).collect())
}

fn text(text: &str) -> Attribute {
    Attribute::Text(text.into())
}

impl Writer<'_> {
    fn push(&mut self, op: &str, name: &str, inputs: &[&str], output: &str, attributes: &[Setup]) -> String {
        self.graph.nodes.push(Operator {
            name: name.into(),
            op: op.into(),
            domain: String::new(),
            inputs: inputs.iter().map(|input| input.to_string()).collect(),
            outputs: vec![output.into()],
            attributes: attributes.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
        });
        output.into()
    }

    /// Gives a layer's array of this name another one: the name is the model's own.
    fn free(&mut self, taken: &str) {
        for name in self.graph.nodes.iter_mut().flat_map(|node| node.inputs.iter_mut().chain(&mut node.outputs)) {
            if name == taken {
                name.push_str("/array");
            }
        }
    }

    fn constant(&mut self, name: String, array: impl Into<Array>) -> String {
        self.graph.constants.push((name.clone(), array.into()));
        name
    }

    fn list(&mut self, name: String, values: &[i64]) -> String {
        self.constant(name, ndarray::arr1(values).into_dyn())
    }

    /// A parameter of a layer; `None` if it has none of that name.
    fn parameter(&mut self, node: &Node, name: &str) -> Option<String> {
        let full = format!("{}.{name}", node.name);
        let tensor = self.params.get(&full).ok()?;
        Some(self.constant(full, tensor))
    }

    /// Weight and bias, or numbers that change nothing.
    fn affine(&mut self, node: &Node, shape: &[usize]) -> [String; 2] {
        [("weight", 1.0), ("bias", 0.0)].map(|(name, missing)| match self.parameter(node, name) {
            Some(found) => found,
            None => self.constant(format!("{}.{name}", node.name), ArrayD::from_elem(shape, missing)),
        })
    }

    /// A wire's name as N × C.
    fn vector(&mut self, wire: Wire) -> String {
        let Value { name, rank } = self.wires[&wire].clone();
        let flat = format!("{name}/flat");
        if rank == 2 || self.graph.nodes.iter().any(|node| node.outputs[0] == flat) {
            return if rank == 2 { name } else { flat };
        }
        self.push("Flatten", &flat, &[&name], &flat, &[])
    }

    /// A wire's name as N × C × H × W.
    fn image(&mut self, wire: Wire) -> String {
        let Value { name, rank } = self.wires[&wire].clone();
        let tall = format!("{name}/image");
        if rank == 4 || self.graph.nodes.iter().any(|node| node.outputs[0] == tall) {
            return if rank == 4 { name } else { tall };
        }
        let axes = self.list(format!("{name}/axes"), &[2, 3]);
        self.push("Unsqueeze", &tall, &[&name, &axes], &tall, &[])
    }
}
