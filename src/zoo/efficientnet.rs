//! EfficientNet: mobile inverted bottlenecks with squeeze-and-excitation, and one number that scales depth, width and
//! resolution together (Tan and Le 2019, table 1 and equation 3).

use super::blocks::{conv_norm, conv_norm_act, pooled_head};
use crate::error::Result;
use crate::nn::layers::act::Activation::{Sigmoid, Silu};
use crate::nn::layers::add::Add;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::dropout::StochasticDepth;
use crate::nn::layers::pool::Pool;
use crate::nn::layers::scale::Scale;
use crate::nn::{Conv, Graph, Wire};

/// A stage of inverted bottlenecks.
#[derive(Debug, Clone, Copy)]
struct Stage {
    /// How many times wider a block is inside.
    expand: usize,
    kernel: usize,
    /// Of the first block.
    stride: usize,
    channels: usize,
    blocks: usize,
}

const fn stage(expand: usize, kernel: usize, stride: usize, channels: usize, blocks: usize) -> Stage {
    Stage { expand, kernel, stride, channels, blocks }
}

/// Stages 2 to 8 of the baseline: table 1.
const B0: [Stage; 7] = [
    stage(1, 3, 1, 16, 1),
    stage(6, 3, 2, 24, 2),
    stage(6, 5, 2, 40, 2),
    stage(6, 3, 2, 80, 3),
    stage(6, 5, 1, 112, 3),
    stage(6, 5, 2, 192, 4),
    stage(6, 3, 1, 320, 1),
];

/// One size of the family.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    width: f64,
    depth: f64,
    /// Rows and columns of an image.
    pub side: usize,
    dropout: f32,
    norm: BatchNorm,
}

const fn size(width: f64, depth: f64, side: usize, dropout: f32) -> Size {
    Size { width, depth, side, dropout, norm: BatchNorm { eps: 1e-5, momentum: 0.1 } }
}

const fn large(width: f64, depth: f64, side: usize, dropout: f32) -> Size {
    Size { norm: BatchNorm { eps: 1e-3, momentum: 0.01 }, ..size(width, depth, side, dropout) }
}

/// B0 to B7, with torchvision's resolutions, dropout and batch norms.
pub const SIZES: [Size; 8] = [
    size(1.0, 1.0, 224, 0.2),
    size(1.0, 1.1, 240, 0.2),
    size(1.1, 1.2, 288, 0.3),
    size(1.2, 1.4, 300, 0.3),
    size(1.4, 1.8, 380, 0.4),
    large(1.6, 2.2, 456, 0.4),
    large(1.8, 2.6, 528, 0.5),
    large(2.0, 3.1, 600, 0.5),
];

impl Size {
    /// Channels at this width: the nearest multiple of 8, never less than nine tenths.
    fn channels(self, channels: usize) -> usize {
        let wide = channels as f64 * self.width;
        let near = ((wide + 4.0) as usize / 8 * 8).max(8);
        if (near as f64) < 0.9 * wide { near + 8 } else { near }
    }

    fn blocks(self, blocks: usize) -> usize {
        (blocks as f64 * self.depth).ceil() as usize
    }
}

/// Wires an EfficientNet behind `x`, images of 3 × side × side, and returns its class scores. torchvision's
/// `efficientnet_b0` to `efficientnet_b7`.
pub fn efficientnet(g: &mut Graph, x: Wire, size: Size, classes: usize) -> Result<Wire> {
    let stem = Conv::new(size.channels(32), 3).stride(2);
    let stages = B0.map(|s| Stage { channels: size.channels(s.channels), blocks: size.blocks(s.blocks), ..s });
    let x = features(g, x, stem, &stages, 4 * size.channels(320), size.norm)?;
    pooled_head(g, x, "classifier.1", classes, size.dropout)
}

/// EfficientNet for digits, 28 × 28: a stem without stride and four stages, the first of which halves the map.
pub fn efficientnet_mini(g: &mut Graph, x: Wire) -> Result<Wire> {
    let stages = [stage(1, 3, 2, 16, 1), stage(4, 3, 1, 24, 2), stage(4, 5, 2, 48, 2), stage(4, 3, 1, 64, 1)];
    let x = features(g, x, Conv::new(16, 3), &stages, 192, BatchNorm::default())?;
    pooled_head(g, x, "classifier.1", 10, 0.2)
}

fn features(g: &mut Graph, x: Wire, stem: Conv, stages: &[Stage], last: usize, norm: BatchNorm) -> Result<Wire> {
    let mut x = conv_norm_act(g, x, "features.0", stem.pad(1), norm, Silu)?;
    let total: usize = stages.iter().map(|stage| stage.blocks).sum();
    let mut number = 0;
    for (i, stage) in stages.iter().enumerate() {
        for b in 0..stage.blocks {
            let block = Stage { stride: if b == 0 { stage.stride } else { 1 }, ..*stage };
            // Deeper blocks are dropped more often, up to 0.2.
            let drop = 0.2 * number as f32 / total as f32;
            x = inverted_bottleneck(g, x, &format!("features.{}.{b}", i + 1), block, drop, norm)?;
            number += 1;
        }
    }
    conv_norm_act(g, x, &format!("features.{}", stages.len() + 1), Conv::new(last, 1), norm, Silu)
}

/// MBConv: wide inside, narrow outside; a depthwise convolution, squeeze-and-excitation, and a skip where shapes allow.
fn inverted_bottleneck(g: &mut Graph, x: Wire, name: &str, block: Stage, drop: f32, norm: BatchNorm) -> Result<Wire> {
    let input = g.shape(x).c;
    let wide = input * block.expand;
    let mut part = 0;
    let mut next = || {
        part += 1;
        format!("{name}.block.{}", part - 1)
    };
    let mut y = x;
    if block.expand > 1 {
        y = conv_norm_act(g, y, &next(), Conv::new(wide, 1), norm, Silu)?;
    }
    let depthwise = Conv::new(wide, block.kernel).stride(block.stride).pad(block.kernel / 2).groups(wide);
    y = conv_norm_act(g, y, &next(), depthwise, norm, Silu)?;
    y = squeeze_and_excite(g, y, &next(), (input / 4).max(1))?;
    let project = next();
    let names = [&*format!("{project}.0"), &format!("{project}.1")];
    y = conv_norm(g, y, names, Conv::new(block.channels, 1), norm)?;
    if g.shape(x) != g.shape(y) {
        return Ok(y);
    }
    y = g.add(&format!("{name}.stochastic_depth"), StochasticDepth(drop), &[y])?;
    g.add(&format!("{name}.add"), Add, &[y, x])
}

/// Every channel times a factor that all channels decide on (Hu et al. 2018).
fn squeeze_and_excite(g: &mut Graph, x: Wire, name: &str, squeezed: usize) -> Result<Wire> {
    let channels = g.shape(x).c;
    let s = g.add(&format!("{name}.avgpool"), Pool::GlobalAverage, &[x])?;
    let s = g.add(&format!("{name}.fc1"), Conv::new(squeezed, 1), &[s])?;
    let s = g.add(&format!("{name}.activation"), Silu, &[s])?;
    let s = g.add(&format!("{name}.fc2"), Conv::new(channels, 1), &[s])?;
    let s = g.add(&format!("{name}.scale_activation"), Sigmoid, &[s])?;
    g.add(&format!("{name}.scale"), Scale, &[x, s])
}
