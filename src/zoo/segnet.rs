//! SegNet: a decoder that mirrors the encoder and puts every number back where the encoder's pooling found it
//! (Badrinarayanan, Kendall and Cipolla 2017, section 3). No map of the encoder is copied, only the places of its maxima.

use super::blocks::{conv_norm_act, max_pool, residuals};
use crate::error::Result;
use crate::kernel::resize::Between::Nearest;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::add::Add;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::unpool::MaxUnpool;
use crate::nn::layers::upsample::Upsample;
use crate::nn::{Conv, Graph, Wire};
use crate::shape::Window;

/// Widths of the convolutions of each stage of the encoder; a pooling follows each stage.
const ENCODER: [&[usize]; 4] = [&[16], &[24], &[32, 32], &[48, 48]];
/// Those of the decoder, from the smallest map up; an unpooling comes before each stage.
const DECODER: [&[usize]; 4] = [&[48, 32], &[32, 24], &[16], &[16]];

/// The layer of [`segnet_on_maps`] behind which its maps of stride 4 can be scored while it learns, and that stride.
pub const DEEP: (&str, usize) = ("decoded3.2.sum", 4);

/// Wires SegNet behind `x`, three channels, sides multiples of 16, and returns the scores of every pixel. The paper's has
/// thirteen convolutions of 64 to 512 channels each way.
///
/// Pooling `n` is the layer `pool{n}`, counted from the largest map down.
pub fn segnet(g: &mut Graph, mut x: Wire, classes: usize) -> Result<Wire> {
    let mut pooled = Vec::new();
    for (n, widths) in (1..).zip(ENCODER) {
        x = stage(g, x, &format!("enc{n}"), widths)?;
        pooled.push(x);
        x = g.add(&format!("pool{n}"), max_pool(2, 2), &[x])?;
    }
    x = stage(g, x, "middle", &[48])?;
    for (n, widths) in (1..=ENCODER.len()).rev().zip(DECODER) {
        let window = Window::square(2).stride(2);
        x = g.add(&format!("unpool{n}"), MaxUnpool(window), &[x, pooled[n - 1]])?;
        x = stage(g, x, &format!("dec{n}"), widths)?;
    }
    g.add("scores", Conv::new(classes, 1), &[x])
}

/// Wires a SegNet behind `x`, three channels, sides multiples of 8, whose encoder has the convolutions of [`super::fcn`], under the
/// same names, so that it can begin with FCN's weights, as the paper's begins with VGG16's; where those have strides, this one
/// pools. Returns the scores of every pixel.
///
/// From nothing, networks of this kind found a sixth of the ink at best after 4,800 sheets; with FCN's weights this one found half
/// of it after 3,200. Where the encoder's places leave zeros, its decoder has the small map's numbers besides, enlarged: the paper lets
/// convolutions fill them.
pub fn segnet_on_maps(g: &mut Graph, x: Wire, classes: usize) -> Result<Wire> {
    let large = conv(g, x, "conv1", Conv::new(16, 5).pad(2))?;
    let x = g.add("pool1", max_pool(2, 2), &[large])?;
    let medium = conv(g, x, "conv2", Conv::new(32, 3).pad(1))?;
    let x = g.add("pool2", max_pool(2, 2), &[medium])?;
    let x = conv(g, x, "conv3", Conv::new(48, 3).pad(1))?;
    let small = conv(g, x, "conv4", Conv::new(48, 3).pad(1))?;
    let x = g.add("pool3", max_pool(2, 2), &[small])?;
    let x = conv(g, x, "conv5", Conv::new(48, 3).pad(1))?;
    let x = conv(g, x, "conv6", Conv::new(48, 3).pad(1))?;
    let x = g.add("lateral16", Conv::new(48, 1), &[x])?;
    let y = conv(g, x, "deep1", Conv::new(40, 3).pad(2).dilation(2))?;
    let y = conv(g, y, "deep2", Conv::new(48, 3).pad(4).dilation(4))?;
    let x = g.add("deep", Add, &[x, y])?;
    let x = residuals(g, x, "middle", &[1])?;
    let x = unpooled(g, x, small, 3)?;
    let x = residuals(g, x, "decoded3", &[1, 2])?;
    let x = unpooled(g, x, medium, 2)?;
    let x = conv(g, x, "decoded2", Conv::new(32, 3).pad(1))?;
    let x = unpooled(g, x, large, 1)?;
    let x = g.add("decoded1", Relu, &[x])?;
    g.add("scores", Conv::new(classes, 3).pad(1), &[x])
}

fn conv(g: &mut Graph, x: Wire, name: &str, conv: Conv) -> Result<Wire> {
    conv_norm_act(g, x, name, conv, BatchNorm::default(), Relu)
}

/// A map put back where pooling `n` found the maxima of `of`, and everywhere besides.
fn unpooled(g: &mut Graph, x: Wire, of: Wire, n: usize) -> Result<Wire> {
    let width = g.shape(of).c;
    let peaks = g.add(&format!("peaks{n}"), Conv::new(width, 1), &[x])?;
    let peaks = g.add(&format!("unpool{n}"), MaxUnpool(Window::square(2).stride(2)), &[peaks, of])?;
    let all = g.add(&format!("thin{n}"), Conv { bias: false, ..Conv::new(width, 1) }, &[x])?;
    let all = g.add(&format!("larger{n}"), Upsample { scale: 2, between: Nearest }, &[all])?;
    g.add(&format!("sum{n}"), Add, &[peaks, all])
}

/// 3 × 3 convolutions with batch norms and ReLUs, numbered from 1.
fn stage(g: &mut Graph, mut x: Wire, name: &str, widths: &[usize]) -> Result<Wire> {
    for (i, &width) in (1..).zip(widths) {
        x = conv_norm_act(g, x, &format!("{name}.{i}"), Conv::new(width, 3).pad(1), BatchNorm::default(), Relu)?;
    }
    Ok(x)
}
