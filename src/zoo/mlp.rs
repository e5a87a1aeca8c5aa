//! The sources' three-layer perceptron (Saitoh 2016, chapter 3): 784–50–100–10 with sigmoids.

use crate::error::Result;
use crate::nn::layers::act::Activation::Sigmoid;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::flatten::Flatten;
use crate::nn::{Graph, Wire};

/// Wires the perceptron behind `x` and returns its 10 class scores.
pub fn three_layer_mlp(g: &mut Graph, x: Wire) -> Result<Wire> {
    let x = g.add("flatten", Flatten, &[x])?;
    let x = g.add("affine1", Affine::new(50), &[x])?;
    let x = g.add("sigmoid1", Sigmoid, &[x])?;
    let x = g.add("affine2", Affine::new(100), &[x])?;
    let x = g.add("sigmoid2", Sigmoid, &[x])?;
    g.add("affine3", Affine::new(10), &[x])
}
