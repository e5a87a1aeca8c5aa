//! Optimiser steps against the formulas of PyTorch's documentation in `f64`, over ten steps.

use super::common::levels;
use super::{close, normal, same_bits};
use hitofude::kernel::Level;
use hitofude::kernel::update::{
    Adam, Keep, adadelta, adagrad, adam, axpy, clamp, ema, momentum, nesterov, penalty, rmsprop, sgd,
};
use hitofude::rng::Rng;

const STEPS: usize = 10;

/// Takes ten steps at every level and compares the parameters with the twin's.
///
/// `step(level, p, g, a, b, t)` and `twin(p, g, a, b, t)` may remember two numbers per parameter.
fn follow(
    what: &str,
    step: impl Fn(Level, &mut [f32], &[f32], &mut [f32], &mut [f32], u64),
    twin: impl Fn(&mut f64, f64, &mut f64, &mut f64, i32),
) {
    let mut rng = Rng::new(1);
    for n in (0..40).chain([257]) {
        let p0 = normal(&mut rng, n);
        let gradients: Vec<Vec<f32>> = (0..STEPS).map(|_| normal(&mut rng, n)).collect();
        let mut want: Vec<f64> = p0.iter().map(|&v| f64::from(v)).collect();
        let mut memory = vec![(0.0, 0.0); n];
        for (t, g) in gradients.iter().enumerate() {
            for ((p, g), (a, b)) in want.iter_mut().zip(g).zip(&mut memory) {
                twin(p, f64::from(*g), a, b, t as i32 + 1);
            }
        }
        let seen: Vec<Vec<f32>> = levels()
            .into_iter()
            .map(|level| {
                let (mut p, mut a, mut b) = (p0.clone(), vec![0.0; n], vec![0.0; n]);
                for (t, g) in gradients.iter().enumerate() {
                    step(level, &mut p, g, &mut a, &mut b, t as u64 + 1);
                }
                p
            })
            .collect();
        close(&seen[0], &want, 2e-6, what);
        same_bits(&seen, what);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn sgd_and_momentum_follow_their_formulas() {
    for decay in [0.0f32, 0.1] {
        let wd = f64::from(decay);
        follow(
            "sgd",
            |level, p, g, _, _, _| sgd(level, p, g, 0.05, decay),
            |p, g, _, _, _| *p -= f64::from(0.05f32) * (g + wd * *p),
        );
        follow(
            "momentum",
            |level, p, g, v, _, _| momentum(level, p, g, v, 0.05, 0.9, decay),
            |p, g, v, _, _| {
                *v = f64::from(0.9f32) * *v + g + wd * *p;
                *p -= f64::from(0.05f32) * *v;
            },
        );
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn adam_follows_its_formulas() {
    let plain = Adam { lr: 0.01, ..Adam::default() };
    // An eps as large as the root shows where it is added.
    let blunt = Adam { eps: 0.5, ..plain };
    let l2 = Adam { decay: 0.1, ..plain };
    let decoupled = Adam { decoupled: true, ..l2 };
    for h in [plain, blunt, l2, decoupled] {
        follow(
            &format!("{h:?}"),
            |level, p, g, m, v, t| adam(level, p, g, [m, v], &h, t),
            |p, mut g, m, v, t| {
                if h.decoupled {
                    *p *= 1.0 - h.lr * h.decay;
                } else {
                    g += h.decay * *p;
                }
                *m = h.beta1 * *m + (1.0 - h.beta1) * g;
                *v = h.beta2 * *v + (1.0 - h.beta2) * g * g;
                let (m_hat, v_hat) = (*m / (1.0 - h.beta1.powi(t)), *v / (1.0 - h.beta2.powi(t)));
                *p -= h.lr * m_hat / (v_hat.sqrt() + h.eps);
            },
        );
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn nesterov_looks_one_step_ahead() {
    for decay in [0.0f32, 0.1] {
        follow(
            "nesterov",
            |level, p, g, v, _, _| nesterov(level, p, g, v, 0.05, 0.9, decay),
            |p, g, v, _, _| {
                let g = g + f64::from(decay) * *p;
                *v = f64::from(0.9f32) * *v + g;
                *p -= f64::from(0.05f32) * (g + f64::from(0.9f32) * *v);
            },
        );
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn rules_that_divide_by_a_root_follow_their_formulas() {
    let keep = Keep::new(0.9, 1e-3);
    let (lr, eps) = (f64::from(0.02f32), f64::from(1e-3f32));
    for decay in [0.0f32, 0.1] {
        let wd = f64::from(decay);
        follow(
            "adagrad",
            |level, p, g, h, _, _| adagrad(level, p, g, h, 0.02, 1e-3, decay),
            |p, g, h, _, _| {
                let g = g + wd * *p;
                *h += g * g;
                *p -= lr * g / (h.sqrt() + eps);
            },
        );
        follow(
            "rmsprop",
            |level, p, g, h, _, _| rmsprop(level, p, g, h, 0.02, keep, decay),
            |p, g, h, _, _| {
                let g = g + wd * *p;
                *h = 0.9 * *h + 0.1 * g * g;
                *p -= lr * g / (h.sqrt() + eps);
            },
        );
        follow(
            "adadelta",
            |level, p, g, d, h, _| adadelta(level, p, g, [d, h], 0.02, keep, decay),
            |p, g, d, h, _| {
                let g = g + wd * *p;
                *h = 0.9 * *h + 0.1 * g * g;
                let delta = ((*d + eps) / (*h + eps)).sqrt() * g;
                *d = 0.9 * *d + 0.1 * delta * delta;
                *p -= lr * delta;
            },
        );
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn penalties_pull_to_zero_and_clamps_bound() {
    for level in levels() {
        let mut g = [1.0, 1.0, 1.0, -9.0];
        penalty(level, &mut g, &[2.0, -2.0, 0.0, -0.0], 0.25, 0.5);
        assert_eq!(g, [2.25, -0.25, 1.0, -9.0], "no pull on what is zero");
        clamp(level, &mut g, 2.0);
        assert_eq!(g, [2.0, -0.25, 1.0, -2.0]);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn averages_and_sums_follow_their_formulas() {
    follow("axpy", |level, p, g, _, _, _| axpy(level, p, -0.3, g), |p, g, _, _, _| *p -= f64::from(0.3f32) * g);
    follow(
        "ema",
        |level, avg, p, _, _, _| ema(level, avg, p, 0.99),
        |avg, p, _, _, _| {
            *avg = f64::from(0.99f32) * *avg + (1.0 - f64::from(0.99f32)) * p;
        },
    );
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn a_parameter_without_gradient_stays() {
    for level in levels() {
        let (mut p, mut m, mut v) = ([1.0, -2.0, 0.0], [0.0; 3], [0.0; 3]);
        adam(level, &mut p, &[0.0; 3], [&mut m, &mut v], &Adam::default(), 1);
        momentum(level, &mut p, &[0.0; 3], &mut m, 0.1, 0.9, 0.0);
        assert_eq!(p, [1.0, -2.0, 0.0]);
        sgd(level, &mut p, &[f32::NAN, 0.0, 0.0], 0.1, 0.0);
        assert!(p[0].is_nan() && p[1..] == [-2.0, 0.0], "a NaN stays with its parameter");
    }
}
