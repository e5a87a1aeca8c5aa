//! Activations in place, their gradients from the output, dropout, and elementwise sums and products.
//!
//! The exponential is our own, because the platform's differ in the last bit: every function here gives the same
//! bits on every target and at every lane level. Slices are taken as they are, halos included: [`relu`] and
//! [`tanh`] keep the zeros of a halo, [`sigmoid`] makes them ½, so its caller clears the halo or goes row by row.

use super::lanes::{map, zip, zip3};
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

/// `y` from 0 to 6; NaN stays NaN.
pub fn relu6(level: Level, y: &mut [f32]) {
    map(level, y, |y| y.clamp(0.0, 6.0));
}

/// `dy = dy` where the output `y` of [`relu6`] is at neither end, else 0.
pub fn relu6_backward(level: Level, y: &[f32], dy: &mut [f32]) {
    zip(level, dy, y, |dy, y| if y <= 0.0 || y >= 6.0 { 0.0 } else { dy });
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

/// `y = y` where positive, else `slope · y`.
pub fn leaky_relu(level: Level, slope: f32, y: &mut [f32]) {
    map(level, y, |y| if y <= 0.0 { slope * y } else { y });
}

/// `dy *= slope` where the output `y` is not positive; `slope` is not negative.
pub fn leaky_relu_backward(level: Level, slope: f32, y: &[f32], dy: &mut [f32]) {
    zip(level, dy, y, |dy, y| if y <= 0.0 { slope * dy } else { dy });
}

/// `y = scale · y` where positive, else `scale · alpha · (eʸ − 1)`, within 10⁻⁷ of scale · alpha: ELU and SELU.
pub fn elu(level: Level, scale: f32, alpha: f32, y: &mut [f32]) {
    let bottom = scale * alpha;
    map(level, y, |y| if y <= 0.0 { bottom * exp_of(y) - bottom } else { scale * y });
}

/// The gradient of [`elu`] from its output: `dy *= scale` where positive, else `y + scale · alpha`.
pub fn elu_backward(level: Level, scale: f32, alpha: f32, y: &[f32], dy: &mut [f32]) {
    let bottom = scale * alpha;
    zip(level, dy, y, |dy, y| if y <= 0.0 { dy * (y + bottom) } else { scale * dy });
}

/// `y = ln(1 + eʸ)`, without overflow.
pub fn softplus(level: Level, y: &mut [f32]) {
    map(level, y, |y| y.max(0.0) + ln_1p_of(exp_of(-y.abs())));
}

/// `dy *= 1 − e⁻ʸ`, from the output `y` of [`softplus`].
pub fn softplus_backward(level: Level, y: &[f32], dy: &mut [f32]) {
    zip(level, dy, y, |dy, y| dy * (1.0 - exp_of(-y)));
}

/// `y = (y + 3) / 6`, from 0 to 1.
pub fn hard_sigmoid(level: Level, y: &mut [f32]) {
    map(level, y, hard_sigmoid_of);
}

/// `dy /= 6` where the output `y` of [`hard_sigmoid`] is at neither end, else 0.
pub fn hard_sigmoid_backward(level: Level, y: &[f32], dy: &mut [f32]) {
    zip(level, dy, y, |dy, y| if y <= 0.0 || y >= 1.0 { 0.0 } else { dy * (1.0 / 6.0) });
}

/// `y = y · Φ(y)`, with the exact distribution function of the normal distribution.
pub fn gelu(level: Level, y: &mut [f32]) {
    map(level, y, |y| y * phi_of(y));
}

/// `dx += dy · (Φ(x) + x φ(x))`, from the input of [`gelu`].
pub fn gelu_backward(level: Level, x: &[f32], dy: &[f32], dx: &mut [f32]) {
    // 1 / √(2π)
    const PEAK: f32 = 0.398_942_3;
    zip3(level, dx, x, dy, |dx, x, dy| dx + dy * (phi_of(x) + x * PEAK * exp_of(-0.5 * x * x)));
}

/// `y = y · σ(y)`.
pub fn silu(level: Level, y: &mut [f32]) {
    map(level, y, |y| y * sigmoid_of(y));
}

/// `dx += dy · σ(x) (1 + x (1 − σ(x)))`, from the input of [`silu`].
pub fn silu_backward(level: Level, x: &[f32], dy: &[f32], dx: &mut [f32]) {
    zip3(level, dx, x, dy, |dx, x, dy| {
        let s = sigmoid_of(x);
        dx + dy * (s * (1.0 + x * (1.0 - s)))
    });
}

/// `y = y · hard_sigmoid(y)`.
pub fn hard_swish(level: Level, y: &mut [f32]) {
    map(level, y, |y| y * hard_sigmoid_of(y));
}

/// `dx += dy · (x / 3 + ½)` between −3 and 3, 0 below, `dy` above, from the input of [`hard_swish`].
pub fn hard_swish_backward(level: Level, x: &[f32], dy: &[f32], dx: &mut [f32]) {
    zip3(level, dx, x, dy, |dx, x, dy| {
        let slope = if x <= 3.0 { x * (1.0 / 3.0) + 0.5 } else { 1.0 };
        dx + if x <= -3.0 { 0.0 } else { dy * slope }
    });
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

/// `y += a x`.
pub fn add_scaled(level: Level, y: &mut [f32], x: &[f32], a: f32) {
    zip(level, y, x, |y, x| y + x * a);
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
    let (key, threshold, gain) = (dropout_key(seed), (keep * 16_777_216.0) as u32, 1.0 / keep);
    for (i, v) in y.iter_mut().enumerate() {
        let kept = hash(key, i as u32) >> 8 < threshold;
        *v = if kept { *v * gain } else { 0.0 };
    }
}

/// What the hash of [`dropout`] takes of its seed: SplitMix64 (Steele et al. 2014), so that neighbouring seeds give unrelated keys.
pub fn dropout_key(seed: u64) -> u64 {
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

#[inline(always)]
fn hard_sigmoid_of(x: f32) -> f32 {
    ((x + 3.0) * (1.0 / 6.0)).clamp(0.0, 1.0)
}

/// `ln(1 + u)` for `u` from 0 to 1: twice the area tangent of `z = u / (2 + u)`, whose series has `z² ≤ 1/9`.
#[inline(always)]
fn ln_1p_of(u: f32) -> f32 {
    let z = u / (2.0 + u);
    let square = z * z;
    let mut p = 1.0 / 13.0;
    for odd in [11.0, 9.0, 7.0, 5.0, 3.0] {
        p = p * square + 1.0 / odd;
    }
    2.0 * (p * square * z + z)
}

/// The distribution function of the normal distribution, `½ erfc(−x / √2)`, by Press et al. (Numerical Recipes, 6.2),
/// whose `erfc` is within 1.2 · 10⁻⁷ of itself everywhere.
#[inline(always)]
fn phi_of(x: f32) -> f32 {
    let t = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let u = 1.0 / (1.0 + 0.5 * t);
    let mut p = 0.170_872_77;
    for coefficient in [
        -0.822_152_23,
        1.488_515_9,
        -1.135_204,
        0.278_868_07,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_7,
        -1.265_512_2,
    ] {
        p = p * u + coefficient;
    }
    let tail = 0.5 * u * exp_of(p - t * t);
    if x < 0.0 { tail } else { 1.0 - tail }
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
