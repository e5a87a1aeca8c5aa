//! Activations in place, their gradients from the output, dropout, and elementwise sums and products.
//!
//! The exponential is our own, because the platform's differ in the last bit: every function here gives the same
//! bits on every target and at every lane level. Slices are taken as they are, halos included: [`relu`] and
//! [`tanh`] keep the zeros of a halo, [`sigmoid`] makes them ½, so its caller clears the halo or goes row by row.

use super::lanes::{map, zip};
use fearless_simd::{Level, dispatch, prelude::*};
use fearless_simd_macros::simd;

/// `y = max(y, 0)`; NaN stays NaN.
pub fn relu(level: Level, y: &mut [f32]) {
    map(level, y, |y| if y <= 0.0 { 0.0 } else { y });
}

/// `dy = dy` where the output `y > 0`, else 0. A NaN in `y` lets `dy` pass, as in PyTorch.
pub fn relu_backward(level: Level, y: &[f32], dy: &mut [f32]) {
    zip(level, dy, y, |dy, y| if y <= 0.0 { 0.0 } else { dy });
}

/// `y = 1 / (1 + e⁻ʸ)` within 2.5 ulp, the small numbers of the left tail too; NaN stays NaN.
pub fn sigmoid(level: Level, y: &mut [f32]) {
    map(level, y, sigmoid_of);
}

/// `dy *= y (1 − y)`, from the output `y` of [`sigmoid`].
pub fn sigmoid_backward(level: Level, y: &[f32], dy: &mut [f32]) {
    zip(level, dy, y, |dy, y| dy * (y * (1.0 - y)));
}

/// `y = tanh y` within 1.4 ulp, the small numbers near 0 too; NaN stays NaN.
pub fn tanh(level: Level, y: &mut [f32]) {
    map(level, y, tanh_of);
}

/// `dy *= 1 − y²`, from the output `y` of [`tanh`].
pub fn tanh_backward(level: Level, y: &[f32], dy: &mut [f32]) {
    zip(level, dy, y, |dy, y| dy * ((1.0 - y) * (1.0 + y)));
}

/// `y = eʸ` within 1 ulp: 0 below −103.98, infinity above 88.73, NaN stays NaN.
pub fn exp(level: Level, y: &mut [f32]) {
    map(level, y, exp_of);
}

/// `y *= a`.
pub fn scale(level: Level, y: &mut [f32], a: f32) {
    map(level, y, |y| y * a);
}

/// `y += x`.
pub fn add_assign(level: Level, y: &mut [f32], x: &[f32]) {
    zip(level, y, x, |y, x| y + x);
}

/// `y = max(y + x, 0)`; NaN stays NaN.
pub fn add_relu(level: Level, y: &mut [f32], x: &[f32]) {
    zip(level, y, x, |y, x| if y + x <= 0.0 { 0.0 } else { y + x });
}

/// `y *= x`.
pub fn mul_assign(level: Level, y: &mut [f32], x: &[f32]) {
    zip(level, y, x, |y, x| y * x);
}

/// Inverted dropout (Srivastava et al. 2014): each number is kept with probability `keep` and divided by it, else 0.
///
/// Whether number `i` is kept is a hash of `seed` and `i`. No mask is stored: the same call on the gradient is the
/// backward pass. `keep` is in `(0, 1]`. Use another seed for every layer, step and image.
pub fn dropout(level: Level, seed: u64, keep: f32, y: &mut [f32]) {
    dispatch!(level, simd => dropout_body(simd, seed, keep, y));
}

#[simd]
fn dropout_body<S: Simd>(_: S, seed: u64, keep: f32, y: &mut [f32]) {
    let (key, threshold, gain) = (split_mix(seed), (keep * 16_777_216.0) as u32, 1.0 / keep);
    for (i, v) in y.iter_mut().enumerate() {
        let kept = hash(key, i as u32) >> 8 < threshold;
        *v = if kept { *v * gain } else { 0.0 };
    }
}

/// SplitMix64 (Steele et al. 2014): neighbouring seeds give unrelated keys.
fn split_mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// 32 bits for number `i` under a key, by 32-bit operations alone, which every lane level has.
///
/// Two rounds of a mixer from Wellons's hash prospector (2018), one per half of the key: after one round alone the
/// masks of two keys would be reorderings of each other.
#[inline(always)]
fn hash(key: u64, i: u32) -> u32 {
    mix(mix(i ^ key as u32).wrapping_add((key >> 32) as u32))
}

#[inline(always)]
fn mix(mut h: u32) -> u32 {
    h = (h ^ (h >> 16)).wrapping_mul(0x21f0_aaad);
    h = (h ^ (h >> 15)).wrapping_mul(0xd35a_2d97);
    h ^ (h >> 15)
}

/// `eˣ` without a branch: Cephes's `expf` (Moshier 1989), `x = n ln 2 + r` with `|r| ≤ ½ ln 2`.
#[inline(always)]
pub(super) fn exp_of(x: f32) -> f32 {
    // Adding 1.5·2²³ rounds to a whole number, which then sits in the low bits.
    const ROUND: f32 = 12_582_912.0;
    // ln 2 in two parts: the first has 9 bits, so that n times it is exact.
    const LN2: (f32, f32) = (355.0 / 512.0, -2.121_944_4e-4);
    // e⁸⁹ overflows and e⁻¹⁰⁴ rounds to 0; `clamp` keeps NaN.
    let x = x.clamp(-104.0, 89.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = (x - n * LN2.0) - n * LN2.1;
    let mut p = 1.987_569_1e-4;
    for coefficient in [1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5] {
        p = p * r + coefficient;
    }
    let p = p * (r * r) + r + 1.0;
    // 2ⁿ in two factors: n reaches 128 and −150, past the exponents of one normal number.
    let n = rounded.to_bits().wrapping_sub(ROUND.to_bits()) as i32;
    let half = n >> 1;
    p * power_of_two(half) * power_of_two(n - half)
}

#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) as u32) << 23)
}

#[inline(always)]
fn sigmoid_of(x: f32) -> f32 {
    let e = exp_of(-x.abs());
    let numerator = if x < 0.0 { e } else { 1.0 };
    numerator / (1.0 + e)
}

/// Near 0 Cephes's `tanhf`, an odd polynomial; elsewhere by the exponential, where nothing cancels.
#[inline(always)]
fn tanh_of(x: f32) -> f32 {
    let z = x * x;
    let mut p = -5.704_988_7e-3;
    for coefficient in [2.063_909e-2, -5.373_971_6e-2, 1.333_144_2e-1, -3.333_328e-1] {
        p = p * z + coefficient;
    }
    let near = p * z * x + x;
    let far = 1.0 - 2.0 / (exp_of(2.0 * x.abs()) + 1.0);
    (if x.abs() < 0.625 { near } else { far }).copysign(x)
}
