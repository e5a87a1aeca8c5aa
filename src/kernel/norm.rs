//! Normalisation over NHWC maps: sums for each channel, and the two passes that use them.
//!
//! A batch norm asks for the sums of a whole batch, the other norms for those of one image at a time and add up the
//! channels of a group themselves. A row is summed in `f32`, channel beside channel, and rows in `f64`: rounding grows
//! with the width of a map alone, and the bits are the same at every lane level.

use super::lanes::zip3;
use super::pool::{Source, Target};
use fearless_simd::{Level, dispatch, prelude::*};
use fearless_simd_macros::simd;

/// `out[c] += Σ x` over the pixels of `n` images. `line` is room for one number for each channel.
pub fn sums(level: Level, x: Source, n: usize, line: &mut [f32], out: &mut [f64]) {
    dispatch!(level, simd => sums_body(simd, x, n, line, out));
}

#[simd]
fn sums_body<S: Simd>(_: S, (x, map): Source, n: usize, line: &mut [f32], out: &mut [f64]) {
    for row in map.rows(n) {
        line.fill(0.0);
        for pixel in x[row].chunks_exact(map.shape.c) {
            for (sum, x) in line.iter_mut().zip(pixel) {
                *sum += x;
            }
        }
        flush(line, out);
    }
}

/// `out[c] += Σ (x − mean)²`; else as [`sums`].
pub fn squares(level: Level, x: Source, mean: &[f32], n: usize, line: &mut [f32], out: &mut [f64]) {
    dispatch!(level, simd => squares_body(simd, x, mean, n, line, out));
}

#[simd]
fn squares_body<S: Simd>(_: S, (x, map): Source, mean: &[f32], n: usize, line: &mut [f32], out: &mut [f64]) {
    for row in map.rows(n) {
        line.fill(0.0);
        for pixel in x[row].chunks_exact(map.shape.c) {
            for ((sum, x), mean) in line.iter_mut().zip(pixel).zip(mean) {
                *sum += (x - mean) * (x - mean);
            }
        }
        flush(line, out);
    }
}

/// `out[c] += Σ dy · (x − mean)`; else as [`sums`].
pub fn products(level: Level, x: Source, mean: &[f32], dy: Source, n: usize, line: &mut [f32], out: &mut [f64]) {
    dispatch!(level, simd => products_body(simd, x, mean, dy, n, line, out));
}

#[simd]
fn products_body<S: Simd>(
    _: S,
    (x, map): Source,
    mean: &[f32],
    (dy, dmap): Source,
    n: usize,
    line: &mut [f32],
    out: &mut [f64],
) {
    let c = map.shape.c;
    for (row, drow) in map.rows(n).zip(dmap.rows(n)) {
        line.fill(0.0);
        for (pixel, dy) in x[row].chunks_exact(c).zip(dy[drow].chunks_exact(c)) {
            for (((sum, x), mean), dy) in line.iter_mut().zip(pixel).zip(mean).zip(dy) {
                *sum += dy * (x - mean);
            }
        }
        flush(line, out);
    }
}

/// Adds a row's sums to those of the batch.
#[inline(always)]
pub(super) fn flush(line: &[f32], out: &mut [f64]) {
    for (out, &sum) in out.iter_mut().zip(line) {
        *out += f64::from(sum);
    }
}

/// `y = (x − mean) · gain + shift` for each channel, then ReLU if asked.
#[allow(clippy::too_many_arguments, reason = "two images and what each channel does with them")]
pub fn normalise(level: Level, x: Source, mean: &[f32], gain: &[f32], shift: &[f32], relu: bool, y: Target, n: usize) {
    let least = if relu { 0.0 } else { f32::NEG_INFINITY };
    dispatch!(level, simd => normalise_body(simd, x, mean, gain, shift, least, y, n));
}

#[simd]
#[allow(clippy::too_many_arguments, reason = "as its caller")]
fn normalise_body<S: Simd>(
    _: S,
    (x, map): Source,
    mean: &[f32],
    gain: &[f32],
    shift: &[f32],
    least: f32,
    (y, ymap): Target,
    n: usize,
) {
    let c = map.shape.c;
    for (row, yrow) in map.rows(n).zip(ymap.rows(n)) {
        for (pixel, y) in x[row].chunks_exact(c).zip(y[yrow].chunks_exact_mut(c)) {
            for ((((y, x), mean), gain), shift) in y.iter_mut().zip(pixel).zip(mean).zip(gain).zip(shift) {
                let v = (x - mean) * gain + shift;
                *y = if v <= least { least } else { v };
            }
        }
    }
}

/// `dw += dy · (x − mean) · inverse`, number by number.
pub fn add_normalised(level: Level, dw: &mut [f32], x: &[f32], (mean, inverse): (f32, f32), dy: &[f32]) {
    zip3(level, dw, x, dy, |dw, x, dy| dw + dy * ((x - mean) * inverse));
}

/// What each channel's gradient is made of: `dx = gain · dy + slope · (x − mean) + shift`.
#[derive(Debug, Clone, Copy)]
pub struct Slopes<'a> {
    /// The channels' means.
    pub mean: &'a [f32],
    /// How `dy` counts.
    pub gain: &'a [f32],
    /// How the distance from the mean counts.
    pub slope: &'a [f32],
    /// What is added.
    pub shift: &'a [f32],
}

/// The gradient of a normalisation by [`Slopes`]: sets `dx`, or adds to it.
pub fn normalise_backward(level: Level, x: Source, slopes: Slopes, dy: Source, dx: Target, add: bool, n: usize) {
    if add {
        dispatch!(level, simd => backward_body::<_, true>(simd, x, slopes, dy, dx, n));
    } else {
        dispatch!(level, simd => backward_body::<_, false>(simd, x, slopes, dy, dx, n));
    }
}

#[simd]
fn backward_body<S: Simd, const ADD: bool>(
    _: S,
    (x, map): Source,
    slopes: Slopes,
    (dy, dymap): Source,
    (dx, dxmap): Target,
    n: usize,
) {
    let c = map.shape.c;
    let rows = map.rows(n).zip(dymap.rows(n)).zip(dxmap.rows(n));
    for ((row, dyrow), dxrow) in rows {
        let pixels = x[row].chunks_exact(c).zip(dy[dyrow].chunks_exact(c)).zip(dx[dxrow].chunks_exact_mut(c));
        for ((x, dy), dx) in pixels {
            let channels = slopes.mean.iter().zip(slopes.gain).zip(slopes.slope).zip(slopes.shift);
            for ((((mean, gain), slope), shift), ((dx, x), dy)) in channels.zip(dx.iter_mut().zip(x).zip(dy)) {
                let v = gain * dy + slope * (x - mean) + shift;
                *dx = if ADD { *dx + v } else { v };
            }
        }
    }
}
