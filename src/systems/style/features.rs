//! A feature network: what it is called, how it wants its pictures, and which of its layers can be looked at.

use super::{given, wired};
use crate::error::{Error, Result};
use crate::nn::layers::act::Activation;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::norm::Norm;
use crate::nn::layers::pool::Pool;
use crate::nn::layers::prelu::Prelu;
use crate::nn::{Graph, Init, Network, Params, Wire};
use crate::shape::{Shape, Window};
use crate::zoo;
use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Mean and deviation of red, green and blue in ImageNet's photographs, which networks from there expect to be taken off.
const IMAGENET: [[f32; 3]; 2] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]];
/// Those of networks of this project.
pub(super) const OWN: [[f32; 3]; 2] = [[0.5; 3], [0.25; 3]];

/// A network that sees: it stays as it is, and every picture passes it on its way to a loss.
pub struct Features {
    pub(super) name: String,
    pub(super) net: Network,
    pub(super) params: Params,
    /// Mean and deviation of each colour.
    pub(super) scale: [[f32; 3]; 2],
    layers: Vec<Layer>,
}

/// One layer that can be looked at: a convolution, behind its activation.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// `conv1_1` to `conv5_4` in a VGG; the convolution's own name where a network branches.
    pub name: String,
    /// Where in the network.
    pub(super) wire: Wire,
    /// Channels.
    pub channels: usize,
    /// Pixels of the picture to one of its maps.
    pub stride: usize,
    /// How much it counts as content, if nothing else is asked for.
    pub content: f32,
    /// How much it counts as style.
    pub style: f32,
}

impl Features {
    /// Filters drawn at random from `seed`, of several scales: [`zoo::style::scales`].
    pub fn random(seed: u64) -> Result<Self> {
        let net = front(zoo::style::scales, Shape::new(3, 64, 64))?;
        let mut params = net.zeros();
        Init::He.fill(&mut params, seed)?;
        Self::of("random", net, params, OWN)
    }

    /// The network in a safetensors file: one that says what it holds, or a VGG under torchvision's names, of which only the
    /// convolutions are read.
    ///
    /// Errors: those of [`crate::file::safetensors::read`]; [`Error::Missing`] for a file of another network,
    /// [`Error::Shape`] for one that does not begin with convolutions of red, green and blue.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let (name, net, params, metadata) = given::read(bytes)?;
        Self::new(&name, &net, &params, &metadata)
    }

    /// As [`Features::read`] for a network that is there already. Maximum poolings become averages, as the paper has it
    /// (section 2), and what is behind the last map is left out. `mean` and `std` in the metadata say how pictures are
    /// scaled; ImageNet's are the default.
    pub fn new(name: &str, net: &Network, params: &Params, metadata: &BTreeMap<String, String>) -> Result<Self> {
        let three = |key: &str, default: [f32; 3]| match metadata.get(key) {
            None => Ok(default),
            Some(text) => serde_json::from_str(text).map_err(|e| Error::format(key, "[red, green, blue]", e)),
        };
        let scale = [three("mean", IMAGENET[0])?, three("std", IMAGENET[1])?];
        let input = net.input_shape();
        if input.c != 3 || scale[1].iter().any(|v| v.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater)) {
            return Err(Error::shape("feature network", "one that reads red, green and blue", input));
        }
        let last = last_map(net)?;
        let (net, params) = wired(&averaged(net, last)?, params, last, (input.h, input.w))?;
        Self::of(name, net, params, scale)
    }

    pub(super) fn of(name: &str, net: Network, params: Params, scale: [[f32; 3]; 2]) -> Result<Self> {
        let layers = layers(&net);
        Ok(Self { name: name.into(), net, params, scale, layers })
    }

    /// What it is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Parameters.
    pub fn parameters(&self) -> usize {
        self.net.parameters()
    }

    /// The layers that can be looked at, in order.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The layer of that name.
    pub fn layer(&self, name: &str) -> Result<&Layer> {
        self.layers.iter().find(|layer| layer.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.layers.iter().map(|layer| layer.name.as_str()).collect();
            Error::missing("layer", format!("one of {}", names.join(", ")), name)
        })
    }
}

/// A network of the zoo's behind an input.
pub(super) fn front(wire: fn(&mut Graph, Wire) -> Result<Wire>, input: Shape) -> Result<Network> {
    let mut graph = Graph::new();
    let x = graph.input("input", input)?;
    let output = wire(&mut graph, x)?;
    Ok(graph.finish(output))
}

fn kind(net: &Network, wire: Wire) -> &'static str {
    net.node(wire).layer.as_ref().map_or("input", |layer| layer.kind())
}

/// Whether a layer reads pictures of any size: it is none that knows how many numbers come.
fn of_any_size(kind: &str) -> bool {
    !matches!(kind, "affine" | "flatten" | "global_average_pool" | "layer_norm" | "scale")
}

/// The last wire that convolutions lead to, whatever a picture's size.
fn last_map(net: &Network) -> Result<Wire> {
    let fronts = net.wires().take_while(|&wire| of_any_size(kind(net, wire)));
    let mut last = None;
    for wire in fronts {
        let follows = last.is_some_and(|last| net.node(wire).inputs == [last])
            && net.node(wire).layer.as_ref().is_some_and(|l| l.in_place());
        if kind(net, wire) == "conv" || follows {
            last = Some(wire);
        }
    }
    last.ok_or_else(|| Error::shape("feature network", "convolutions at its beginning", net.input_shape()))
}

/// The network up to `last` with averages for maxima.
fn averaged(net: &Network, last: Wire) -> Result<Network> {
    net.front(last, net.input_shape(), |layer| match (&**layer as &dyn Any).downcast_ref::<Pool>() {
        Some(Pool::Max(window @ Window { pad: (0, 0), dilation: (1, 1), .. })) => Arc::new(Pool::Average(*window)),
        _ => layer.clone(),
    })
}

/// Whether every layer reads the one before it.
fn is_chain(net: &Network) -> bool {
    net.wires().zip(net.wires().skip(1)).all(|(before, wire)| net.node(wire).inputs == [before])
}

/// Every convolution, behind its activation, named and weighted as Gatys et al. do it for VGG: style in the first layer of
/// each stage, content in the second of the last but one.
fn layers(net: &Network) -> Vec<Layer> {
    let (chain, wires) = (is_chain(net), net.wires().collect::<Vec<_>>());
    let (mut stage, mut place) = (1, 0);
    let mut found: Vec<(Layer, (usize, usize))> = Vec::new();
    for (i, &wire) in wires.iter().enumerate() {
        if kind(net, wire).ends_with("_pool") {
            (stage, place) = (stage + 1, 0);
        }
        if kind(net, wire) != "conv" {
            continue;
        }
        place += 1;
        let behind = |w: &&Wire, from: Wire| {
            let node = net.node(**w);
            node.inputs == [from]
                && node.layer.as_ref().is_some_and(|l| {
                    let any: &dyn Any = &**l;
                    any.is::<Activation>() || any.is::<Prelu>() || any.is::<BatchNorm>() || any.is::<Norm>()
                })
        };
        let mut seen = wire;
        while let Some(next) = wires[i + 1..].iter().find(|w| behind(w, seen)) {
            seen = *next;
        }
        let (shape, whole) = (net.node(seen).shape, net.input_shape());
        let name = if chain { format!("conv{stage}_{place}") } else { net.node(wire).name.clone() };
        let stride = (whole.h + shape.h / 2) / shape.h.max(1);
        let layer = Layer { name, wire: seen, channels: shape.c, stride, content: 0.0, style: 0.0 };
        found.push((layer, (stage, place)));
    }
    let stages = found.last().map_or(1, |(_, (stage, _))| *stage);
    let styled = found.iter().filter(|(_, (_, place))| !chain || *place == 1).count();
    let content = found.iter().position(|(_, at)| *at == (stages.saturating_sub(1), 2));
    let content = content.filter(|_| chain).unwrap_or(found.len() / 2);
    for (i, (layer, (_, place))) in found.iter_mut().enumerate() {
        layer.style = if !chain || *place == 1 { 1.0 / styled as f32 } else { 0.0 };
        layer.content = if i == content { 1.0 } else { 0.0 };
    }
    found.into_iter().map(|(layer, _)| layer).collect()
}
