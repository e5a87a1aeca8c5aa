//! Networks that learn to have few bits: [`super::tiny`] with rounded weights, and one whose inner layers compute with one
//! bit (Hubara et al. 2016; the scale of each filter is its batch norm's).

use super::blocks::{conv_norm, max_pool, pooled_head};
use crate::error::Result;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::quant_conv::{QuantConv, Weights};
use crate::nn::layers::sign::Sign;
use crate::nn::{Conv, Graph, Wire};

/// Wires [`super::tiny::tiny`] with weights of so many bits in its five convolutions, behind images of 1 × 28 × 28; its 10 class
/// scores. Parameters have `tiny`'s names, so that a training can go on from its weights.
pub fn tiny_bits(g: &mut Graph, mut x: Wire, bits: [usize; 5]) -> Result<Wire> {
    for ((n, (filters, pad)), bits) in (1..).zip([(10, 1), (16, 1), (16, 1), (16, 1), (20, 0)]).zip(bits) {
        let conv = Conv { bias: false, ..Conv::new(filters, 3).pad(pad) };
        x = g.add(&format!("conv{n}.0"), QuantConv { conv, weights: Weights::Steps(bits) }, &[x])?;
        x = g.add(&format!("conv{n}.1"), BatchNorm::default(), &[x])?;
        x = g.add(&format!("conv{n}.2"), Relu, &[x])?;
        if n % 2 == 0 {
            x = g.add(&format!("pool{}", n / 2), max_pool(2, 2), &[x])?;
        }
    }
    pooled_head(g, x, "fc", 10, 0.0)
}

/// Wires the network of one bit behind images of 1 × 28 × 28; its 10 class scores. The first convolution reads grey levels and the
/// last layer gives scores, so both have whole numbers; between them signs meet signs. No convolution of signs is padded: 0 is no
/// sign.
pub fn binary(g: &mut Graph, x: Wire) -> Result<Wire> {
    let mut x = conv_norm(g, x, ["conv1.0", "conv1.1"], Conv::new(48, 3), BatchNorm::default())?;
    x = g.add("pool1", max_pool(2, 2), &[x])?;
    for n in 2..=5 {
        x = g.add(&format!("conv{n}.sign"), Sign, &[x])?;
        let conv = Conv { bias: false, ..Conv::new(64, 3) };
        x = g.add(&format!("conv{n}.0"), QuantConv { conv, weights: Weights::Binary }, &[x])?;
        x = g.add(&format!("conv{n}.1"), BatchNorm::default(), &[x])?;
    }
    x = g.add("relu", Relu, &[x])?;
    pooled_head(g, x, "fc", 10, 0.0)
}
