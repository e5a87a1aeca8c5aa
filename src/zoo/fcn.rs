//! FCN: a network without affine layers answers at every place, and answers of earlier, finer maps are added to those of the
//! last (Long, Shelhamer and Darrell 2015, sections 3 and 4).
//!
//! The paper begins with a network that was trained to classify. This one has the maps of this project's detector
//! ([`super::faster_rcnn`]), under the same names, so that it can begin with the detector's weights. A sheet has 128 pixels a
//! side where the paper's photographs have 500, and the strides are half of the paper's: 16, 8 and 4. The answers keep the
//! paper's names. Residual blocks on each map let a pixel at one end of a digit see all of it, and work at telling digits apart
//! at every size. One thing is not the paper's: strokes are a few pixels wide, so that FCN-8s has scores of a map of stride 2
//! besides, which is read together with the maps of classes; a transposed convolution scores each pixel by itself.

use super::blocks::{conv_norm_act, residuals};
use super::faster_rcnn::{Maps, joined, maps};
use crate::error::Result;
use crate::kernel::resize::Between::{Bilinear, Nearest};
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::add::Add;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::conv_transpose::ConvTranspose;
use crate::nn::layers::upsample::Upsample;
use crate::nn::{Conv, Graph, Params, Wire};
use crate::shape::Window;
use crate::tensor::Tensor;
use ndarray::IxDyn;

/// The layers that double scores and learn to: from FCN-32s to 16s and from 16s to 8s. To the picture's size they are enlarged
/// as in the paper, by bilinear interpolation that does not learn.
const DOUBLING: [&str; 2] = ["double16", "double8"];

/// Channels of the map of stride 2 that pixels are scored by.
const PIXEL: usize = 24;

/// The layers with the scores of FCN-32s and FCN-16s before they are enlarged, and their strides.
pub const COARSE: [(&str, usize); 2] = [("score32", 16), ("fuse16", 8)];

/// Wires an FCN behind `x`, three channels, sides multiples of 16, and returns the scores of every pixel by FCN-32s, FCN-16s
/// and FCN-8s, of which each is wired upon the one before.
pub fn fcn(g: &mut Graph, x: Wire, classes: usize) -> Result<[Wire; 3]> {
    let Maps { half, fine, middle, coarse } = maps(g, x)?;
    let coarse = residuals(g, coarse, "deep16", &[1, 2, 1, 2, 1])?;
    let scores32 = g.add("score32", Conv::new(classes, 1), &[coarse])?;
    let all32 = g.add("out32", Upsample { scale: 16, between: Bilinear }, &[scores32])?;
    let middle = joined(g, middle, coarse, "8")?;
    let middle = residuals(g, middle, "deep8", &[1, 2, 1, 2, 1])?;
    let scores16 = fused(g, scores32, middle, classes, DOUBLING[0], "16")?;
    let all16 = g.add("out16", Upsample { scale: 8, between: Bilinear }, &[scores16])?;
    let fine = joined(g, fine, middle, "4")?;
    let fine = residuals(g, fine, "deep4", &[1, 2, 1, 2])?;
    // What the affine layer of a classifier has become.
    let x = conv(g, fine, "fc1", Conv::new(64, 1))?;
    let scores8 = fused(g, scores16, x, classes, DOUBLING[1], "8")?;
    let larger = g.add("enlarged", Upsample { scale: 4, between: Bilinear }, &[scores8])?;
    let own = pixels(g, half, fine, classes)?;
    let all8 = g.add("fuse_pixel", Add, &[larger, own])?;
    Ok([all32, all16, all8])
}

/// The scores that each pixel has of its own.
fn pixels(g: &mut Graph, half: Wire, fine: Wire, classes: usize) -> Result<Wire> {
    let own = g.add("lateral2", Conv::new(PIXEL, 3).pad(1), &[half])?;
    let thin = g.add("thin2", Conv::new(PIXEL, 1), &[fine])?;
    let larger = g.add("up2", Upsample { scale: 2, between: Nearest }, &[thin])?;
    let x = g.add("sum2", Add, &[own, larger])?;
    let x = g.add("relu2", Relu, &[x])?;
    let x = conv(g, x, "pixel", Conv::new(PIXEL, 3).pad(1))?;
    let window = Window::square(2).stride(2);
    g.add("score_pixel", ConvTranspose { window, ..ConvTranspose::new(classes, 2) }, &[x])
}

fn conv(g: &mut Graph, x: Wire, name: &str, conv: Conv) -> Result<Wire> {
    conv_norm_act(g, x, name, conv, BatchNorm::default(), Relu)
}

/// Scores made twice as large, and those of a finer map added.
fn fused(g: &mut Graph, scores: Wire, map: Wire, classes: usize, up: &str, name: &str) -> Result<Wire> {
    let larger = g.add(up, doubling(classes), &[scores])?;
    let own = g.add(&format!("score{name}"), Conv::new(classes, 1), &[map])?;
    g.add(&format!("fuse{name}"), Add, &[larger, own])
}

fn doubling(classes: usize) -> ConvTranspose {
    ConvTranspose { bias: false, window: Window::square(4).stride(2).pad(1), ..ConvTranspose::new(classes, 4) }
}

/// Lets the layers that double scores begin as bilinear interpolation of each class by itself (section 4.3). Errors: those of
/// [`Params::get`], for the parameters of another network.
pub fn begin_bilinear(params: &mut Params) -> Result<()> {
    const TENT: [f32; 4] = [0.25, 0.75, 0.75, 0.25];
    for name in DOUBLING.map(|name| format!("{name}.weight")) {
        let shape = params.get(&name)?.shape().to_vec();
        let weight = |at: IxDyn| if at[0] == at[1] { TENT[at[2]] * TENT[at[3]] } else { 0.0 };
        params.set(&name, &Tensor::from_shape_fn(IxDyn(&shape), weight))?;
    }
    Ok(())
}
