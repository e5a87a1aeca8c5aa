//! GoogLeNet: Inception blocks, whose 1 × 1 convolutions reduce channels before the larger filters, and two auxiliary
//! classifiers that bring the gradient to the early layers (Szegedy et al. 2015, figure 2b and table 1).
//!
//! As in torchvision, with its batch norms and, in the third branch, 3 × 3 filters where the paper has 5 × 5. The
//! auxiliary classifiers average 5 × 5 windows at stride 3 like the paper's.

use super::blocks::{conv_norm, max_pool, pooled_head};
use crate::error::Result;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::concat::Concat;
use crate::nn::layers::dropout::Dropout;
use crate::nn::layers::flatten::Flatten;
use crate::nn::layers::pool::Pool;
use crate::nn::{Conv, Graph, Wire};
use crate::shape::Window;

/// How much an auxiliary loss counts: section 5 of the paper.
const AUXILIARY: f32 = 0.3;

const NORM: BatchNorm = BatchNorm { eps: 1e-3, momentum: 0.1 };

/// Filters of an Inception block, as the paper's table gives them: 1 × 1, 3 × 3 reduced and full, 5 × 5 reduced and full,
/// and behind the pooling.
type Filters = [usize; 6];

/// The blocks of one size with their names.
type Stage = &'static [(&'static str, Filters)];

const THREE: Stage = &[("3a", [64, 96, 128, 16, 32, 32]), ("3b", [128, 128, 192, 32, 96, 64])];
const FOUR: Stage = &[
    ("4a", [192, 96, 208, 16, 48, 64]),
    ("4b", [160, 112, 224, 24, 64, 64]),
    ("4c", [128, 128, 256, 24, 64, 64]),
    ("4d", [112, 144, 288, 32, 64, 64]),
    ("4e", [256, 160, 320, 32, 128, 128]),
];
const FIVE: Stage = &[("5a", [256, 160, 320, 32, 128, 128]), ("5b", [384, 192, 384, 48, 128, 128])];

/// Wires GoogLeNet behind `x`, images of 3 × 224 × 224, and returns its class scores. torchvision's `googlenet` with both
/// auxiliary classifiers.
pub fn googlenet(g: &mut Graph, x: Wire, classes: usize) -> Result<Wire> {
    let x = conv(g, x, "conv1", Conv::new(64, 7).stride(2).pad(3))?;
    let x = g.add("maxpool1", Pool::MaxCeil(Window::square(3).stride(2)), &[x])?;
    let x = conv(g, x, "conv2", Conv::new(64, 1))?;
    let x = conv(g, x, "conv3", Conv::new(192, 3).pad(1))?;
    let x = g.add("maxpool2", Pool::MaxCeil(Window::square(3).stride(2)), &[x])?;
    let x = stage(g, x, THREE)?;
    let x = g.add("maxpool3", Pool::MaxCeil(Window::square(3).stride(2)), &[x])?;
    let x = stage(g, x, &FOUR[..1])?;
    auxiliary(g, x, "aux1", [128, 1024, classes])?;
    let x = stage(g, x, &FOUR[1..4])?;
    auxiliary(g, x, "aux2", [128, 1024, classes])?;
    let x = stage(g, x, &FOUR[4..])?;
    let x = g.add("maxpool4", Pool::MaxCeil(Window::square(2).stride(2)), &[x])?;
    let x = stage(g, x, FIVE)?;
    pooled_head(g, x, "fc", classes, 0.2)
}

/// GoogLeNet for digits, 28 × 28: four Inception blocks in two stages, an auxiliary classifier between them.
pub fn googlenet_mini(g: &mut Graph, x: Wire) -> Result<Wire> {
    let x = conv(g, x, "conv1", Conv::new(32, 3).pad(1))?;
    let x = g.add("maxpool1", max_pool(2, 2), &[x])?;
    let x = stage(g, x, &[("3a", [16, 16, 24, 8, 16, 8]), ("3b", [24, 24, 32, 8, 16, 16])])?;
    auxiliary(g, x, "aux1", [16, 64, 10])?;
    let x = g.add("maxpool2", max_pool(2, 2), &[x])?;
    let x = stage(g, x, &[("4a", [32, 32, 48, 8, 24, 24]), ("4b", [40, 40, 64, 16, 32, 32])])?;
    pooled_head(g, x, "fc", 10, 0.2)
}

fn stage(g: &mut Graph, mut x: Wire, blocks: &[(&str, Filters)]) -> Result<Wire> {
    for (name, filters) in blocks {
        x = inception(g, x, &format!("inception{name}"), *filters)?;
    }
    Ok(x)
}

/// Four branches side by side.
fn inception(g: &mut Graph, x: Wire, name: &str, filters: Filters) -> Result<Wire> {
    let [one, reduce3, three, reduce5, five, pooled] = filters;
    let branch1 = conv(g, x, &format!("{name}.branch1"), Conv::new(one, 1))?;
    let branch2 = conv(g, x, &format!("{name}.branch2.0"), Conv::new(reduce3, 1))?;
    let branch2 = conv(g, branch2, &format!("{name}.branch2.1"), Conv::new(three, 3).pad(1))?;
    let branch3 = conv(g, x, &format!("{name}.branch3.0"), Conv::new(reduce5, 1))?;
    let branch3 = conv(g, branch3, &format!("{name}.branch3.1"), Conv::new(five, 3).pad(1))?;
    let branch4 = g.add(&format!("{name}.branch4.0"), Pool::Max(Window::square(3).pad(1)), &[x])?;
    let branch4 = conv(g, branch4, &format!("{name}.branch4.1"), Conv::new(pooled, 1))?;
    g.add(&format!("{name}.concat"), Concat, &[branch1, branch2, branch3, branch4])
}

/// An auxiliary classifier: filters, features, classes.
fn auxiliary(g: &mut Graph, x: Wire, name: &str, [filters, features, classes]: [usize; 3]) -> Result<()> {
    let part = |part: &str| format!("{name}.{part}");
    let x = g.add(&part("avgpool"), Pool::Average(Window::square(5).stride(3)), &[x])?;
    let x = conv(g, x, &part("conv"), Conv::new(filters, 1))?;
    let x = g.add(&part("flatten"), Flatten, &[x])?;
    let x = g.add(&part("fc1"), Affine::new(features), &[x])?;
    let x = g.add(&part("relu"), Relu, &[x])?;
    let x = g.add(&part("dropout"), Dropout(0.7), &[x])?;
    let x = g.add(&part("fc2"), Affine::new(classes), &[x])?;
    g.auxiliary(x, AUXILIARY)
}

fn conv(g: &mut Graph, x: Wire, name: &str, conv: Conv) -> Result<Wire> {
    let x = conv_norm(g, x, [&format!("{name}.conv"), &format!("{name}.bn")], conv, NORM)?;
    g.add(&format!("{name}.relu"), Relu, &[x])
}
