//! VGG: nothing but 3 × 3 convolutions, five stages of them, each halved by pooling (Simonyan and Zisserman 2015).

use super::blocks::max_pool;
use crate::error::Result;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::dropout::Dropout;
use crate::nn::layers::flatten::Flatten;
use crate::nn::{Conv, Graph, Wire};

/// Convolutions in each stage: the paper's table 1, columns A, B, D and E.
pub const VGG11: [usize; 5] = [1, 1, 2, 2, 2];
/// Column B.
pub const VGG13: [usize; 5] = [2, 2, 2, 2, 2];
/// Column D.
pub const VGG16: [usize; 5] = [2, 2, 3, 3, 3];
/// Column E.
pub const VGG19: [usize; 5] = [2, 2, 4, 4, 4];

/// Filters in each stage.
const WIDTHS: [usize; 5] = [64, 128, 256, 512, 512];

/// Wires a VGG behind `x`, images of 3 × 224 × 224, and returns its class scores. torchvision's `vgg11` to `vgg19_bn`.
pub fn vgg(g: &mut Graph, x: Wire, stages: [usize; 5], norm: bool, classes: usize) -> Result<Wire> {
    let mut x = convolutions(g, x, stages, norm)?;
    x = g.add("flatten", Flatten, &[x])?;
    for i in [0, 3] {
        x = g.add(&format!("classifier.{i}"), Affine::new(4096), &[x])?;
        x = g.add(&format!("classifier.{}", i + 1), Relu, &[x])?;
        x = g.add(&format!("classifier.{}", i + 2), Dropout(0.5), &[x])?;
    }
    g.add("classifier.6", Affine::new(classes), &[x])
}

/// The stages alone: what neural style looks through.
pub fn convolutions(g: &mut Graph, x: Wire, stages: [usize; 5], norm: bool) -> Result<Wire> {
    features(g, x, &stages, &WIDTHS, norm)
}

/// VGG for digits, 28 × 28: three stages, deeper as they get smaller, with batch norms.
pub fn vgg_mini(g: &mut Graph, x: Wire) -> Result<Wire> {
    let x = features(g, x, &[2, 2, 3], &[16, 32, 64], true)?;
    let x = g.add("flatten", Flatten, &[x])?;
    let x = g.add("classifier.0", Affine::new(64), &[x])?;
    let x = g.add("classifier.1", Relu, &[x])?;
    let x = g.add("classifier.2", Dropout(0.5), &[x])?;
    g.add("classifier.3", Affine::new(10), &[x])
}

/// The stages, their layers numbered through like torchvision's.
fn features(g: &mut Graph, mut x: Wire, stages: &[usize], widths: &[usize], norm: bool) -> Result<Wire> {
    let mut number = 0;
    let mut name = || {
        number += 1;
        format!("features.{}", number - 1)
    };
    for (&convolutions, &width) in stages.iter().zip(widths) {
        for _ in 0..convolutions {
            x = g.add(&name(), Conv::new(width, 3).pad(1), &[x])?;
            if norm {
                x = g.add(&name(), BatchNorm::default(), &[x])?;
            }
            x = g.add(&name(), Relu, &[x])?;
        }
        x = g.add(&name(), max_pool(2, 2), &[x])?;
    }
    Ok(x)
}
