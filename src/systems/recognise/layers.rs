//! What of a network a person can look at: the buffers that the plan keeps.

use crate::nn::{Network, Wire};
use crate::shape::Shape;

/// One layer as it can be looked at.
///
/// An activation behind a convolution or affine layer works in that layer's buffer (a ReLU even in the same store), so
/// the two are one entry and its values are those behind the activation. Dropout passes everything on and a flattening
/// is the same numbers in a row: neither has an entry.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// The layer's name in its network.
    pub name: String,
    /// The field's word for it: `input`, `conv`, `max_pool`, `affine`, …
    pub kind: &'static str,
    /// The activation that has been applied to its values: `relu`, `sigmoid`, `silu`, …
    pub activation: Option<&'static str>,
    /// The entries it reads, by their numbers: a branch is one that several read.
    pub inputs: Vec<usize>,
    /// Channels, height, width.
    pub shape: Shape,
    /// How the output size comes about, with the numbers filled in; empty for the input.
    pub formula: String,
    /// Weights and biases.
    pub parameters: usize,
    /// Multiply-adds for one picture.
    pub multiply_adds: u64,
    pub(super) wire: Wire,
}

/// The layers of `net` in order.
pub fn layers(net: &Network) -> Vec<Layer> {
    let mut layers = Vec::new();
    // The entry that each wire's values are looked at in.
    let mut owner: Vec<usize> = Vec::new();
    for wire in net.wires() {
        let layer = net.node(wire).layer.as_ref();
        let kind = layer.map_or("input", |layer| layer.kind());
        let joined = match kind {
            "flatten" => true,
            "dropout" | "stochastic_depth" | "identity" => join(&mut layers, net, wire, None),
            "add" => false,
            _ if layer.is_some_and(|layer| layer.in_place()) => join(&mut layers, net, wire, Some(kind)),
            _ => false,
        };
        let read = |input: &Wire| net.wires().zip(&owner).find(|(w, _)| w == input).map(|(_, &entry)| entry);
        let inputs: Vec<usize> = net.node(wire).inputs.iter().filter_map(read).collect();
        if joined {
            owner.push(inputs[0]);
        } else {
            owner.push(layers.len());
            layers.push(Layer { inputs, ..entry(net, wire, kind) });
        }
    }
    layers
}

/// Lets an in-place layer join the entry whose buffer it works in, if nobody else reads that.
fn join(layers: &mut [Layer], net: &Network, wire: Wire, activation: Option<&'static str>) -> bool {
    let input = net.node(wire).inputs[0];
    let readers = net.nodes().iter().flat_map(|node| &node.inputs).filter(|&&w| w == input).count();
    match layers.iter_mut().find(|entry| entry.wire == input) {
        // One activation for each entry: a second one is a layer of its own.
        Some(entry)
            if readers == 1 && entry.kind != "input" && (activation.is_none() || entry.activation.is_none()) =>
        {
            entry.wire = wire;
            entry.activation = entry.activation.or(activation);
            true
        }
        _ => false,
    }
}

fn entry(net: &Network, wire: Wire, kind: &'static str) -> Layer {
    let node = net.node(wire);
    let inputs = net.input_shapes(node);
    let layer = node.layer.as_ref();
    Layer {
        name: node.name.clone(),
        kind,
        activation: None,
        inputs: Vec::new(),
        shape: node.shape,
        formula: layer.map_or(String::new(), |layer| layer.formula(&inputs)),
        parameters: net.views()[node.params.clone()]
            .iter()
            .filter(|view| !view.role.is_statistic())
            .map(|view| view.len())
            .sum(),
        multiply_adds: layer.map_or(0, |layer| layer.multiply_adds(&inputs)),
        wire,
    }
}
