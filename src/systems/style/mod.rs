//! Neural style: a picture that shows what one picture shows, in the hand of another.
//!
//! [`Painting`] is the slow way, the image itself descending to the losses (Gatys et al. 2016, "Image style transfer using
//! convolutional neural networks"); [`Stylizer`] the quick one, a network that has learnt one hand (Johnson et al. 2016).
//! What both are measured by is seen by [`Features`]: a network that stays as it is.

mod colour;
mod eye;
mod features;
mod given;
mod goal;
mod painting;
mod stylizer;
pub mod teach;

pub use features::{Features, Layer};
pub use goal::{Goal, LayerLoss, Losses, Weights};
pub use painting::{KeepColours, Options, Painting, Report, Start, Way, need, pyramid};
pub use stylizer::Stylizer;

use crate::error::Result;
use crate::nn::{Graph, Network, Params, Wire};
use crate::shape::Shape;

/// A network up to the wire `last` for pictures of another size, frozen, with its parameters.
fn wired(net: &Network, params: &Params, last: Wire, (h, w): (usize, usize)) -> Result<(Network, Params)> {
    let (mut graph, mut wires) = (Graph::new(), Vec::new());
    let number = |wire: Wire| net.wires().position(|w| w == wire).expect("a wire of this network");
    for (_, node) in net.wires().zip(net.nodes()).take_while(|(wire, _)| *wire <= last) {
        let inputs: Vec<Wire> = node.inputs.iter().map(|from| wires[number(*from)]).collect();
        wires.push(match &node.layer {
            None => graph.input(&node.name, Shape::new(node.shape.c, h, w))?,
            Some(layer) => graph.append(&node.name, layer.clone(), &inputs)?,
        });
    }
    let net = graph.finish(wires[wires.len() - 1]);
    let mut own = net.zeros();
    for view in net.views() {
        own.set(&view.name, &params.get(&view.name)?)?;
    }
    Ok((if net.views().is_empty() { net } else { net.freeze(&["*"])? }, own))
}
