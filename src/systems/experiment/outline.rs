//! The outline of a network under construction: what each layer makes of the one before, as far as the layers fit.

use crate::nn::Network;
use crate::nn::description::{self, Fault};
use crate::nn::graph::Node;
use crate::shape::Shape;

/// A layer that fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: &'static str,
    /// What it makes of one picture.
    pub shape: Shape,
    /// How that size comes about, with the numbers filled in.
    pub formula: String,
    /// Weights and biases.
    pub parameters: usize,
    /// Multiply-adds for one picture.
    pub multiply_adds: u64,
}

/// The layers that fit, and the first thing that does not.
#[derive(Debug, Clone, PartialEq)]
pub struct Outline {
    /// Layers, the input left out.
    pub rows: Vec<Row>,
    /// What is wrong, and with which layer.
    pub fault: Option<Fault>,
}

impl Outline {
    /// Of a description; see [`description`].
    pub fn new(json: &str) -> Self {
        let (graph, output) = description::draft(json);
        let last = graph.nodes().last().map(|node| node.name.clone());
        let end = output.as_ref().ok().copied().or_else(|| graph.wire(&last?).ok());
        Self { rows: end.map_or(Vec::new(), |end| rows(&graph.finish(end))), fault: output.err() }
    }
}

fn rows(net: &Network) -> Vec<Row> {
    let row = |node: &Node| {
        let (layer, inputs) = (node.layer.as_ref()?, net.input_shapes(node));
        Some(Row {
            name: node.name.clone(),
            kind: layer.kind(),
            shape: node.shape,
            formula: layer.formula(&inputs),
            parameters: net.views()[node.params.clone()].iter().map(|view| view.len()).sum(),
            multiply_adds: layer.multiply_adds(&inputs),
        })
    };
    net.nodes().iter().filter_map(row).collect()
}
