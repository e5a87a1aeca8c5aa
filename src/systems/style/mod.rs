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
use crate::nn::{Network, Params, Wire};
use crate::shape::Shape;
use std::sync::Arc;

/// A network up to the wire `last` for pictures of another size, frozen, with its parameters.
fn wired(net: &Network, params: &Params, last: Wire, (h, w): (usize, usize)) -> Result<(Network, Params)> {
    let front = net.front(last, Shape::new(net.input_shape().c, h, w), Arc::clone)?;
    let own = front.params_from(params)?;
    Ok((if front.views().is_empty() { front } else { front.freeze(&["*"])? }, own))
}
