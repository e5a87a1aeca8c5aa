//! Layers over numbers of 8 bits, computed exactly as whole numbers.
//!
//! Values lie as 16-bit numbers, two neighbouring channels to a word, each with its zero point taken away: the halo's zeros are
//! then zeros of the layer, and `i32x4.dot_i16x8_s` in wasm, `pmaddwd` on x86 take a word of each operand as it is. It is exact
//! while a window's sum stays below 2³¹: for levels of 8 bits up to 65,000 products, for 15 bits 500.

use super::Level;
use super::lanes::{zip, zip3};
use super::quantise::round;
use super::words::{pair, unpair};
use crate::shape::{Shape, Window};
use crate::tensor::Map;

/// Words of a pixel with so many channels.
pub const fn words(channels: usize) -> usize {
    channels.div_ceil(2)
}

/// Takes an image in, CHW: the whole number next to `x / step` within the bounds. The halo is left alone.
pub fn take_in(image: &[f32], shape: Shape, step: f32, (lo, hi): (f32, f32), map: &Map, out: &mut [i32]) {
    let Shape { c, h, w } = shape;
    let level = |ch: usize, y: usize, x: usize| match ch < c {
        true => round((image[(ch * h + y) * w + x] / step).max(lo).min(hi)) as i32,
        false => 0,
    };
    for y in 0..h {
        let row = &mut out[map.at(y, 0)..][..w * map.shape.c];
        for (x, pixel) in row.chunks_exact_mut(map.shape.c).enumerate() {
            for (i, word) in pixel.iter_mut().enumerate() {
                *word = pair(level(2 * i, y, x), level(2 * i + 1, y, x));
            }
        }
    }
}

/// The packed word of a row of a window and a column, for weights `weight(tap, channel, column)` over `channels`.
pub fn weight_word(channels: usize, weight: impl Fn(usize, usize, usize) -> i32) -> impl Fn(usize, usize) -> i32 {
    move |row, column| {
        let (tap, word) = (row / words(channels), row % words(channels));
        let of = |ch: usize| if ch < channels { weight(tap, ch, column) } else { 0 };
        pair(of(2 * word), of(2 * word + 1))
    }
}

/// Maximum pooling of `n` images: what lies outside of the image does not count.
pub fn max_pool(level: Level, window: &Window, n: usize, (x, xm): (&[i32], &Map), (y, ym): (&mut [i32], &Map)) {
    pool(window, n, (x, xm), (y, ym), |y, x| zip(level, y, x, larger));
}

/// Of words of signs, whose bit is 1 for −1: the sign of the maximum.
pub fn max_pool_signs(level: Level, window: &Window, n: usize, (x, xm): (&[i32], &Map), (y, ym): (&mut [i32], &Map)) {
    pool(window, n, (x, xm), (y, ym), |y, x| zip(level, y, x, |a, b| a & b));
}

#[inline(always)]
fn larger(a: i32, b: i32) -> i32 {
    let low = i32::from(a as i16).max(i32::from(b as i16));
    ((a >> 16).max(b >> 16) << 16) | (low & 0xffff)
}

fn pool(
    window: &Window,
    n: usize,
    (x, xm): (&[i32], &Map),
    (y, ym): (&mut [i32], &Map),
    join: impl Fn(&mut [i32], &[i32]),
) {
    let Window { kernel, stride, pad, dilation } = *window;
    let c = xm.shape.c;
    for i in 0..n {
        let (x, y) = (&x[i * xm.len()..][..xm.len()], &mut y[i * ym.len()..][..ym.len()]);
        for (oy, ox) in (0..ym.shape.h).flat_map(|oy| (0..ym.shape.w).map(move |ox| (oy, ox))) {
            let out = &mut y[ym.at(oy, ox)..][..c];
            let mut first = true;
            for (ky, kx) in (0..kernel.0).flat_map(|ky| (0..kernel.1).map(move |kx| (ky, kx))) {
                let at = |o: usize, s: usize, k: usize, d: usize, p: usize| (o * s + k * d).checked_sub(p);
                let (iy, ix) = (at(oy, stride.0, ky, dilation.0, pad.0), at(ox, stride.1, kx, dilation.1, pad.1));
                let (Some(iy), Some(ix)) = (iy, ix) else { continue };
                if iy >= xm.shape.h || ix >= xm.shape.w {
                    continue;
                }
                let pixel = &x[xm.at(iy, ix)..][..c];
                match std::mem::replace(&mut first, false) {
                    true => out.copy_from_slice(pixel),
                    false => join(out, pixel),
                }
            }
        }
    }
}

/// The sums over all pixels of `n` images, as numbers of 16 bits, which the caller knows to hold them.
pub fn sum_pool(n: usize, (x, xm): (&[i32], &Map), (y, ym): (&mut [i32], &Map)) {
    let c = xm.shape.c;
    for i in 0..n {
        let out = &mut y[i * ym.len() + ym.at(0, 0)..][..c];
        out.fill(0);
        let image = &x[i * xm.len()..][..xm.len()];
        for r in 0..xm.shape.h {
            for pixel in image[xm.at(r, 0)..][..xm.shape.w * c].chunks_exact(c) {
                for (out, word) in out.iter_mut().zip(pixel) {
                    let ([a, b], [p, q]) = (unpair(*out), unpair(*word));
                    *out = pair(a + p, b + q);
                }
            }
        }
    }
}

/// `y = round(a · of.0 + b · of.1)` within the bounds, of `n` images: a sum of values of different steps.
pub fn add(
    level: Level,
    n: usize,
    (a, am): (&[i32], &Map),
    (b, bm): (&[i32], &Map),
    of: (f32, f32),
    (lo, hi): (f32, f32),
    (y, ym): (&mut [i32], &Map),
) {
    let one = |a: i32, b: i32| round((a as f32 * of.0 + b as f32 * of.1).max(lo).min(hi)) as i32;
    for ((at, bt), yt) in am.rows(n).zip(bm.rows(n)).zip(ym.rows(n)) {
        zip3(level, &mut y[yt], &a[at], &b[bt], |_, a, b| {
            let ([a, p], [b, q]) = (unpair(a), unpair(b));
            pair(one(a, b), one(p, q))
        });
    }
}
