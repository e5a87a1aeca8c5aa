//! Losses of single numbers, with their slopes: binary cross-entropy, squared error, Huber.
//!
//! Each adds its terms to a sum in `f64`, one by one, so that a batch in pieces comes to the same bits as the batch at once,
//! and writes the slope at every number. Exponentials are this crate's own and logarithms come from `libm`: the bits are the
//! same on every target and at every lane level.

use super::act::exp_of;
use fearless_simd::{Level, dispatch, prelude::*};
use fearless_simd_macros::simd;

/// Binary cross-entropy of the sigmoid of `x` against `t` from 0 to 1: adds `Σ max(x, 0) − x t + ln(1 + e^−|x|)` and writes
/// `σ(x) − t`. PyTorch's `BCEWithLogitsLoss`, summed.
pub fn binary_cross_entropy(level: Level, sum: f64, x: &[f32], t: &[f32], slope: &mut [f32]) -> f64 {
    each(level, sum, x, t, slope, |x, t| {
        let e = exp_of(-x.abs());
        let value = f64::from(x.max(0.0)) - f64::from(x) * f64::from(t) + libm::log1p(f64::from(e));
        let sigmoid = if x >= 0.0 { 1.0 / (1.0 + e) } else { e / (1.0 + e) };
        (value, sigmoid - t)
    })
}

/// Squared error: adds `½ Σ (x − t)²` and writes `x − t`.
pub fn squared(level: Level, sum: f64, x: &[f32], t: &[f32], slope: &mut [f32]) -> f64 {
    each(level, sum, x, t, slope, |x, t| {
        let error = x - t;
        (0.5 * f64::from(error) * f64::from(error), error)
    })
}

/// Huber's loss (1964): adds `½ e²` of an error `e = x − t` of at most `delta`, else `delta (|e| − ½ delta)`, and writes `e`
/// cut to `±delta`. PyTorch's `HuberLoss`, summed; `SmoothL1Loss` of `beta` is it over `beta`.
pub fn huber(level: Level, delta: f32, sum: f64, x: &[f32], t: &[f32], slope: &mut [f32]) -> f64 {
    each(level, sum, x, t, slope, |x, t| {
        let (error, delta64) = (x - t, f64::from(delta));
        let size = f64::from(error.abs());
        let value = if size <= delta64 { 0.5 * size * size } else { delta64 * (size - 0.5 * delta64) };
        // Not `clamp`: a NaN must stay one.
        let cut = if error > delta {
            delta
        } else if error < -delta {
            -delta
        } else {
            error
        };
        (value, cut)
    })
}

#[inline(always)]
fn each(level: Level, sum: f64, x: &[f32], t: &[f32], slope: &mut [f32], f: impl Fn(f32, f32) -> (f64, f32)) -> f64 {
    assert!(x.len() == t.len() && x.len() == slope.len());
    dispatch!(level, simd => each_body(simd, sum, x, t, slope, f))
}

#[simd]
fn each_body<S: Simd, F: Fn(f32, f32) -> (f64, f32)>(
    _: S,
    mut sum: f64,
    x: &[f32],
    t: &[f32],
    slope: &mut [f32],
    f: F,
) -> f64 {
    for ((slope, &x), &t) in slope.iter_mut().zip(x).zip(t) {
        let (value, by) = f(x, t);
        sum += value;
        *slope = by;
    }
    sum
}
