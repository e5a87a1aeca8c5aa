//! SegNet: a decoder that mirrors the encoder and puts every number back where the encoder's pooling found it
//! (Badrinarayanan, Kendall and Cipolla 2017, section 3). No map of the encoder is copied, only the places of its maxima.

use super::blocks::{conv_norm_act, max_pool};
use crate::error::Result;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::unpool::MaxUnpool;
use crate::nn::{Conv, Graph, Wire};
use crate::shape::Window;

/// Widths of the convolutions of each stage of the encoder; a pooling follows each stage.
const ENCODER: [&[usize]; 4] = [&[16], &[24], &[32, 32], &[48, 48]];
/// Those of the decoder, from the smallest map up; an unpooling comes before each stage.
const DECODER: [&[usize]; 4] = [&[48, 32], &[32, 24], &[16], &[16]];

/// Stages of poolings, from the largest map down.
pub const STAGES: usize = ENCODER.len();

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
    for (n, widths) in (1..=STAGES).rev().zip(DECODER) {
        let window = Window::square(2).stride(2);
        x = g.add(&format!("unpool{n}"), MaxUnpool(window), &[x, pooled[n - 1]])?;
        x = stage(g, x, &format!("dec{n}"), widths)?;
    }
    g.add("scores", Conv::new(classes, 1), &[x])
}

/// 3 × 3 convolutions with batch norms and ReLUs, numbered from 1.
fn stage(g: &mut Graph, mut x: Wire, name: &str, widths: &[usize]) -> Result<Wire> {
    for (i, &width) in (1..).zip(widths) {
        x = conv_norm_act(g, x, &format!("{name}.{i}"), Conv::new(width, 3).pad(1), BatchNorm::default(), Relu)?;
    }
    Ok(x)
}
