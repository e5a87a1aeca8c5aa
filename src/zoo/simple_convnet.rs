//! SimpleConvNet, the sources' small network (Saitoh 2016, chapter 7): one 5 × 5 convolution, pooling, two affine
//! layers.

use crate::error::Result;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::flatten::Flatten;
use crate::nn::layers::pool::Pool;
use crate::nn::{Conv, Graph, Wire};
use crate::shape::Window;

/// Wires SimpleConvNet behind `x` and returns its 10 class scores.
pub fn simple_convnet(g: &mut Graph, x: Wire) -> Result<Wire> {
    let x = g.add("conv1", Conv::new(30, 5), &[x])?;
    let x = g.add("relu1", Relu, &[x])?;
    let x = g.add("pool1", Pool::Max(Window::square(2).stride(2)), &[x])?;
    let x = g.add("flatten", Flatten, &[x])?;
    let x = g.add("affine1", Affine::new(100), &[x])?;
    let x = g.add("relu2", Relu, &[x])?;
    g.add("affine2", Affine::new(10), &[x])
}
