//! A network to learn MNIST in one epoch: three convolutions, a hidden layer, and batch normalisation behind all but the first
//! convolution, so that a high rate does no harm.
//!
//! It is shaped for speed. The first convolution reads 5 × 5 windows at every second pixel, without padding: MNIST leaves its
//! frame empty, and the maps of 12 × 12 divide into the 4 × 4 tiles of minimal filtering, where 14 × 14 need 16 tiles for 9. The
//! pooling comes before its normalisation, a quarter of the numbers. The last convolution's 4 × 4 outputs are one tile, and need
//! no pooling. With 3 × 3 windows, padding and 16, 32 and 64 filters a step took 1.8 times as long in WebAssembly, and 1,300 of those
//! steps, for which 1,719 of these leave time, read 0.06 points fewer of the validation images (means of six seeds).

use super::blocks::max_pool;
use crate::error::Result;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::flatten::Flatten;
use crate::nn::{Conv, Graph, Wire};

/// Wires the network behind `x` and returns its 10 class scores.
pub fn fast(g: &mut Graph, x: Wire) -> Result<Wire> {
    let x = g.add("conv1", Conv::new(24, 5).stride(2), &[x])?;
    let x = g.add("relu1", Relu, &[x])?;
    let x = g.add("conv2", Conv { bias: false, ..Conv::new(24, 3).pad(1) }, &[x])?;
    let x = g.add("pool2", max_pool(2, 2), &[x])?;
    let x = g.add("norm2", BatchNorm::default(), &[x])?;
    let x = g.add("relu2", Relu, &[x])?;
    let x = g.add("conv3", Conv { bias: false, ..Conv::new(48, 3) }, &[x])?;
    let x = g.add("norm3", BatchNorm::default(), &[x])?;
    let x = g.add("relu3", Relu, &[x])?;
    let x = g.add("flatten", Flatten, &[x])?;
    let x = g.add("affine1", Affine { bias: false, ..Affine::new(128) }, &[x])?;
    let x = g.add("norm4", BatchNorm::default(), &[x])?;
    let x = g.add("relu4", Relu, &[x])?;
    g.add("affine2", Affine::new(10), &[x])
}
