//! The networks of neural style: two that see features, one that paints.
//!
//! Gatys et al. 2016 take a VGG that has learnt from a million photographs. Here are two that weigh little: a VGG a tenth
//! as wide, to learn from drawn textures, and filters that need not learn at all. [`stylizer`] paints in one go what those
//! would paint step by step.

use super::blocks::pooled_head;
use crate::error::Result;
use crate::kernel::resize::Between::Nearest;
use crate::nn::layers::act::Activation::{Relu, Sigmoid};
use crate::nn::layers::add::Add;
use crate::nn::layers::norm::{Norm, Over};
use crate::nn::layers::pool::Pool;
use crate::nn::layers::upsample::Upsample;
use crate::nn::{Conv, Graph, Wire};
use crate::shape::Window;

/// Halves a map by averages: smoother gradients than a maximum's, say Gatys et al. 2016, section 2.
fn halve() -> Pool {
    Pool::Average(Window::square(2).stride(2))
}

/// Four stages of 3 × 3 convolutions behind `x`, three channels, named as the field names VGG's: `conv1_1` to `conv4_1`.
pub fn features(g: &mut Graph, mut x: Wire) -> Result<Wire> {
    for (stage, widths) in [&[16, 16][..], &[32, 32], &[48, 48], &[64]].iter().enumerate() {
        if stage > 0 {
            x = g.add(&format!("pool{stage}"), halve(), &[x])?;
        }
        for (i, &width) in widths.iter().enumerate() {
            let name = format!("{}_{}", stage + 1, i + 1);
            x = g.add(&format!("conv{name}"), Conv::new(width, 3).pad(1), &[x])?;
            x = g.add(&format!("relu{name}"), Relu, &[x])?;
        }
    }
    Ok(x)
}

/// [`features`] and what it learns by: which of `classes` textures a picture shows.
pub fn textures(g: &mut Graph, x: Wire, classes: usize) -> Result<Wire> {
    let x = features(g, x)?;
    pooled_head(g, x, "class", classes, 0.0)
}

/// Random filters of several scales, one layer: `scale1` to `scale8`, each over the picture halved once more. Ustyuzhaninov
/// et al. 2016, whose filters grow from 3 to 55 pixels where here the picture shrinks.
pub fn scales(g: &mut Graph, mut x: Wire) -> Result<Wire> {
    let mut seen = x;
    for (i, scale) in [1, 2, 4, 8].into_iter().enumerate() {
        if i > 0 {
            x = g.add(&format!("half{scale}"), halve(), &[x])?;
        }
        seen = g.add(&format!("scale{scale}"), Conv::new(32, 7).pad(3), &[x])?;
        seen = g.add(&format!("relu{scale}"), Relu, &[seen])?;
    }
    Ok(seen)
}

/// A painter: down to a quarter, three residual blocks, up again; instance norms throughout. Johnson et al. 2016 with the
/// norms of Ulyanov et al. 2016 and the resize-convolutions of Odena et al. 2016, an eighth as wide.
///
/// Reads and gives three channels; sides are multiples of 4.
pub fn stylizer(g: &mut Graph, x: Wire) -> Result<Wire> {
    let x = conv_norm(g, x, "in", Conv::new(16, 5).pad(2), true)?;
    let x = conv_norm(g, x, "down1", Conv::new(16, 3).stride(2).pad(1), true)?;
    let mut x = conv_norm(g, x, "down2", Conv::new(32, 3).stride(2).pad(1), true)?;
    for block in 1..=3 {
        let y = conv_norm(g, x, &format!("block{block}a"), Conv::new(16, 3).pad(1), true)?;
        let y = conv_norm(g, y, &format!("block{block}b"), Conv::new(32, 3).pad(1), false)?;
        x = g.add(&format!("block{block}"), Add, &[y, x])?;
    }
    for (i, width) in [16, 16].into_iter().enumerate() {
        let name = format!("up{}", i + 1);
        x = g.add(&format!("{name}.larger"), Upsample { scale: 2, between: Nearest }, &[x])?;
        x = conv_norm(g, x, &name, Conv::new(width, 3).pad(1), true)?;
    }
    let x = g.add("out", Conv::new(3, 5).pad(2), &[x])?;
    g.add("out.sigmoid", Sigmoid, &[x])
}

/// A convolution whose bias is its norm's, and a ReLU if asked.
fn conv_norm(g: &mut Graph, x: Wire, name: &str, conv: Conv, relu: bool) -> Result<Wire> {
    let x = g.add(name, Conv { bias: false, ..conv }, &[x])?;
    let norm = Norm { affine: true, ..Norm::new(Over::Instance) };
    let x = g.add(&format!("{name}.norm"), norm, &[x])?;
    if relu { g.add(&format!("{name}.relu"), Relu, &[x]) } else { Ok(x) }
}
