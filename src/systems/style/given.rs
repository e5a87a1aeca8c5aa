//! The network in a file that somebody has: which one it is, and no more of its numbers than are looked at.

use crate::error::{Error, Result};
use crate::file::safetensors;
use crate::nn::{Graph, Network, Params, Wire, description};
use crate::shape::Shape;
use crate::zoo::{self, vgg};
use std::collections::BTreeMap;
use std::sync::Arc;

type Named = (String, Network, Params, BTreeMap<String, String>);

/// Reads a file's network up to its last map.
pub(super) fn read(bytes: &[u8]) -> Result<Named> {
    let (shapes, metadata) = safetensors::list(bytes)?;
    let (name, net) = match (metadata.get("network"), metadata.get("architecture")) {
        (Some(description), _) => (None, description::read(description)?),
        (None, Some(name)) => (Some(name.as_str()), zoo::build(name)?),
        (None, None) => {
            let (name, net) = torchvision(&shapes)?;
            (Some(name), net)
        }
    };
    let name = metadata.get("name").map(String::as_str).or(name).unwrap_or("network").to_string();
    let net = maps(&net)?;
    let wanted = |name: &str| net.views().iter().any(|view| view.name == name);
    let weights = safetensors::read_some(bytes, wanted)?;
    let mut params = net.zeros();
    params.load(&weights.tensors)?;
    Ok((name, net, params, metadata))
}

/// The beginning of a network that reads pictures of any size. A VGG's classifier is nine tenths of it.
fn maps(net: &Network) -> Result<Network> {
    let classifies = |wire: &Wire| {
        let layer = net.node(*wire).layer.as_ref();
        layer.is_some_and(|layer| matches!(layer.kind(), "flatten" | "affine" | "global_average_pool"))
    };
    let last = net.wires().take_while(|wire| !classifies(wire)).last().expect("an input");
    net.front(last, net.input_shape(), Arc::clone)
}

/// Every VGG that torchvision has, with the number of its convolutions' stages.
const VGGS: [(&str, [usize; 5], bool); 8] = [
    ("vgg11", vgg::VGG11, false),
    ("vgg13", vgg::VGG13, false),
    ("vgg16", vgg::VGG16, false),
    ("vgg19", vgg::VGG19, false),
    ("vgg11_bn", vgg::VGG11, true),
    ("vgg13_bn", vgg::VGG13, true),
    ("vgg16_bn", vgg::VGG16, true),
    ("vgg19_bn", vgg::VGG19, true),
];

/// The VGG whose convolutions' parameters have exactly these names and shapes; a classifier may stand behind.
fn torchvision(shapes: &[(String, Vec<usize>)]) -> Result<(&'static str, Network)> {
    let counted = |name: &str| name.starts_with("features.") && !name.ends_with(".num_batches_tracked");
    let own = shapes.iter().filter(|(name, _)| counted(name)).count();
    for (name, stages, norm) in VGGS {
        let mut graph = Graph::new();
        let x = graph.input("input", Shape::new(3, 224, 224))?;
        let output = vgg::convolutions(&mut graph, x, stages, norm)?;
        let net = graph.finish(output);
        let there = |(name, shape): (&String, &Vec<usize>)| shapes.iter().any(|(n, s)| n == name && s == shape);
        if own == net.views().len() && net.views().iter().all(|view| there((&view.name, &view.shape))) {
            return Ok((name, net));
        }
    }
    let names: Vec<&str> = shapes.iter().map(|(name, _)| name.as_str()).take(8).collect();
    Err(Error::missing(
        "feature network",
        "metadata with a network, or the parameters of torchvision's vgg11 to vgg19_bn",
        names.join(", "),
    ))
}
