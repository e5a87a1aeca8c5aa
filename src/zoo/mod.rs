//! Floor 3: one short file per paper, and the catalogue that names them.

pub mod deep_convnet;
pub mod mlp;
pub mod simple_convnet;
pub mod textbook;

use crate::error::{Error, Result};
use crate::nn::{Graph, Network, Wire};
use crate::shape::Shape;

/// One row of the catalogue.
pub struct Architecture {
    /// The name that files, the command and the page know it by.
    pub name: &'static str,
    /// One line for people.
    pub about: &'static str,
    /// The shape of one input image.
    pub input: Shape,
    /// Wires it behind an input and returns its class scores.
    pub wire: fn(&mut Graph, Wire) -> Result<Wire>,
}

/// MNIST's images.
const DIGIT: Shape = Shape::new(1, 28, 28);

/// Every architecture there is.
pub const CATALOGUE: &[Architecture] = &[
    Architecture {
        name: "deep_convnet",
        about: "six 3 × 3 convolutions in three pairs and two affine layers (Saitoh 2016, chapter 8)",
        input: DIGIT,
        wire: |g, x| deep_convnet::deep_convnet(g, x, [0.5, 0.5]),
    },
    Architecture {
        name: "simple_convnet",
        about: "one 5 × 5 convolution and two affine layers (Saitoh 2016, chapter 7)",
        input: DIGIT,
        wire: simple_convnet::simple_convnet,
    },
    Architecture {
        name: "three_layer_mlp",
        about: "784–50–100–10 with sigmoids (Saitoh 2016, chapter 3)",
        input: DIGIT,
        wire: mlp::three_layer_mlp,
    },
];

/// The catalogue's row of that name.
pub fn architecture(name: &str) -> Result<&'static Architecture> {
    CATALOGUE.iter().find(|a| a.name == name).ok_or_else(|| {
        let names: Vec<&str> = CATALOGUE.iter().map(|a| a.name).collect();
        Error::missing("architecture", format!("one of {}", names.join(", ")), name)
    })
}

/// Builds an architecture by name.
pub fn build(name: &str) -> Result<Network> {
    build_with(name, architecture(name)?.wire)
}

/// Builds an architecture by name with a wiring of its own: the same parameters, another dropout, say.
pub fn build_with(name: &str, wire: fn(&mut Graph, Wire) -> Result<Wire>) -> Result<Network> {
    let mut graph = Graph::new();
    let x = graph.input("input", architecture(name)?.input)?;
    let output = wire(&mut graph, x)?;
    Ok(graph.finish(output))
}
