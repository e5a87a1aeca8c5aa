//! Attention of one query over a row of cells, forward and backward. Bahdanau et al. 2015; the score is Luong et al.'s (2015)
//! dot product.
//!
//! Sums run over eight lanes in one fixed order, whatever the machine has, so the bits are the same at every level.

use super::Level;
use fearless_simd::{Simd, dispatch};
use fearless_simd_macros::simd;

/// Partial sums of a dot product.
const LANES: usize = 8;

/// `out[i] = scale · (rows[i] · x)` for rows of `x.len()` numbers each.
pub fn dots(level: Level, scale: f32, x: &[f32], rows: &[f32], out: &mut [f32]) {
    assert_eq!(rows.len(), out.len() * x.len());
    dispatch!(level, simd => dots_body(simd, scale, x, rows, out));
}

#[simd]
fn dots_body<S: Simd>(_: S, scale: f32, x: &[f32], rows: &[f32], out: &mut [f32]) {
    for (row, out) in rows.chunks_exact(x.len()).zip(out) {
        let (mut lanes, mut rest) = ([0.0; LANES], 0.0);
        let (a, b) = (row.chunks_exact(LANES), x.chunks_exact(LANES));
        for (a, b) in a.remainder().iter().zip(b.remainder()) {
            rest += a * b;
        }
        for (a, b) in a.zip(b) {
            for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
                *lane += a * b;
            }
        }
        *out = scale * lanes.iter().fold(rest, |sum, lane| sum + lane);
    }
}

/// `sum += scale · Σ weights[i] · rows[i]` for rows of `sum.len()` numbers each.
pub fn mix(level: Level, scale: f32, weights: &[f32], rows: &[f32], sum: &mut [f32]) {
    assert_eq!(rows.len(), weights.len() * sum.len());
    dispatch!(level, simd => mix_body(simd, scale, weights, rows, sum));
}

#[simd]
fn mix_body<S: Simd>(_: S, scale: f32, weights: &[f32], rows: &[f32], sum: &mut [f32]) {
    for (row, weight) in rows.chunks_exact(sum.len()).zip(weights) {
        let weight = scale * weight;
        for (sum, value) in sum.iter_mut().zip(row) {
            *sum += weight * value;
        }
    }
}

/// `rows[i] += scale · weights[i] · x` for rows of `x.len()` numbers each.
pub fn spread(level: Level, scale: f32, weights: &[f32], x: &[f32], rows: &mut [f32]) {
    assert_eq!(rows.len(), weights.len() * x.len());
    dispatch!(level, simd => spread_body(simd, scale, weights, x, rows));
}

#[simd]
fn spread_body<S: Simd>(_: S, scale: f32, weights: &[f32], x: &[f32], rows: &mut [f32]) {
    for (row, weight) in rows.chunks_exact_mut(x.len()).zip(weights) {
        let weight = scale * weight;
        for (out, value) in row.iter_mut().zip(x) {
            *out += weight * value;
        }
    }
}
