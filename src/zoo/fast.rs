//! A network to learn MNIST in seconds: three 3 × 3 convolutions, each halved by pooling, and one affine layer. A fifth of
//! DeepConvNet's products, and nothing in it that a short training does not need: beside it batch normalisation cost 30 %
//! more time and read no more digits after one epoch.

use crate::error::Result;
use crate::nn::act::Activation::Relu;
use crate::nn::affine::Affine;
use crate::nn::flatten::Flatten;
use crate::nn::pool::Pool;
use crate::nn::{Conv, Graph, Wire};
use crate::shape::Window;

/// Wires the network behind `x` and returns its 10 class scores.
pub fn fast(g: &mut Graph, mut x: Wire) -> Result<Wire> {
    for (i, filters) in [16, 32, 64].into_iter().enumerate() {
        let n = i + 1;
        x = g.add(&format!("conv{n}"), Conv::new(filters, 3).pad(1), &[x])?;
        x = g.add(&format!("relu{n}"), Relu, &[x])?;
        x = g.add(&format!("pool{n}"), Pool::Max(Window::square(2).stride(2)), &[x])?;
    }
    x = g.add("flatten", Flatten, &[x])?;
    g.add("affine1", Affine::new(10), &[x])
}
