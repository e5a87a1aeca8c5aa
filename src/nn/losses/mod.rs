//! Losses: layers whose output is one number a row. Their backward pass is the seed of the whole one.
//!
//! A loss reads what the network says, what it should have said, and, if a third wire is given, how much each pixel counts:
//! a mask, class weights, the reciprocal of a number of samples. It comes to a **sum**: a mean is a weight, or the `scale` of
//! [`super::Run::backward_losses`]. Only what the network says gets a gradient.

mod op;

use super::description::Setting;
use super::layer::{Io, Layer, Op, Reads};
use crate::error::{Error, Result};
use crate::kernel::{loss, softmax};
use crate::shape::Shape;
use op::LossOp;
use std::ops::RangeInclusive;

/// Cross-entropy of a softmax over the channels against a distribution over them, at every pixel: `Σ −t ln p`.
///
/// Inputs: scores and targets, `c × h × w` both; perhaps weights, `1 × h × w`. PyTorch's `CrossEntropyLoss` of
/// probabilities, summed.
#[derive(Debug, Clone, Copy)]
pub struct CrossEntropy;

/// Cross-entropy of a softmax over the channels against the class of every pixel: `Σ −ln p[class]`; where the class is −1,
/// nothing.
///
/// Inputs: scores `c × h × w` and classes `1 × h × w`; perhaps weights, `1 × h × w`. PyTorch's `CrossEntropyLoss` with
/// `ignore_index`, summed; its class weights are weights that [`class_weights`] makes.
#[derive(Debug, Clone, Copy)]
pub struct MaskCrossEntropy;

/// Cross-entropy of the sigmoid of every number against a target from 0 to 1: `Σ −t ln σ(x) − (1 − t) ln(1 − σ(x))`.
///
/// Inputs: logits and targets of one shape; perhaps weights, `1 × h × w` or of that shape. PyTorch's `BCEWithLogitsLoss`,
/// summed.
#[derive(Debug, Clone, Copy)]
pub struct BinaryCrossEntropy;

/// Squared error, as the sources have it: `½ Σ (x − t)²`.
///
/// Inputs: two of one shape; perhaps weights, `1 × h × w` or of that shape. PyTorch's `MSELoss` is twice it over the count.
#[derive(Debug, Clone, Copy)]
pub struct SquaredError;

/// Huber's loss (1964): squared up to an error of this size, absolute beyond.
///
/// Inputs: two of one shape; perhaps weights, `1 × h × w` or of that shape. PyTorch's `HuberLoss`, summed; `SmoothL1Loss`
/// (Girshick 2015) of `beta` is it over `beta`.
#[derive(Debug, Clone, Copy)]
pub struct Huber(pub f32);

/// The weight of every pixel of a mask from those of the classes, as the third input of a loss; 0 where the class is −1.
///
/// Errors: [`Error::Value`] for a class without a weight.
pub fn class_weights(mask: &[f32], weights: &[f32]) -> Result<Vec<f32>> {
    let weight = |&class: &f32| match class {
        -1.0 => Ok(0.0),
        _ => weights
            .get(class as usize)
            .copied()
            .filter(|_| class >= 0.0 && class.fract() == 0.0)
            .ok_or_else(|| Error::value("class", format!("one of {} with a weight, or -1", weights.len()), class)),
    };
    mask.iter().map(weight).collect()
}

/// The shape of a loss behind inputs that fit it: scores, targets of `target`'s shape, weights of one channel, or, if numbers
/// count one by one, of the scores' own.
fn one_number(name: &str, inputs: &[Shape], target: Shape, singly: bool) -> Result<Shape> {
    let x = inputs[0];
    if inputs[1] != target {
        return Err(Error::shape(format!("{name}: targets"), target, inputs[1]));
    }
    let pixels = Shape::new(1, x.h, x.w);
    match inputs.get(2) {
        Some(&weights) if weights != pixels && !(singly && weights == x) => {
            Err(Error::shape(format!("{name}: weights"), pixels, weights))
        }
        _ => Ok(Shape::new(1, 1, 1)),
    }
}

macro_rules! loss {
    ($type:ty, $kind:literal, $self:ident => $options:expr, $target:expr, $singly:literal, $function:expr, $formula:literal) => {
        impl Layer for $type {
            fn kind(&self) -> &'static str {
                $kind
            }

            fn options(&self) -> Vec<(&'static str, Setting)> {
                let $self = self;
                $options
            }

            fn arity(&self) -> RangeInclusive<usize> {
                2..=3
            }

            fn output(&self, inputs: &[Shape]) -> Result<Shape> {
                let target: fn(Shape) -> Shape = $target;
                one_number($kind, inputs, target(inputs[0]), $singly)
            }

            fn is_loss(&self) -> bool {
                true
            }

            fn passes(&self, input: usize, _of: usize) -> bool {
                input == 0
            }

            fn reads(&self) -> Reads {
                Reads { input: true, output: false }
            }

            fn formula(&self, _inputs: &[Shape]) -> String {
                $formula.into()
            }

            fn op(&self, io: &Io) -> Box<dyn Op> {
                let $self = self;
                Box::new(LossOp::new($function, io))
            }
        }
    };
}

loss!(CrossEntropy, "cross_entropy", _s => vec![], |x| x, false,
    Box::new(|level, sum, [x, t], c, slope| softmax::softmax_cross_entropy_from(level, sum, x, t, c, 1.0, slope)),
    "Σ −t ln softmax(x)");
loss!(MaskCrossEntropy, "mask_cross_entropy", _s => vec![], |x| Shape::new(1, x.h, x.w), false,
    Box::new(|level, sum, [x, t], c, slope| softmax::softmax_cross_entropy_masked(level, sum, x, t, c, slope)),
    "Σ −ln softmax(x)[class]");
loss!(BinaryCrossEntropy, "binary_cross_entropy", _s => vec![], |x| x, true,
    Box::new(|level, sum, [x, t], _, slope| loss::binary_cross_entropy(level, sum, x, t, slope)),
    "Σ −t ln σ(x) − (1 − t) ln(1 − σ(x))");
loss!(SquaredError, "squared_error", _s => vec![], |x| x, true,
    Box::new(|level, sum, [x, t], _, slope| loss::squared(level, sum, x, t, slope)), "½ Σ (x − t)²");
loss!(Huber, "huber", s => vec![("delta", Setting::Number(s.0))], |x| x, true,
    { let delta = s.0; Box::new(move |level, sum, [x, t], _, slope| loss::huber(level, delta, sum, x, t, slope)) },
    "Σ ½ e² up to δ, δ (|e| − ½ δ) beyond");
