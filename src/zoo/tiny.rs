//! As much accuracy as fewer than ten thousand parameters give: five 3 × 3 convolutions with batch norms, and the mean of
//! each of the last maps as a feature (Lin et al. 2013), so that nearly all parameters are filters.

use super::blocks::{conv_norm_act, max_pool, pooled_head};
use crate::error::Result;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::{Conv, Graph, Wire};

/// Wires the network behind `x`, images of 1 × 28 × 28, and returns its 10 class scores.
pub fn tiny(g: &mut Graph, mut x: Wire) -> Result<Wire> {
    for (n, (filters, pad)) in (1..).zip([(10, 1), (16, 1), (16, 1), (16, 1), (20, 0)]) {
        x = conv_norm_act(g, x, &format!("conv{n}"), Conv::new(filters, 3).pad(pad), BatchNorm::default(), Relu)?;
        if n % 2 == 0 {
            x = g.add(&format!("pool{}", n / 2), max_pool(2, 2), &[x])?;
        }
    }
    pooled_head(g, x, "fc", 10, 0.0)
}
