//! Weights as whole numbers, each filter with a scale: those of a layer that learnt to have them as they are, any other's by the
//! rule of its bits.

use super::Bits;
use crate::error::{Error, Result};
use crate::kernel::quantise::{Levels, best_step, ternary};
use crate::nn::Params;
use crate::nn::layers::quant_conv::{QuantConv, Weights};
use crate::tensor::Tensor;

/// Whole numbers, filter after filter, and what 1 is worth in each.
pub type Rounded = (Vec<i8>, Vec<f32>);

/// Rounds a layer's weights, filters first: whole numbers by the step of the least squared error, ternary ones as Li et al. 2016 have
/// it, signs times the mean magnitude (Rastegari et al. 2016).
pub fn round(weights: &Tensor, bits: Bits) -> Rounded {
    let mut whole = Vec::with_capacity(weights.len());
    let scales = weights.outer_iter().map(|filter| {
        let own = || filter.iter().copied();
        let mean = (own().map(|w| f64::from(w.abs())).sum::<f64>() / filter.len().max(1) as f64) as f32;
        match bits {
            Bits::Int(bits) => {
                let levels = Levels::of(bits.into(), true);
                let step = best_step(levels, own());
                whole.extend(own().map(|w| levels.level(w, step) as i8));
                step
            }
            Bits::Ternary => {
                let threshold = 0.7 * mean;
                whole.extend(own().map(|w| ternary(w, threshold) as i8));
                mean_above(own(), threshold)
            }
            Bits::One => {
                whole.extend(own().map(sign));
                if mean > 0.0 { mean } else { 1.0 }
            }
        }
    });
    let scales = scales.collect();
    (whole, scales)
}

/// The weights that a layer learnt to have.
pub fn learnt(layer: &QuantConv, name: &str, params: &Params) -> Result<(Rounded, Bits)> {
    let weights = params.get(&format!("{name}.weight"))?;
    let rounded = match layer.weights {
        Weights::Steps(bits) => {
            let (levels, log_steps) = (Levels::of(bits, true), params.get(&format!("{name}.log_step"))?);
            let steps: Vec<f32> = log_steps.iter().map(|log| libm::exp2f(*log)).collect();
            if let Some(bad) = steps.iter().find(|step| !step.is_normal()) {
                return Err(Error::value(name, "steps above 0 and finite", bad));
            }
            let rows = weights.outer_iter().zip(&steps);
            let whole = rows.flat_map(|(w, step)| w.iter().map(|w| levels.level(*w, *step) as i8).collect::<Vec<_>>());
            (whole.collect(), steps)
        }
        Weights::Ternary => round(&weights, Bits::Ternary),
        Weights::Scaled => round(&weights, Bits::One),
        Weights::Binary => (weights.iter().copied().map(sign).collect(), vec![1.0; weights.shape()[0]]),
    };
    let bits = match layer.weights {
        Weights::Steps(bits) => Bits::Int(bits as u8),
        Weights::Ternary => Bits::Ternary,
        Weights::Scaled | Weights::Binary => Bits::One,
    };
    Ok((rounded, bits))
}

fn sign(w: f32) -> i8 {
    if w >= 0.0 { 1 } else { -1 }
}

/// The mean magnitude of those above a threshold; 1 where there is none.
fn mean_above(numbers: impl Iterator<Item = f32>, threshold: f32) -> f32 {
    let (sum, count) = numbers
        .map(f32::abs)
        .filter(|w| *w > threshold)
        .fold((0.0, 0u32), |(sum, count), w| (sum + f64::from(w), count + 1));
    if count > 0 { (sum / f64::from(count)) as f32 } else { 1.0 }
}
