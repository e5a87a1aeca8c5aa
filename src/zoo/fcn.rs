//! FCN: a network without affine layers answers at every place, and answers of earlier, finer maps are added to those of the
//! last (Long, Shelhamer and Darrell 2015, sections 3 and 4).
//!
//! The paper begins with a network that was trained to classify. This one has the maps of this project's detector
//! ([`super::faster_rcnn`]), under the same names, so that it can begin with the detector's weights. A sheet has 128 pixels a
//! side where the paper's photographs have 500, and the strides are half of the paper's: 16, 8 and 4. The answers keep the
//! paper's names. Two more convolutions of the coarsest map let every pixel of a digit see all of it. One thing is not the paper's: strokes are a few pixels wide, so that FCN-8s has scores of a map of stride 2
//! besides, by a transposed convolution that scores each pixel by itself.

use super::blocks::conv_norm_act;
use super::faster_rcnn::{Maps, maps};
use crate::error::Result;
use crate::kernel::resize::Between::Bilinear;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::add::Add;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::conv_transpose::ConvTranspose;
use crate::nn::layers::upsample::Upsample;
use crate::nn::{Conv, Graph, Params, Wire};
use crate::shape::Window;
use crate::tensor::Tensor;
use ndarray::IxDyn;

/// The layers that double scores and learn to: from FCN-32s to 16s, from 16s to 8s, and twice to the picture's size.
const DOUBLING: [&str; 4] = ["double16", "double8", "double_half", "double_out"];

/// The layers with the scores of FCN-32s and FCN-16s before they are enlarged, and their strides.
pub const COARSE: [(&str, usize); 2] = [("score32", 16), ("fuse16", 8)];

/// Wires an FCN behind `x`, three channels, sides multiples of 16, and returns the scores of every pixel by FCN-32s, FCN-16s
/// and FCN-8s, of which each is wired upon the one before.
pub fn fcn(g: &mut Graph, x: Wire, classes: usize) -> Result<[Wire; 3]> {
    let Maps { half, coarse, middle, fine } = maps(g, x, deeper)?;
    let scored = g.add("score32", Conv::new(classes, 1), &[coarse])?;
    let all32 = g.add("out32", Upsample { scale: 16, between: Bilinear }, &[scored])?;
    let scores16 = fused(g, scored, middle, classes, DOUBLING[0], "16")?;
    let all16 = g.add("out16", Upsample { scale: 8, between: Bilinear }, &[scores16])?;
    // What the affine layers of a classifier have become.
    let x = conv(g, fine, "fc1", Conv::new(64, 1))?;
    let x = conv(g, x, "fc2", Conv::new(64, 1))?;
    let scores8 = fused(g, scores16, x, classes, DOUBLING[1], "8")?;
    let larger = g.add(DOUBLING[2], doubling(classes), &[scores8])?;
    let larger = g.add(DOUBLING[3], doubling(classes), &[larger])?;
    let x = conv(g, half, "half1", Conv::new(16, 3).pad(1))?;
    let x = conv(g, x, "half2", Conv::new(16, 3).pad(1))?;
    let own = g.add("score_pixel", doubling(classes), &[x])?;
    let all8 = g.add("fuse_pixel", Add, &[larger, own])?;
    Ok([all32, all16, all8])
}

/// A pixel at one end of a digit of 56 pixels must see 112; the detector's coarsest map sees 57, this one 153.
fn deeper(g: &mut Graph, coarse: Wire) -> Result<Wire> {
    let x = conv(g, coarse, "deep1", Conv::new(40, 3).pad(1))?;
    let x = conv(g, x, "deep2", Conv::new(48, 3).pad(2).dilation(2))?;
    g.add("deep", Add, &[coarse, x])
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
