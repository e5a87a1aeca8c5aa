//! Floor 3: one short file per paper, and the catalogue that names them. How to add one is told in [`lenet`].

pub mod alexnet;
mod blocks;
pub mod dcgan;
pub mod deep_convnet;
pub mod dqn;
pub mod efficientnet;
pub mod fast;
pub mod faster_rcnn;
pub mod fcn;
pub mod few_bits;
pub mod googlenet;
pub mod lenet;
pub mod mlp;
pub mod nic;
pub mod rcnn;
pub mod resnet;
pub mod segnet;
pub mod simple_convnet;
pub mod style;
pub mod textbook;
pub mod tiny;
pub mod vgg;

use crate::error::{Error, Result};
use crate::nn::{Graph, Network, Wire};
use crate::shape::Shape;
use resnet::Block::{Basic, Bottleneck};

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

/// A photograph's three colours.
const fn photograph(side: usize) -> Shape {
    Shape::new(3, side, side)
}

const fn digits(name: &'static str, about: &'static str, wire: fn(&mut Graph, Wire) -> Result<Wire>) -> Architecture {
    Architecture { name, about, input: DIGIT, wire }
}

const fn full(name: &'static str, side: usize, wire: fn(&mut Graph, Wire) -> Result<Wire>) -> Architecture {
    Architecture { name, about: "the paper's size, for ImageNet's 1,000 classes", input: photograph(side), wire }
}

/// Every architecture for digits.
pub const CATALOGUE: &[Architecture] = &[
    digits(
        "deep_convnet",
        "six 3 × 3 convolutions in three pairs and two affine layers (Saitoh 2016, chapter 8)",
        |g, x| deep_convnet::deep_convnet(g, x, [0.5, 0.5]),
    ),
    digits(
        "simple_convnet",
        "one 5 × 5 convolution and two affine layers (Saitoh 2016, chapter 7)",
        simple_convnet::simple_convnet,
    ),
    digits("three_layer_mlp", "784–50–100–10 with sigmoids (Saitoh 2016, chapter 3)", mlp::three_layer_mlp),
    digits("lenet5", "two 5 × 5 convolutions and three affine layers (LeCun et al. 1998)", lenet::lenet5),
    digits(
        "alexnet_mini",
        "overlapping pooling and local response normalisation (Krizhevsky et al. 2012)",
        alexnet::alexnet_mini,
    ),
    digits("vgg_mini", "3 × 3 convolutions in three stages (Simonyan and Zisserman 2015)", vgg::vgg_mini),
    digits(
        "googlenet_mini",
        "four Inception blocks, an auxiliary loss (Szegedy et al. 2015)",
        googlenet::googlenet_mini,
    ),
    digits("resnet_mini", "five residual blocks (He et al. 2016)", resnet::resnet_mini),
    digits(
        "efficientnet_mini",
        "six inverted bottlenecks with squeeze-and-excitation (Tan and Le 2019)",
        efficientnet::efficientnet_mini,
    ),
    digits("fast", "three convolutions and a hidden layer that learn MNIST in one epoch", fast::fast),
    digits("tiny", "five 3 × 3 convolutions in fewer than 10,000 parameters", tiny::tiny),
];

/// Networks for digits that learn to have few bits. Apart from the others: what only reads drawings does without.
pub const FEW_BITS: &[Architecture] = &[
    digits("tiny_mixed", "tiny with weights of 8, 8, 4, 4 and 2 bits", |g, x| {
        few_bits::tiny_bits(g, x, [8, 8, 4, 4, 2])
    }),
    digits("smallest", "tiny with weights of 2 bits behind the first layer's 8", |g, x| {
        few_bits::tiny_bits(g, x, [8, 2, 2, 2, 2])
    }),
    digits("binary", "four convolutions of one bit, weights and activations (Hubara et al. 2016)", few_bits::binary),
];

/// The papers' own sizes, under torchvision's names, its parameters' names included.
pub const IMAGENET: &[Architecture] = &[
    full("alexnet", 224, |g, x| alexnet::alexnet(g, x, 1000)),
    full("vgg11", 224, |g, x| vgg::vgg(g, x, vgg::VGG11, false, 1000)),
    full("vgg11_bn", 224, |g, x| vgg::vgg(g, x, vgg::VGG11, true, 1000)),
    full("vgg13", 224, |g, x| vgg::vgg(g, x, vgg::VGG13, false, 1000)),
    full("vgg13_bn", 224, |g, x| vgg::vgg(g, x, vgg::VGG13, true, 1000)),
    full("vgg16", 224, |g, x| vgg::vgg(g, x, vgg::VGG16, false, 1000)),
    full("vgg16_bn", 224, |g, x| vgg::vgg(g, x, vgg::VGG16, true, 1000)),
    full("vgg19", 224, |g, x| vgg::vgg(g, x, vgg::VGG19, false, 1000)),
    full("vgg19_bn", 224, |g, x| vgg::vgg(g, x, vgg::VGG19, true, 1000)),
    full("googlenet", 224, |g, x| googlenet::googlenet(g, x, 1000)),
    full("resnet18", 224, |g, x| resnet::resnet(g, x, Basic, [2, 2, 2, 2], 1000)),
    full("resnet34", 224, |g, x| resnet::resnet(g, x, Basic, [3, 4, 6, 3], 1000)),
    full("resnet50", 224, |g, x| resnet::resnet(g, x, Bottleneck, [3, 4, 6, 3], 1000)),
    full("resnet101", 224, |g, x| resnet::resnet(g, x, Bottleneck, [3, 4, 23, 3], 1000)),
    full("resnet152", 224, |g, x| resnet::resnet(g, x, Bottleneck, [3, 8, 36, 3], 1000)),
    efficientnet(0, "efficientnet_b0", |g, x| efficientnet::efficientnet(g, x, efficientnet::SIZES[0], 1000)),
    efficientnet(1, "efficientnet_b1", |g, x| efficientnet::efficientnet(g, x, efficientnet::SIZES[1], 1000)),
    efficientnet(2, "efficientnet_b2", |g, x| efficientnet::efficientnet(g, x, efficientnet::SIZES[2], 1000)),
    efficientnet(3, "efficientnet_b3", |g, x| efficientnet::efficientnet(g, x, efficientnet::SIZES[3], 1000)),
    efficientnet(4, "efficientnet_b4", |g, x| efficientnet::efficientnet(g, x, efficientnet::SIZES[4], 1000)),
    efficientnet(5, "efficientnet_b5", |g, x| efficientnet::efficientnet(g, x, efficientnet::SIZES[5], 1000)),
    efficientnet(6, "efficientnet_b6", |g, x| efficientnet::efficientnet(g, x, efficientnet::SIZES[6], 1000)),
    efficientnet(7, "efficientnet_b7", |g, x| efficientnet::efficientnet(g, x, efficientnet::SIZES[7], 1000)),
];

const fn efficientnet(b: usize, name: &'static str, wire: fn(&mut Graph, Wire) -> Result<Wire>) -> Architecture {
    full(name, efficientnet::SIZES[b].side, wire)
}

/// The row of that name, of all there are.
pub fn architecture(name: &str) -> Result<&'static Architecture> {
    row(&[CATALOGUE, FEW_BITS, IMAGENET], name)
}

/// The row of that name among those for digits. Who reads nothing else needs no other paper's network in their program.
pub fn for_digits(name: &str) -> Result<&'static Architecture> {
    row(&[CATALOGUE], name)
}

fn row(tables: &[&'static [Architecture]], name: &str) -> Result<&'static Architecture> {
    let all = || tables.iter().flat_map(|rows| rows.iter());
    all().find(|a| a.name == name).ok_or_else(|| {
        let names: Vec<&str> = all().map(|a| a.name).collect();
        Error::missing("architecture", format!("one of {}", names.join(", ")), name)
    })
}

/// Builds an architecture by name.
pub fn build(name: &str) -> Result<Network> {
    architecture(name)?.build()
}

/// Builds an architecture by name with a wiring of its own: the same parameters, another dropout, say.
pub fn build_with(name: &str, wire: fn(&mut Graph, Wire) -> Result<Wire>) -> Result<Network> {
    Architecture { wire, ..*architecture(name)? }.build()
}

impl Architecture {
    /// The network.
    pub fn build(&self) -> Result<Network> {
        let mut graph = Graph::new();
        let x = graph.input("input", self.input)?;
        let output = (self.wire)(&mut graph, x)?;
        Ok(graph.finish(output))
    }
}
