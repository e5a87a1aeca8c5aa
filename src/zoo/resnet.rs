//! ResNet: blocks that learn what to add to their input (He et al. 2016, figures 2 and 5, table 1).
//!
//! The stride of a bottleneck is that of its 3 × 3 convolution, as torchvision and most have it since.

use super::blocks::{conv_norm, max_pool, pooled_head};
use crate::error::Result;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::add::Add;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::pool::Pool;
use crate::nn::{Conv, Graph, Wire};
use crate::shape::Window;

/// A block: how it computes what it adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// Two 3 × 3 convolutions.
    Basic,
    /// 1 × 1 to a quarter of the channels, 3 × 3, and 1 × 1 back.
    Bottleneck,
}

/// Wires a ResNet behind `x`, images of 3 × 224 × 224, and returns its class scores. torchvision's `resnet18` (basic
/// blocks, 2 2 2 2), `resnet34` (basic, 3 4 6 3), `resnet50`, `resnet101`, `resnet152` (bottlenecks; 3 4 6 3, 3 4 23 3,
/// 3 8 36 3).
pub fn resnet(g: &mut Graph, x: Wire, block: Block, stages: [usize; 4], classes: usize) -> Result<Wire> {
    let x = conv_norm(g, x, ["conv1", "bn1"], Conv::new(64, 7).stride(2).pad(3), BatchNorm::default())?;
    let x = g.add("relu", Relu, &[x])?;
    let x = g.add("maxpool", Pool::Max(Window::square(3).stride(2).pad(1)), &[x])?;
    let x = layers(g, x, block, &stages, &[64, 128, 256, 512])?;
    pooled_head(g, x, "fc", classes, 0.0)
}

/// ResNet for digits, 28 × 28: a 3 × 3 stem with the paper's pooling and three stages of basic blocks.
pub fn resnet_mini(g: &mut Graph, x: Wire) -> Result<Wire> {
    let x = conv_norm(g, x, ["conv1", "bn1"], Conv::new(24, 3).pad(1), BatchNorm::default())?;
    let x = g.add("relu", Relu, &[x])?;
    let x = g.add("maxpool", max_pool(2, 2), &[x])?;
    let x = layers(g, x, Block::Basic, &[2, 2, 1], &[24, 48, 96])?;
    pooled_head(g, x, "fc", 10, 0.0)
}

/// The stages; each but the first halves the map.
fn layers(g: &mut Graph, mut x: Wire, block: Block, stages: &[usize], widths: &[usize]) -> Result<Wire> {
    for (s, (&blocks, &width)) in stages.iter().zip(widths).enumerate() {
        for b in 0..blocks {
            let stride = if s > 0 && b == 0 { 2 } else { 1 };
            x = residual(g, x, &format!("layer{}.{b}", s + 1), block, width, stride)?;
        }
    }
    Ok(x)
}

/// `relu(F(x) + x)`; where `F` changes the shape, a 1 × 1 convolution changes `x`, too.
fn residual(g: &mut Graph, x: Wire, name: &str, block: Block, width: usize, stride: usize) -> Result<Wire> {
    let convolutions = match block {
        Block::Basic => vec![Conv::new(width, 3).stride(stride).pad(1), Conv::new(width, 3).pad(1)],
        Block::Bottleneck => {
            vec![Conv::new(width, 1), Conv::new(width, 3).stride(stride).pad(1), Conv::new(4 * width, 1)]
        }
    };
    let (last, mut y) = (convolutions.len(), x);
    for (n, conv) in (1..).zip(convolutions) {
        y = conv_norm(g, y, [&format!("{name}.conv{n}"), &format!("{name}.bn{n}")], conv, BatchNorm::default())?;
        if n < last {
            y = g.add(&format!("{name}.relu{n}"), Relu, &[y])?;
        }
    }
    let mut skip = x;
    if g.shape(x) != g.shape(y) {
        let names = [&*format!("{name}.downsample.0"), &format!("{name}.downsample.1")];
        skip = conv_norm(g, x, names, Conv::new(g.shape(y).c, 1).stride(stride), BatchNorm::default())?;
    }
    let y = g.add(&format!("{name}.add"), Add, &[y, skip])?;
    g.add(&format!("{name}.relu"), Relu, &[y])
}
