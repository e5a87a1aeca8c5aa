//! A network to learn MNIST in one epoch: three 3 × 3 convolutions, a hidden layer, and batch normalisation behind all but the
//! first convolution, so that a high rate does no harm. The first one halves the picture by its stride: over all of it, in
//! 3 × 3 or 5 × 5 windows and pooled, it read no more of the validation images and took a third more time. The others are pooled
//! before they are normalised: a quarter of the numbers.

use super::blocks::max_pool;
use crate::error::Result;
use crate::nn::act::Activation::Relu;
use crate::nn::affine::Affine;
use crate::nn::batch_norm::BatchNorm;
use crate::nn::flatten::Flatten;
use crate::nn::{Conv, Graph, Wire};

/// Wires the network behind `x` and returns its 10 class scores.
pub fn fast(g: &mut Graph, x: Wire) -> Result<Wire> {
    let x = g.add("conv1", Conv::new(16, 3).stride(2).pad(1), &[x])?;
    let x = g.add("relu1", Relu, &[x])?;
    let x = g.add("conv2", Conv { bias: false, ..Conv::new(32, 3).pad(1) }, &[x])?;
    let x = g.add("pool2", max_pool(2, 2), &[x])?;
    let x = g.add("norm2", BatchNorm::default(), &[x])?;
    let x = g.add("relu2", Relu, &[x])?;
    let x = g.add("conv3", Conv { bias: false, ..Conv::new(64, 3).pad(1) }, &[x])?;
    let x = g.add("pool3", max_pool(2, 2), &[x])?;
    let x = g.add("norm3", BatchNorm::default(), &[x])?;
    let x = g.add("relu3", Relu, &[x])?;
    let x = g.add("flatten", Flatten, &[x])?;
    let x = g.add("affine1", Affine { bias: false, ..Affine::new(128) }, &[x])?;
    let x = g.add("norm4", BatchNorm::default(), &[x])?;
    let x = g.add("relu4", Relu, &[x])?;
    g.add("affine2", Affine::new(10), &[x])
}
