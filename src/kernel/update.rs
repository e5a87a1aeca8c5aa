//! One step of an optimiser as a loop over slices: parameters `p`, gradients `g`, and what the optimiser remembers.
//!
//! Definitions are PyTorch's (`torch.optim`), its order of operations included. No multiplication and addition are
//! fused, so training takes the same path at every lane level.

use super::lanes::zip;
use fearless_simd::{Level, dispatch, prelude::*};
use fearless_simd_macros::simd;

/// `y += a x`.
pub fn axpy(level: Level, y: &mut [f32], a: f32, x: &[f32]) {
    zip(level, y, x, |y, x| y + a * x);
}

/// Exponential moving average: `avg += (1 − decay) (p − avg)`.
pub fn ema(level: Level, avg: &mut [f32], p: &[f32], decay: f32) {
    let weight = 1.0 - decay;
    zip(level, avg, p, |avg, p| avg + weight * (p - avg));
}

/// Gradient descent: `p −= lr (g + decay p)`; `decay` is L2 weight decay.
pub fn sgd(level: Level, p: &mut [f32], g: &[f32], lr: f32, decay: f32) {
    zip(level, p, g, |p, g| p - lr * (g + decay * p));
}

/// Momentum (Polyak 1964) as PyTorch defines it: `v = mu v + (g + decay p)`, `p −= lr v`; `v` starts at zero.
///
/// The form `v = mu v − lr g`, `p += v` takes the same steps as long as the rate is constant.
pub fn momentum(level: Level, p: &mut [f32], g: &[f32], v: &mut [f32], lr: f32, mu: f32, decay: f32) {
    assert!(p.len() == g.len() && p.len() == v.len());
    dispatch!(level, simd => momentum_body(simd, p, g, v, lr, mu, decay));
}

#[simd]
fn momentum_body<S: Simd>(_: S, p: &mut [f32], g: &[f32], v: &mut [f32], lr: f32, mu: f32, decay: f32) {
    for ((p, v), g) in p.iter_mut().zip(v).zip(g) {
        *v = mu * *v + (g + decay * *p);
        *p -= lr * *v;
    }
}

/// The numbers that Adam is set by. `f64`, because `1 − 0.999` has four good digits in `f32`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adam {
    /// Learning rate.
    pub lr: f64,
    /// Decay of the mean of the gradient.
    pub beta1: f64,
    /// Decay of the mean of its square.
    pub beta2: f64,
    /// Added to the root, after its bias is corrected.
    pub eps: f64,
    /// Weight decay.
    pub decay: f64,
    /// Whether the decay shrinks `p` by itself (AdamW, Loshchilov and Hutter 2019) or is added to `g` (L2).
    pub decoupled: bool,
}

impl Default for Adam {
    /// The paper's settings (Kingma and Ba 2015), without decay.
    fn default() -> Self {
        Self { lr: 1e-3, beta1: 0.9, beta2: 0.999, eps: 1e-8, decay: 0.0, decoupled: false }
    }
}

/// Adam (Kingma and Ba 2015): step number `step`, counted from 1; `m` and `v` start at zero.
pub fn adam(level: Level, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], adam: &Adam, step: u64) {
    assert!(p.len() == g.len() && p.len() == m.len() && p.len() == v.len());
    dispatch!(level, simd => adam_body(simd, p, g, m, v, adam, step));
}

#[simd]
fn adam_body<S: Simd>(_: S, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32], adam: &Adam, step: u64) {
    let Adam { lr, beta1, beta2, eps, decay, decoupled } = *adam;
    let rate = (lr / (1.0 - libm::pow(beta1, step as f64))) as f32;
    let root = libm::sqrt(1.0 - libm::pow(beta2, step as f64)) as f32;
    let (l2, keep) = if decoupled { (0.0, (1.0 - lr * decay) as f32) } else { (decay as f32, 1.0) };
    let (rest1, beta2, rest2, eps) = ((1.0 - beta1) as f32, beta2 as f32, (1.0 - beta2) as f32, eps as f32);
    for (((p, m), v), g) in p.iter_mut().zip(m).zip(v).zip(g) {
        let g = g + l2 * *p;
        *m += rest1 * (g - *m);
        *v = beta2 * *v + rest2 * g * g;
        *p = keep * *p - rate * *m / (v.sqrt() / root + eps);
    }
}
