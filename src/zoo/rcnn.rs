//! R-CNN's network: reads one warped region, says what it holds and, for each class, where that lies beside it (Girshick,
//! Donahue, Darrell and Malik 2014). The paper's is AlexNet at 227 pixels; a digit needs 32.
//!
//! A softmax names the region, where the paper trains support vector machines on the features; its appendix B finds the two
//! 3.3 points apart on photographs.

use super::blocks::{conv_norm_act, max_pool};
use crate::error::Result;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::flatten::Flatten;
use crate::nn::{Conv, Graph, Wire};

/// Sides of a warped region.
pub const SIDE: usize = 32;

/// Wires it behind `x`, `3 × 32 × 32`; returns the scores of the classes, background first, and four numbers for each class.
pub fn rcnn(g: &mut Graph, mut x: Wire, classes: usize) -> Result<[Wire; 2]> {
    for (name, widths) in [("1", [16, 24]), ("2", [32, 32]), ("3", [48, 48])] {
        for (part, width) in ["a", "b"].into_iter().zip(widths) {
            let conv = Conv::new(width, 3).pad(1);
            x = conv_norm_act(g, x, &format!("conv{name}{part}"), conv, BatchNorm::default(), Relu)?;
        }
        x = g.add(&format!("pool{name}"), max_pool(2, 2), &[x])?;
    }
    let x = g.add("flatten", Flatten, &[x])?;
    let x = g.add("features", Affine::new(64), &[x])?;
    let x = g.add("features_relu", Relu, &[x])?;
    let scores = g.add("scores", Affine::new(classes), &[x])?;
    let refined = g.add("refined", Affine::new(4 * classes), &[x])?;
    Ok([scores, refined])
}
