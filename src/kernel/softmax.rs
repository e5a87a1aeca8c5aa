//! Softmax over rows, and the losses with their gradients.
//!
//! Losses return the **sum** over the batch in `f64` and write gradients times `scale`; a mean over `n` rows is the
//! sum divided by `n` with `scale = 1 / n`. Sums run in one fixed order and logarithms come from `libm`, so the bits
//! are the same on every target and at every lane level. A NaN or +∞ among the logits of a row makes the whole row
//! and its loss NaN, as in PyTorch; −∞ is probability 0.

use super::act::exp_of;
use fearless_simd::{Level, dispatch, prelude::*};
use fearless_simd_macros::simd;

/// Turns each row of `c` logits into probabilities.
pub fn softmax(level: Level, y: &mut [f32], c: usize) {
    assert_eq!(y.len() % c, 0);
    dispatch!(level, simd => softmax_body(simd, y, c));
}

#[simd]
fn softmax_body<S: Simd>(_: S, y: &mut [f32], c: usize) {
    for row in y.chunks_exact_mut(c) {
        let (_, sum) = exponentials(row);
        times(row, (1.0 / sum) as f32);
    }
}

/// Turns each row of `c` logits into logarithms of probabilities.
pub fn log_softmax(level: Level, y: &mut [f32], c: usize) {
    assert_eq!(y.len() % c, 0);
    dispatch!(level, simd => log_softmax_body(simd, y, c));
}

#[simd]
fn log_softmax_body<S: Simd>(_: S, y: &mut [f32], c: usize) {
    for row in y.chunks_exact_mut(c) {
        let max = maximum(row);
        let sum: f64 = row.iter().map(|&v| f64::from(exp_of(v - max))).sum();
        let log = f64::from(max) + libm::log(sum);
        for v in row {
            *v = (f64::from(*v) - log) as f32;
        }
    }
}

/// Cross-entropy of the softmax of each row of `c` logits against its class: returns `Σ −ln p[label]` and writes
/// `dlogits = (p − onehot) · scale`.
///
/// `labels` are `u8`, `u16` or `u32`, one per row, each below `c`.
pub fn softmax_cross_entropy<L: Copy + Into<u32>>(
    level: Level,
    logits: &[f32],
    labels: &[L],
    c: usize,
    scale: f32,
    dlogits: &mut [f32],
) -> f64 {
    assert_eq!(logits.len(), labels.len() * c);
    assert_eq!(dlogits.len(), logits.len());
    dispatch!(level, simd => cross_entropy_body(simd, logits, labels, c, scale, dlogits))
}

#[simd]
fn cross_entropy_body<S: Simd, L: Copy + Into<u32>>(
    _: S,
    logits: &[f32],
    labels: &[L],
    c: usize,
    scale: f32,
    dlogits: &mut [f32],
) -> f64 {
    let mut loss = 0.0;
    for ((x, d), &label) in logits.chunks_exact(c).zip(dlogits.chunks_exact_mut(c)).zip(labels) {
        let label = label.into() as usize;
        d.copy_from_slice(x);
        let (max, sum) = exponentials(d);
        loss += libm::log(sum) + (f64::from(max) - f64::from(x[label]));
        times(d, (1.0 / sum) as f32);
        d[label] -= 1.0;
        times(d, scale);
    }
    loss
}

/// [`softmax_cross_entropy`] against a distribution per row, for smoothed labels and distillation: returns
/// `Σ −t ln p` and writes `dlogits = (p · Σt − t) · scale`.
///
/// `targets` are rows of `c` like the logits. A target of 0 asks nothing, even of a logit of −∞.
pub fn softmax_cross_entropy_soft(
    level: Level,
    logits: &[f32],
    targets: &[f32],
    c: usize,
    scale: f32,
    dlogits: &mut [f32],
) -> f64 {
    softmax_cross_entropy_from(level, 0.0, logits, targets, c, scale, dlogits)
}

/// As [`softmax_cross_entropy_soft`], with its terms added to a sum one by one: a batch in pieces comes to the same bits as
/// the batch at once.
pub fn softmax_cross_entropy_from(
    level: Level,
    sum: f64,
    logits: &[f32],
    targets: &[f32],
    c: usize,
    scale: f32,
    dlogits: &mut [f32],
) -> f64 {
    assert_eq!(logits.len() % c, 0);
    assert_eq!(logits.len(), targets.len());
    assert_eq!(logits.len(), dlogits.len());
    dispatch!(level, simd => soft_body(simd, sum, logits, targets, c, scale, dlogits))
}

#[simd]
fn soft_body<S: Simd>(
    _: S,
    mut loss: f64,
    logits: &[f32],
    targets: &[f32],
    c: usize,
    scale: f32,
    dlogits: &mut [f32],
) -> f64 {
    for ((x, t), d) in logits.chunks_exact(c).zip(targets.chunks_exact(c)).zip(dlogits.chunks_exact_mut(c)) {
        d.copy_from_slice(x);
        let (max, sum) = exponentials(d);
        let log = f64::from(max) + libm::log(sum);
        let mass: f64 = t.iter().map(|&t| f64::from(t)).sum();
        let inverse = (mass / sum) as f32;
        for ((d, &t), &x) in d.iter_mut().zip(t).zip(x) {
            if t != 0.0 {
                loss += f64::from(t) * (log - f64::from(x));
            }
            *d = (*d * inverse - t) * scale;
        }
    }
    loss
}

/// [`softmax_cross_entropy`] against the class of each pixel: adds `Σ −ln p[class]` to `sum` and writes `p − onehot`. A class
/// of −1 counts for nothing: its row of `dlogits` is zero.
pub fn softmax_cross_entropy_masked(
    level: Level,
    sum: f64,
    logits: &[f32],
    classes: &[f32],
    c: usize,
    dlogits: &mut [f32],
) -> f64 {
    assert_eq!(logits.len(), classes.len() * c);
    assert_eq!(dlogits.len(), logits.len());
    assert!(classes.iter().all(|&class| class < c as f32));
    dispatch!(level, simd => masked_body(simd, sum, logits, classes, c, dlogits))
}

#[simd]
fn masked_body<S: Simd>(_: S, mut loss: f64, logits: &[f32], classes: &[f32], c: usize, dlogits: &mut [f32]) -> f64 {
    for ((x, d), &class) in logits.chunks_exact(c).zip(dlogits.chunks_exact_mut(c)).zip(classes) {
        if class < 0.0 {
            d.fill(0.0);
            continue;
        }
        let label = class as usize;
        d.copy_from_slice(x);
        let (max, sum) = exponentials(d);
        loss += libm::log(sum) + (f64::from(max) - f64::from(x[label]));
        times(d, (1.0 / sum) as f32);
        d[label] -= 1.0;
    }
    loss
}

/// Squared error: returns `½ Σ (y − target)²` and writes `dy = (y − target) · scale`.
///
/// With `scale = 1` the gradient is that of the returned sum (the sources' error function); PyTorch's `MSELoss` over
/// `N` numbers is twice the sum divided by `N`, with `scale = 2 / N`.
pub fn squared_error(level: Level, y: &[f32], target: &[f32], scale: f32, dy: &mut [f32]) -> f64 {
    assert_eq!(y.len(), target.len());
    assert_eq!(y.len(), dy.len());
    dispatch!(level, simd => squared_error_body(simd, y, target, scale, dy))
}

#[simd]
fn squared_error_body<S: Simd>(_: S, y: &[f32], target: &[f32], scale: f32, dy: &mut [f32]) -> f64 {
    let mut sum = 0.0;
    for ((d, y), t) in dy.iter_mut().zip(y).zip(target) {
        let error = y - t;
        sum += f64::from(error) * f64::from(error);
        *d = error * scale;
    }
    0.5 * sum
}

/// The largest number of a row; NaN is passed over here and found by the exponentials.
#[inline(always)]
fn maximum(row: &[f32]) -> f32 {
    row.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// Turns `x` into `exp(x − max)` and returns the maximum and the sum.
#[inline(always)]
fn exponentials(x: &mut [f32]) -> (f32, f64) {
    let max = maximum(x);
    for v in x.iter_mut() {
        *v = exp_of(*v - max);
    }
    (max, x.iter().map(|&e| f64::from(e)).sum())
}

#[inline(always)]
fn times(row: &mut [f32], a: f32) {
    for v in row {
        *v *= a;
    }
}
