//! Activations, the exponential's accuracy, dropout.

use super::common::levels;
use super::{close, fingerprint, normal, same_bits};
use hitofude::kernel::{Level, act};
use hitofude::rng::Rng;

/// Every 4099th `f32` (a prime, so that all low bits occur), both signs, infinities and subnormals included.
fn sweep() -> Vec<f32> {
    let positive = (0..=f32::INFINITY.to_bits()).step_by(4099).map(f32::from_bits);
    positive.chain([f32::INFINITY, f32::MAX]).flat_map(|v| [v, -v]).collect()
}

type Kernel = fn(Level, &mut [f32]);
type Twin = fn(f64) -> f64;

/// Each function with its `f64` twin and the largest error it may make, in units in the last place.
const ACCURACY: [(&str, Kernel, Twin, f64); 3] = [
    ("exp", act::exp, f64::exp, 1.0),
    ("sigmoid", act::sigmoid, |x| 1.0 / (1.0 + (-x).exp()), 2.5),
    ("tanh", act::tanh, f64::tanh, 1.4),
];

/// The largest distance between a kernel and its twin over `x`, in units in the last place.
fn worst_ulp(level: Level, kernel: Kernel, twin: Twin, x: &[f32]) -> f64 {
    let mut y = x.to_vec();
    kernel(level, &mut y);
    let mut worst = 0.0f64;
    for (x, y) in x.iter().zip(&y) {
        let want = twin(f64::from(*x));
        let rounded = want as f32;
        if rounded.is_infinite() || y.is_infinite() {
            assert_eq!(*y, rounded, "at {x}");
            continue;
        }
        let ulp = f64::from(rounded.abs().next_up()) - f64::from(rounded.abs());
        worst = worst.max((f64::from(*y) - want).abs() / ulp);
    }
    worst
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn exponentials_are_accurate_everywhere() {
    for level in levels() {
        for (name, kernel, twin, allowed) in ACCURACY {
            let worst = worst_ulp(level, kernel, twin, &sweep());
            assert!(worst <= allowed, "{name}: {worst} ulp at {level:?}");
        }
    }
}

/// Prints the figures that `act.rs` states: `cargo test --release --test kernels_small -- --ignored --nocapture`.
#[cfg(not(target_arch = "wasm32"))]
#[test]
#[ignore = "tries all 278 million numbers between 1e-3 and 106, both signs: 10 s with --release"]
fn exponentials_are_accurate_at_every_number() {
    for (name, kernel, twin, allowed) in ACCURACY {
        let mut worst = 0.0f64;
        for begin in (1e-3f32.to_bits()..106f32.to_bits()).step_by(1 << 16) {
            let x: Vec<f32> = (begin..begin + (1 << 16)).map(f32::from_bits).flat_map(|v| [v, -v]).collect();
            worst = worst.max(worst_ulp(Level::new(), kernel, twin, &x));
        }
        println!("{name}: {worst:.3} ulp");
        assert!(worst <= allowed, "{name}: {worst} ulp");
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn exponentials_have_the_same_bits_everywhere() {
    let kernels: [Kernel; 3] = [act::exp, act::sigmoid, act::tanh];
    for level in levels() {
        let seen = kernels.map(|kernel| {
            let mut y = sweep();
            kernel(level, &mut y);
            fingerprint(&y)
        });
        assert_eq!(
            seen,
            [0x9eee_5fb7_53eb_6d24, 0xb7c9_60c2_e3a2_c2b8, 0xd54c_446a_c932_08e5],
            "{level:?}: {seen:#x?}"
        );
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn activations_treat_the_ends_as_documented() {
    let (nan, inf) = (f32::NAN, f32::INFINITY);
    type Ends = (Kernel, [f32; 6]);
    let kernels: [Ends; 4] = [
        (act::relu, [0.0, 0.0, 0.0, 0.0, 200.0, inf]),
        (act::exp, [0.0, 0.0, 1.0, 1.0, inf, inf]),
        (act::sigmoid, [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]),
        (act::tanh, [-1.0, -1.0, -0.0, 0.0, 1.0, 1.0]),
    ];
    for level in levels() {
        for (kernel, want) in kernels {
            let mut y = [-inf, -200.0, -0.0, 0.0, 200.0, inf, nan, 1.0, nan];
            kernel(level, &mut y);
            let bits = |v: &[f32]| v.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&y[..6]), bits(&want), "{level:?}: {y:?}");
            assert!(y[6].is_nan() && y[8].is_nan() && !y[7].is_nan(), "{level:?}: {y:?}");
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn activations_and_gradients_match_their_twins() {
    type Backward = fn(Level, &[f32], &mut [f32]);
    type Case = (Kernel, Backward, fn(f64) -> f64, fn(f64) -> f64);
    let cases: [Case; 3] = [
        (act::relu, act::relu_backward, |x| x.max(0.0), |x| if x > 0.0 { 1.0 } else { 0.0 }),
        (
            act::sigmoid,
            act::sigmoid_backward,
            |x| 1.0 / (1.0 + (-x).exp()),
            |x| (-x).exp() / (1.0 + (-x).exp()).powi(2),
        ),
        (act::tanh, act::tanh_backward, f64::tanh, |x| 1.0 / x.cosh().powi(2)),
    ];
    let mut rng = Rng::new(1);
    for n in 0..70 {
        let (x, dy) = (normal(&mut rng, n), normal(&mut rng, n));
        for (forward, backward, f, derivative) in cases {
            let want_y: Vec<f64> = x.iter().map(|&x| f(f64::from(x))).collect();
            let want_dx: Vec<f64> = x.iter().zip(&dy).map(|(&x, &d)| f64::from(d) * derivative(f64::from(x))).collect();
            let (mut ys, mut dxs) = (Vec::new(), Vec::new());
            for level in levels() {
                let (mut y, mut dx) = (x.clone(), dy.clone());
                forward(level, &mut y);
                backward(level, &y, &mut dx);
                ys.push(y);
                dxs.push(dx);
            }
            close(&ys[0], &want_y, 3e-7, "y");
            close(&dxs[0], &want_dx, 5e-7, "dx");
            same_bits(&ys, "forward");
            same_bits(&dxs, "backward");
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn relu_stops_gradients_where_the_output_is_zero() {
    for level in levels() {
        let mut dy = [1.0, 2.0, f32::INFINITY, f32::NAN, 5.0];
        act::relu_backward(level, &[0.0, 1.0, 0.0, 0.0, f32::NAN], &mut dy);
        assert_eq!(dy, [0.0, 2.0, 0.0, 0.0, 5.0]);
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn elementwise_sums_and_products() {
    let mut rng = Rng::new(2);
    for n in 0..70 {
        let (x, y) = (normal(&mut rng, n), normal(&mut rng, n));
        for level in levels() {
            let (mut sum, mut product, mut scaled) = (y.clone(), y.clone(), y.clone());
            act::add_assign(level, &mut sum, &x);
            act::mul_assign(level, &mut product, &x);
            act::scale(level, &mut scaled, -1.5);
            for i in 0..n {
                assert_eq!((sum[i], product[i], scaled[i]), (y[i] + x[i], y[i] * x[i], y[i] * -1.5));
            }
        }
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn dropout_is_the_same_mask_everywhere_and_twice() {
    for level in levels() {
        let mut first = vec![1.0; 64];
        act::dropout(level, 7, 0.5, &mut first);
        let kept = first.iter().rev().fold(0u64, |bits, &v| bits << 1 | u64::from(v == 2.0));
        assert_eq!(kept, 0x79e1_8f37_f7d5_550f, "{level:?}: {kept:#x}");
        let mut again = vec![3.0; 64];
        act::dropout(level, 7, 0.5, &mut again);
        assert!(first.iter().zip(&again).all(|(a, b)| 3.0 * a == *b));
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test::wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), test)]
fn dropout_keeps_what_it_should_and_nothing_tells_masks_apart() {
    const N: usize = 100_003;
    let level = Level::new();
    let mask = |seed: u64, keep: f32| {
        let mut y = vec![1.0; N];
        act::dropout(level, seed, keep, &mut y);
        assert!(y.iter().all(|&v| v == 0.0 || v == 1.0 / keep));
        y.into_iter().map(|v| v > 0.0).collect::<Vec<bool>>()
    };
    let share = |hits: usize, n: usize| hits as f64 / n as f64;
    for keep in [0.1f32, 0.5, 0.8] {
        for seed in 0..5 {
            let kept = share(mask(seed, keep).iter().filter(|k| **k).count(), N);
            // Five standard deviations of a fair coin.
            assert!((kept - f64::from(keep)).abs() < 5.0 * (0.25 / N as f64).sqrt(), "{keep}: {kept}");
        }
    }
    let fair = |agree: f64| assert!((agree - 0.5).abs() < 5.0 * (0.25 / N as f64).sqrt(), "{agree}");
    for seed in [0u64, 1, 1 << 32, u64::MAX] {
        let a = mask(seed, 0.5);
        let b = mask(seed.wrapping_add(1), 0.5);
        fair(share(a.iter().zip(&b).filter(|(a, b)| a == b).count(), N));
        for lag in [1, 2, 4, 8, 16, 32, 1024] {
            fair(share(a.iter().zip(&a[lag..]).filter(|(a, b)| a == b).count(), N - lag));
        }
    }
    let mut whole = [f32::NAN, 1.0, 2.0];
    act::dropout(level, 3, 1.0, &mut whole);
    assert!(whole[0].is_nan() && whole[1..] == [1.0, 2.0]);
}
