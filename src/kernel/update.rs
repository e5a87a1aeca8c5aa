//! One step of an optimiser as a loop over slices: parameters `p`, gradients `g`, and what the optimiser remembers.
//!
//! Definitions are PyTorch's (`torch.optim`), its order of operations included; `decay` is L2 weight decay, and whatever an
//! optimiser remembers starts at zero. No multiplication and addition are fused, so training takes the same path at every
//! lane level.

use super::lanes::{map, zip};
use fearless_simd::{Level, dispatch, prelude::*};
use fearless_simd_macros::simd;
use serde::{Deserialize, Serialize};

/// The rule by which a gradient changes the parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// Gradient descent.
    Sgd,
    /// Momentum. Polyak 1964.
    Momentum,
    /// Momentum that looks ahead. Nesterov 1983.
    Nesterov,
    /// Duchi, Hazan and Singer 2011.
    AdaGrad,
    /// Zeiler 2012. Its own steps have the right size: the rate is 1.
    Adadelta,
    /// Hinton 2012.
    RmsProp,
    /// Kingma and Ba 2015.
    Adam,
    /// Adam with weight decay apart from the gradient. Loshchilov and Hutter 2019.
    AdamW,
}

impl Rule {
    /// Every rule, in the order in which the field found them.
    pub const ALL: [Self; 8] = [
        Self::Sgd,
        Self::Momentum,
        Self::Nesterov,
        Self::AdaGrad,
        Self::Adadelta,
        Self::RmsProp,
        Self::Adam,
        Self::AdamW,
    ];

    /// Whether it remembers a first and a second number for each parameter: velocity, Adam's mean of the gradient or Adadelta's
    /// mean of its squared steps; the sum or mean of the squared gradient.
    pub(crate) fn remembers(self) -> (bool, bool) {
        match self {
            Self::Sgd => (false, false),
            Self::Momentum | Self::Nesterov => (true, false),
            Self::AdaGrad | Self::RmsProp => (false, true),
            Self::Adadelta | Self::Adam | Self::AdamW => (true, true),
        }
    }
}

/// `y += a x`.
pub fn axpy(level: Level, y: &mut [f32], a: f32, x: &[f32]) {
    zip(level, y, x, |y, x| y + a * x);
}

/// Exponential moving average: `avg += (1 − decay) (p − avg)`.
pub fn ema(level: Level, avg: &mut [f32], p: &[f32], decay: f32) {
    let weight = 1.0 - decay;
    zip(level, avg, p, |avg, p| avg + weight * (p - avg));
}

/// `g = g` between `−most` and `most`.
pub fn clamp(level: Level, g: &mut [f32], most: f32) {
    map(level, g, |g| g.clamp(-most, most));
}

/// `g += l1 sign(p) + l2 p`: the gradient of `l1 Σ |p| + ½ l2 Σ p²`.
pub fn penalty(level: Level, g: &mut [f32], p: &[f32], l1: f32, l2: f32) {
    zip(level, g, p, |g, p| g + (if p == 0.0 { 0.0 } else { l1.copysign(p) } + l2 * p));
}

/// Gradient descent: `p −= lr (g + decay p)`.
pub fn sgd(level: Level, p: &mut [f32], g: &[f32], lr: f32, decay: f32) {
    zip(level, p, g, |p, g| p - lr * (g + decay * p));
}

/// Momentum (Polyak 1964) as PyTorch defines it: `v = mu v + (g + decay p)`, `p −= lr v`.
///
/// The form `v = mu v − lr g`, `p += v` takes the same steps as long as the rate is constant.
pub fn momentum(level: Level, p: &mut [f32], g: &[f32], v: &mut [f32], lr: f32, mu: f32, decay: f32) {
    one(level, p, g, v, |p, g, v| {
        *v = mu * *v + (g + decay * *p);
        *p -= lr * *v;
    });
}

/// Nesterov's momentum (Nesterov 1983; Sutskever et al. 2013) as PyTorch defines it: `v` as in [`momentum`], then
/// `p −= lr (g + decay p + mu v)`.
pub fn nesterov(level: Level, p: &mut [f32], g: &[f32], v: &mut [f32], lr: f32, mu: f32, decay: f32) {
    one(level, p, g, v, |p, g, v| {
        let g = g + decay * *p;
        *v = mu * *v + g;
        *p -= lr * (g + mu * *v);
    });
}

/// AdaGrad (Duchi et al. 2011): `h += g²`, `p −= lr g / (√h + eps)`.
pub fn adagrad(level: Level, p: &mut [f32], g: &[f32], h: &mut [f32], lr: f32, eps: f32, decay: f32) {
    one(level, p, g, h, |p, g, h| {
        let g = g + decay * *p;
        *h += g * g;
        *p -= lr * (g / (h.sqrt() + eps));
    });
}

/// RMSProp (Hinton 2012): `h = alpha h + (1 − alpha) g²`, `p −= lr g / (√h + eps)`.
pub fn rmsprop(level: Level, p: &mut [f32], g: &[f32], h: &mut [f32], lr: f32, keep: Keep, decay: f32) {
    let Keep { part, rest, eps } = keep;
    one(level, p, g, h, |p, g, h| {
        let g = g + decay * *p;
        *h = part * *h + rest * g * g;
        *p -= lr * (g / (h.sqrt() + eps));
    });
}

/// Adadelta (Zeiler 2012): `h = rho h + (1 − rho) g²`, `δ = √(d + eps) / √(h + eps) · g`, `d = rho d + (1 − rho) δ²`,
/// `p −= lr δ`; `memory` is `[d, h]`.
pub fn adadelta(level: Level, p: &mut [f32], g: &[f32], memory: [&mut [f32]; 2], lr: f32, keep: Keep, decay: f32) {
    let Keep { part, rest, eps } = keep;
    two(level, p, g, memory, |p, g, d, h| {
        let g = g + decay * *p;
        *h = part * *h + rest * g * g;
        let delta = (*d + eps).sqrt() / (*h + eps).sqrt() * g;
        *d = part * *d + rest * delta * delta;
        *p -= lr * delta;
    });
}

/// How a mean of squares is kept: `h = part h + rest g²`, with `eps` added where it divides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Keep {
    /// Part of the mean that is kept each step: RMSProp's alpha, Adadelta's rho.
    pub part: f32,
    /// `1 − part`, from `f64`: `1 − 0.999` has four good digits in `f32`.
    pub rest: f32,
    /// Added to the root by RMSProp, under it by Adadelta.
    pub eps: f32,
}

impl Keep {
    /// With the `rest` of this part.
    pub fn new(part: f64, eps: f64) -> Self {
        Self { part: part as f32, rest: (1.0 - part) as f32, eps: eps as f32 }
    }
}

/// The numbers that Adam is set by. `f64` for the reason that [`Keep`] gives.
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

/// Adam (Kingma and Ba 2015): step number `step`, counted from 1; `memory` is `[m, v]`.
pub fn adam(level: Level, p: &mut [f32], g: &[f32], memory: [&mut [f32]; 2], adam: &Adam, step: u64) {
    let Adam { lr, beta1, beta2, eps, decay, decoupled } = *adam;
    let rate = (lr / (1.0 - libm::pow(beta1, step as f64))) as f32;
    let root = libm::sqrt(1.0 - libm::pow(beta2, step as f64)) as f32;
    let (l2, keep) = if decoupled { (0.0, (1.0 - lr * decay) as f32) } else { (decay as f32, 1.0) };
    let (rest1, beta2, rest2, eps) = ((1.0 - beta1) as f32, beta2 as f32, (1.0 - beta2) as f32, eps as f32);
    two(level, p, g, memory, |p, g, m, v| {
        let g = g + l2 * *p;
        *m += rest1 * (g - *m);
        *v = beta2 * *v + rest2 * g * g;
        *p = keep * *p - rate * *m / (v.sqrt() / root + eps);
    });
}

/// `f(p[i], g[i], a[i])` for every parameter.
#[inline(always)]
fn one(level: Level, p: &mut [f32], g: &[f32], a: &mut [f32], f: impl Fn(&mut f32, f32, &mut f32)) {
    assert!(p.len() == g.len() && p.len() == a.len());
    dispatch!(level, simd => one_body(simd, p, g, a, f));
}

#[simd]
fn one_body<S: Simd, F: Fn(&mut f32, f32, &mut f32)>(_: S, p: &mut [f32], g: &[f32], a: &mut [f32], f: F) {
    for ((p, a), g) in p.iter_mut().zip(a).zip(g) {
        f(p, *g, a);
    }
}

/// `f(p[i], g[i], a[i], b[i])` for every parameter.
#[inline(always)]
fn two(level: Level, p: &mut [f32], g: &[f32], [a, b]: [&mut [f32]; 2], f: impl Fn(&mut f32, f32, &mut f32, &mut f32)) {
    assert!(p.len() == g.len() && p.len() == a.len() && p.len() == b.len());
    dispatch!(level, simd => two_body(simd, p, g, a, b, f));
}

#[simd]
fn two_body<S: Simd, F: Fn(&mut f32, f32, &mut f32, &mut f32)>(
    _: S,
    p: &mut [f32],
    g: &[f32],
    a: &mut [f32],
    b: &mut [f32],
    f: F,
) {
    for (((p, a), b), g) in p.iter_mut().zip(a).zip(b).zip(g) {
        f(p, *g, a, b);
    }
}
