//! PReLU over NHWC maps: a slope for each channel, below zero.

use super::norm::flush;
use super::pool::{Source, Target};
use fearless_simd::{Level, dispatch, prelude::*};
use fearless_simd_macros::simd;

/// `y = x`, times the channel's slope where `x ≤ 0`, for `n` images.
pub fn prelu(level: Level, slopes: &[f32], x: Source, y: Target, n: usize) {
    dispatch!(level, simd => forward_body(simd, slopes, x, y, n));
}

#[simd]
fn forward_body<S: Simd>(_: S, slopes: &[f32], (x, map): Source, (y, ymap): Target, n: usize) {
    let c = map.shape.c;
    for (row, yrow) in map.rows(n).zip(ymap.rows(n)) {
        for (x, y) in x[row].chunks_exact(c).zip(y[yrow].chunks_exact_mut(c)) {
            for ((y, x), slope) in y.iter_mut().zip(x).zip(slopes) {
                *y = if *x <= 0.0 { slope * x } else { *x };
            }
        }
    }
}

/// `dx += dy`, times the channel's slope where `x ≤ 0`.
pub fn prelu_backward(level: Level, slopes: &[f32], x: Source, dy: Source, dx: Target, n: usize) {
    dispatch!(level, simd => backward_body(simd, slopes, x, dy, dx, n));
}

#[simd]
fn backward_body<S: Simd>(_: S, slopes: &[f32], (x, map): Source, (dy, dymap): Source, (dx, dxmap): Target, n: usize) {
    let c = map.shape.c;
    for ((row, dyrow), dxrow) in map.rows(n).zip(dymap.rows(n)).zip(dxmap.rows(n)) {
        let pixels = x[row].chunks_exact(c).zip(dy[dyrow].chunks_exact(c)).zip(dx[dxrow].chunks_exact_mut(c));
        for ((x, dy), dx) in pixels {
            for (((dx, dy), x), slope) in dx.iter_mut().zip(dy).zip(x).zip(slopes) {
                *dx += if *x <= 0.0 { slope * dy } else { *dy };
            }
        }
    }
}

/// `sums[c] += Σ dy · x` where `x ≤ 0`: the gradient of the slopes. `line` is room for a number for each channel.
pub fn slope_gradient(level: Level, x: Source, dy: Source, n: usize, line: &mut [f32], sums: &mut [f64]) {
    dispatch!(level, simd => slope_body(simd, x, dy, n, line, sums));
}

#[simd]
fn slope_body<S: Simd>(_: S, (x, map): Source, (dy, dymap): Source, n: usize, line: &mut [f32], sums: &mut [f64]) {
    let c = map.shape.c;
    for (row, dyrow) in map.rows(n).zip(dymap.rows(n)) {
        line.fill(0.0);
        for (x, dy) in x[row].chunks_exact(c).zip(dy[dyrow].chunks_exact(c)) {
            for ((sum, x), dy) in line.iter_mut().zip(x).zip(dy) {
                *sum += if *x <= 0.0 { dy * x } else { 0.0 };
            }
        }
        flush(line, sums);
    }
}
