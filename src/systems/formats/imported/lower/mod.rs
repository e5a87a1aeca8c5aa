//! A graph of operators as a network of this crate: layer by layer, for one image.
//!
//! A run on zeros tells every shape, and what depends on shapes only is a constant from then on. What is left must be
//! operators that are layers here; all that are not are listed at once.

mod layers;
mod trace;

use super::Imported;
use super::budget::Budget;
use super::call::Call;
use crate::error::{Error, Result};
use crate::file::array::Data;
use crate::file::onnx::{Node, Port};
use crate::kernel::Level;
use crate::nn::layer::Layer;
use crate::nn::{Graph, Network, Params, Wire};
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::collections::{BTreeMap, BTreeSet};
pub(super) use trace::Trace;

/// Longest name of a layer, in bytes, with room for a number behind it: descriptions of networks take 80.
const LONGEST: usize = 72;

impl Imported {
    /// The graph as a network with its parameters, if every operator between its one input and its first output is a layer
    /// of this crate. A softmax at the end is left away: a network here answers with scores, and its losses expect them.
    ///
    /// Errors: [`Error::Missing`] that lists every operator which is no layer, with the reason; [`Error::Shape`] for inputs
    /// other than one of images or vectors; those of the run on zeros.
    pub fn network(&self) -> Result<(Network, Params)> {
        let [Port { name: input, .. }] = &self.graph.inputs[..] else {
            return Err(Error::shape("network", "one input", self.graph.inputs.len()));
        };
        let trace = Trace::new(self)?;
        let mut graph = Graph::new();
        let wire = graph.input("input", trace.image(input)?)?;
        let wires = BTreeMap::from([(input.as_str(), wire)]);
        let mut lowering = Lowering {
            model: self,
            trace,
            graph,
            budget: Budget::default(),
            wires,
            values: Vec::new(),
            numbers: BTreeMap::new(),
            done: BTreeSet::new(),
        };
        let mut unknown = Vec::new();
        for node in &self.graph.nodes {
            if lowering.trace.depends(node) {
                let lost = node.inputs.iter().any(|name| lowering.is_lost(name));
                if let Err(error) = lowering.node(node) {
                    // What reads from something that is no layer has no reason of its own.
                    if !lost {
                        unknown.push(format!("{} {}: {error}", node.op, node.name));
                    }
                }
            }
        }
        if !unknown.is_empty() {
            return Err(Error::missing("network", "operators that are layers", unknown.join("; ")));
        }
        lowering.finish()
    }
}

struct Lowering<'a> {
    model: &'a Imported,
    trace: Trace<'a>,
    graph: Graph,
    budget: Budget,
    wires: BTreeMap<&'a str, Wire>,
    /// Parameters by their names in the network.
    values: Vec<(String, Tensor)>,
    /// The number that the next layer of a name gets: a graph of thousands without names must not count them anew each time.
    numbers: BTreeMap<String, usize>,
    /// Operators that the one before has taken with it.
    done: BTreeSet<&'a str>,
}

/// Why an operator is no layer.
fn no(expected: &str) -> Error {
    Error::value("as a layer", expected, "another")
}

impl<'a> Lowering<'a> {
    /// Whether a name depends on the input and is no wire.
    fn is_lost(&self, name: &str) -> bool {
        !name.is_empty() && self.trace.constant(name).is_none() && !self.wires.contains_key(name)
    }

    fn call(&self, node: &'a Node) -> Call<'_> {
        let inputs = node.inputs.iter().map(|name| self.trace.constant(name).cloned()).collect();
        Call { node, opset: self.model.opset, level: Level::new(), inputs, budget: &self.budget, idle: false }
    }

    /// The wire of input `i`.
    fn wire(&self, node: &Node, i: usize) -> Result<Wire> {
        let wire = node.inputs.get(i).and_then(|name| self.wires.get(name.as_str()));
        wire.copied().ok_or_else(|| no("inputs that are layers"))
    }

    /// The constant of input `i`.
    fn constant(&self, node: &Node, i: usize) -> Result<Tensor> {
        let array = node.inputs.get(i).and_then(|name| self.trace.constant(name));
        match array.map(|array| array.data()) {
            Some(Data::Real(data)) => Ok(data.clone()),
            _ => Err(no("weights that are constants")),
        }
    }

    /// As [`Lowering::constant`] where there may be none.
    fn optional(&self, node: &Node, i: usize) -> Result<Option<Tensor>> {
        let given = node.inputs.get(i).is_some_and(|name| !name.is_empty());
        given.then(|| self.constant(node, i)).transpose()
    }

    /// Who reads a name.
    fn readers(&self, name: &str) -> Vec<&'a Node> {
        self.model.graph.nodes.iter().filter(|node| node.inputs.iter().any(|input| input == name)).collect()
    }

    /// A name for a node's layer: that of its weight, which frameworks keep, or the node's own.
    fn name(&mut self, node: &Node) -> String {
        let weight = node.inputs.iter().find_map(|name| name.strip_suffix(".weight"));
        let own =
            if node.name.is_empty() { node.op.to_lowercase() } else { node.name.trim_matches('/').replace('/', ".") };
        let wanted = weight.map_or(own, str::to_string);
        let mut name: String = wanted.chars().filter(|c| !c.is_control()).collect();
        while name.len() > LONGEST {
            name.pop();
        }
        let taken = |name: &str| self.graph.nodes().iter().any(|node| node.name == name);
        let next = self.numbers.entry(name.clone()).or_insert(1);
        loop {
            let numbered = if *next == 1 { name.clone() } else { format!("{name}_{next}") };
            *next += 1;
            if !taken(&numbered) {
                return numbered;
            }
        }
    }

    /// Adds the layer of a node with its parameters, and makes it the node's first output.
    fn add(
        &mut self,
        node: &'a Node,
        layer: impl Layer + 'static,
        inputs: &[Wire],
        values: Vec<(&str, Option<Tensor>)>,
    ) -> Result<()> {
        let name = self.name(node);
        let wire = self.graph.add(&name, layer, inputs)?;
        let values = values.into_iter().filter_map(|(what, tensor)| Some((format!("{name}.{what}"), tensor?)));
        self.values.extend(values);
        self.alias(node, wire)
    }

    /// Makes a wire the node's first output, which must have its shape.
    fn alias(&mut self, node: &'a Node, wire: Wire) -> Result<()> {
        let output = node.outputs.first().map(String::as_str).unwrap_or_default();
        let (want, have): (Shape, Shape) = (self.trace.image(output)?, self.graph.shape(wire));
        if want != have {
            return Err(Error::shape("as a layer", want, have));
        }
        self.wires.insert(output, wire);
        Ok(())
    }

    /// The network behind the first output, or behind what a softmax at the end reads.
    fn finish(self) -> Result<(Network, Params)> {
        let output = &self.model.graph.outputs[0].name;
        let wire = self.wires.get(output.as_str()).ok_or_else(|| no("an output that depends on the input"))?;
        let net = self.graph.finish(*wire);
        let mut params = net.zeros();
        for (name, tensor) in &self.values {
            params.set(name, tensor)?;
        }
        Ok((net, params))
    }
}

/// An array of one number for each channel, whatever its axes.
fn flat(tensor: Tensor) -> Tensor {
    let len = tensor.len();
    tensor.into_shape_with_order(ndarray::IxDyn(&[len])).unwrap_or_default()
}
