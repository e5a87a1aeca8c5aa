//! The end of a network as a network of its own.

use crate::error::{Error, Result};
use crate::nn::{Graph, Network, Params, Wire};

/// Affine layers that are taught.
const AFFINE: usize = 2;

/// The last layers of a network: it reads what the layers before make of a picture.
pub(super) struct Head {
    pub net: Network,
    /// The wire of the whole network that it begins behind.
    pub cut: Wire,
    /// Where its parameters begin in the whole network's arena.
    offset: usize,
}

impl Head {
    /// The last two affine layers of `net`, with the flattening before them and all that follows. Dropout is left out:
    /// a lesson is too short for it.
    pub(super) fn of(net: &Network) -> Result<Self> {
        let kind = |wire: Wire| net.node(wire).layer.as_ref().map_or("input", |layer| layer.kind());
        let wires: Vec<Wire> = net.wires().collect();
        let affine: Vec<usize> = (0..wires.len()).filter(|&k| kind(wires[k]) == "affine").collect();
        let Some(&first) = affine.len().checked_sub(AFFINE).and_then(|k| affine.get(k)) else {
            return Err(Error::missing("network to teach", format!("{AFFINE} affine layers at its end"), affine.len()));
        };
        let first = if kind(wires[first - 1]) == "flatten" { first - 1 } else { first };
        let cut = net.node(wires[first]).inputs[0];
        let mut graph = Graph::new();
        let (mut before, mut at) = (cut, graph.input("features", net.node(cut).shape)?);
        for &wire in &wires[first..] {
            let node = net.node(wire);
            if node.inputs != [before] {
                return Err(Error::missing("network to teach", "one layer after another at its end", &node.name));
            }
            if let Some(layer) = node.layer.clone().filter(|layer| layer.kind() != "dropout") {
                at = graph.append(&node.name, layer, &[at])?;
            }
            before = wire;
        }
        let head = graph.finish(at);
        let offset = net.parameters() - head.parameters();
        Ok(Self { net: head, cut, offset })
    }

    /// Its part of the whole network's parameters.
    pub(super) fn params(&self, whole: &Params) -> Params {
        let mut params = self.net.zeros();
        params.values_mut().copy_from_slice(&whole.values()[self.offset..]);
        params
    }

    /// The whole network's parameters with this end.
    pub(super) fn put(&self, own: &Params, whole: &Params) -> Params {
        let mut params = whole.clone();
        params.values_mut()[self.offset..].copy_from_slice(own.values());
        params
    }
}
