//! AlexNet: five convolutions with overlapping pooling and three affine layers (Krizhevsky et al. 2012).
//!
//! At full size in the one-tower form of Krizhevsky 2014 (section 6.1), which torchvision has: without local response
//! normalisation. The small one keeps the paper's normalisation.

use super::blocks::max_pool;
use crate::error::Result;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::dropout::Dropout;
use crate::nn::layers::flatten::Flatten;
use crate::nn::layers::lrn::LocalResponseNorm;
use crate::nn::{Conv, Graph, Wire};

/// The convolutions by torchvision's numbers, and whether pooling follows.
const FEATURES: [(usize, Conv, bool); 5] = [
    (0, Conv::new(64, 11).stride(4).pad(2), true),
    (3, Conv::new(192, 5).pad(2), true),
    (6, Conv::new(384, 3).pad(1), false),
    (8, Conv::new(256, 3).pad(1), false),
    (10, Conv::new(256, 3).pad(1), true),
];

/// Wires AlexNet behind `x`, images of 3 × 224 × 224, and returns its class scores. torchvision's `alexnet`.
pub fn alexnet(g: &mut Graph, mut x: Wire, classes: usize) -> Result<Wire> {
    for (i, conv, pooled) in FEATURES {
        x = g.add(&format!("features.{i}"), conv, &[x])?;
        x = g.add(&format!("features.{}", i + 1), Relu, &[x])?;
        if pooled {
            x = g.add(&format!("features.{}", i + 2), max_pool(3, 2), &[x])?;
        }
    }
    x = g.add("flatten", Flatten, &[x])?;
    for i in [0, 3] {
        x = g.add(&format!("classifier.{i}"), Dropout(0.5), &[x])?;
        x = g.add(&format!("classifier.{}", i + 1), Affine::new(4096), &[x])?;
        x = g.add(&format!("classifier.{}", i + 2), Relu, &[x])?;
    }
    g.add("classifier.6", Affine::new(classes), &[x])
}

/// AlexNet for digits, 28 × 28: the same order of layers, normalised like the paper's, with two affine layers.
pub fn alexnet_mini(g: &mut Graph, mut x: Wire) -> Result<Wire> {
    let features = [(32, 5, true), (48, 5, true), (64, 3, false), (64, 3, false), (64, 3, true)];
    for (i, (filters, k, pooled)) in features.into_iter().enumerate() {
        let n = i + 1;
        x = g.add(&format!("conv{n}"), Conv::new(filters, k).pad(k / 2), &[x])?;
        x = g.add(&format!("relu{n}"), Relu, &[x])?;
        if n <= 2 {
            x = g.add(&format!("norm{n}"), LocalResponseNorm::ALEXNET, &[x])?;
        }
        if pooled {
            x = g.add(&format!("pool{n}"), max_pool(3, 2), &[x])?;
        }
    }
    x = g.add("flatten", Flatten, &[x])?;
    x = g.add("affine6", Affine::new(256), &[x])?;
    x = g.add("relu6", Relu, &[x])?;
    x = g.add("dropout6", Dropout(0.5), &[x])?;
    g.add("affine7", Affine::new(10), &[x])
}
