//! FCN: a network without affine layers answers at every place, and answers of earlier, finer maps are added to those of the
//! last (Long, Shelhamer and Darrell 2015, sections 3 and 4).
//!
//! The paper's strides of 32, 16 and 8 are those of photographs 500 pixels wide. A sheet here has 128, a fourth, and so have
//! the strides: 8, 4 and 2. The answers keep the paper's names.

use super::blocks::{conv_norm_act, max_pool};
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

/// The layers that double scores and learn to: from FCN-32s to 16s, from 16s to 8s, and from 8s to the picture's size.
const DOUBLING: [&str; 3] = ["up16", "up8", "up_out"];

/// The layers with the scores of FCN-32s and FCN-16s before they are enlarged, and their strides.
pub const COARSE: [(&str, usize); 2] = [("score32", 8), ("fuse16", 4)];

/// Wires an FCN behind `x`, three channels, sides multiples of 8, and returns the scores of every pixel by FCN-32s, FCN-16s
/// and FCN-8s, of which each is wired upon the one before.
pub fn fcn(g: &mut Graph, x: Wire, classes: usize) -> Result<[Wire; 3]> {
    let conv =
        |g: &mut Graph, x: Wire, name: &str, conv: Conv| conv_norm_act(g, x, name, conv, BatchNorm::default(), Relu);
    let x = conv(g, x, "conv1", Conv::new(16, 3).pad(1))?;
    let x = g.add("pool1", max_pool(2, 2), &[x])?;
    let x = conv(g, x, "conv2_1", Conv::new(32, 3).pad(1))?;
    let fine = conv(g, x, "conv2_2", Conv::new(32, 3).pad(1))?;
    let x = g.add("pool2", max_pool(2, 2), &[fine])?;
    let x = conv(g, x, "conv3_1", Conv::new(48, 3).pad(1))?;
    let middle = conv(g, x, "conv3_2", Conv::new(48, 3).pad(1))?;
    let x = g.add("pool3", max_pool(2, 2), &[middle])?;
    let x = conv(g, x, "conv4_1", Conv::new(64, 3).pad(1))?;
    let x = conv(g, x, "conv4_2", Conv::new(64, 3).pad(2).dilation(2))?;
    // What the affine layers of a classifier have become.
    let x = conv(g, x, "fc", Conv::new(96, 1))?;
    let coarse = g.add("score32", Conv::new(classes, 1), &[x])?;
    let all32 = g.add("out32", Upsample { scale: 8, between: Bilinear }, &[coarse])?;
    let scores16 = fused(g, coarse, middle, classes, DOUBLING[0], "16")?;
    let all16 = g.add("out16", Upsample { scale: 4, between: Bilinear }, &[scores16])?;
    let scores8 = fused(g, scores16, fine, classes, DOUBLING[1], "8")?;
    let all8 = g.add(DOUBLING[2], doubling(classes), &[scores8])?;
    Ok([all32, all16, all8])
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
