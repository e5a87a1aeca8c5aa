//! DeepConvNet, the sources' network (`sources/002`, after Saitoh 2016, chapter 8): six 3 × 3 convolutions in three
//! pairs, each pair followed by 2 × 2 max pooling, and two affine layers.

use crate::error::Result;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::dropout::Dropout;
use crate::nn::layers::flatten::Flatten;
use crate::nn::layers::pool::Pool;
use crate::nn::{Conv, Graph, Wire};
use crate::shape::Window;

/// Filters and padding of the six convolutions; the fourth's padding of 2 makes 14 × 14 into 16 × 16.
const CONVOLUTIONS: [(usize, usize); 6] = [(16, 1), (16, 1), (32, 1), (32, 2), (64, 1), (64, 1)];

/// Wires DeepConvNet behind `x` and returns its 10 class scores. `dropout` is the ratio dropped of the hidden layer and
/// of the scores while training; the sources drop half of both.
pub fn deep_convnet(g: &mut Graph, mut x: Wire, dropout: [f32; 2]) -> Result<Wire> {
    for (i, (filters, pad)) in CONVOLUTIONS.into_iter().enumerate() {
        let n = i + 1;
        x = g.add(&format!("conv{n}"), Conv::new(filters, 3).pad(pad), &[x])?;
        x = g.add(&format!("relu{n}"), Relu, &[x])?;
        if n % 2 == 0 {
            x = g.add(&format!("pool{}", n / 2), Pool::Max(Window::square(2).stride(2)), &[x])?;
        }
    }
    x = g.add("flatten", Flatten, &[x])?;
    x = g.add("affine1", Affine::new(50), &[x])?;
    x = g.add("relu7", Relu, &[x])?;
    x = g.add("dropout1", Dropout(dropout[0]), &[x])?;
    x = g.add("affine2", Affine::new(10), &[x])?;
    g.add("dropout2", Dropout(dropout[1]), &[x])
}
