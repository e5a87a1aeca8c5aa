//! Sums and the position of the largest number, in one fixed order: the bits do not depend on the lane level.

use super::lanes::{load, store};
use super::pool::Source;
use fearless_simd::{Level, dispatch, prelude::*};
use fearless_simd_macros::simd;

/// `db[c] += Σ dy` over the pixels of `n` images: the gradient of a bias.
///
/// Summed by row, then image, then batch, so that rounding grows with the longest of the three and not with their
/// product.
pub fn column_sums(level: Level, (dy, map): Source, n: usize, db: &mut [f32]) {
    assert_eq!(dy.len(), n * map.len());
    assert_eq!(db.len(), map.shape.c);
    dispatch!(level, simd => column_sums_body(simd, (dy, map), n, db));
}

#[simd]
fn column_sums_body<S: Simd>(simd: S, (dy, map): Source, n: usize, db: &mut [f32]) {
    let zero = S::f32s::splat(simd, 0.0);
    for (k, db) in db.chunks_mut(S::f32s::LEN).enumerate() {
        let mut batch = zero;
        for image in 0..n {
            let mut sum = zero;
            for y in 0..map.shape.h {
                let row = &dy[image * map.len() + map.at(y, 0)..][..map.shape.w * map.shape.c];
                let mut line = zero;
                for pixel in row.chunks_exact(map.shape.c) {
                    line += load(simd, &pixel[k * S::f32s::LEN..][..db.len()]);
                }
                sum += line;
            }
            batch += sum;
        }
        store::<S>(load(simd, db) + batch, db);
    }
}

/// The sum of all numbers.
pub fn sum(level: Level, x: &[f32]) -> f64 {
    dispatch!(level, simd => sum_body(simd, x, |v| v))
}

/// The sum of the squares of all numbers.
pub fn sum_of_squares(level: Level, x: &[f32]) -> f64 {
    dispatch!(level, simd => sum_body(simd, x, |v| v * v))
}

/// The sum of the products of two rows of numbers.
pub fn dot(level: Level, x: &[f32], y: &[f32]) -> f64 {
    assert_eq!(x.len(), y.len());
    dispatch!(level, simd => paired_body(simd, x, y, |x, y| x * y))
}

/// The sum of the squared differences of two rows of numbers.
pub fn squared_distance(level: Level, x: &[f32], y: &[f32]) -> f64 {
    assert_eq!(x.len(), y.len());
    dispatch!(level, simd => paired_body(simd, x, y, |x, y| (x - y) * (x - y)))
}

#[simd]
fn paired_body<S: Simd, F: Fn(f32, f32) -> f32>(_: S, x: &[f32], y: &[f32], f: F) -> f64 {
    let ((x, x_tail), (y, y_tail)) = (x.as_chunks::<16>(), y.as_chunks::<16>());
    let mut total = 0.0;
    // In single precision for sixty-four sums at a time: with double throughout, a third of the speed.
    for (x, y) in x.chunks(64).zip(y.chunks(64)) {
        let mut sums = [0.0f32; 16];
        for (x, y) in x.iter().zip(y) {
            for ((sum, &x), &y) in sums.iter_mut().zip(x).zip(y) {
                *sum += f(x, y);
            }
        }
        total += sums.iter().map(|&sum| f64::from(sum)).sum::<f64>();
    }
    total + x_tail.iter().zip(y_tail).map(|(&x, &y)| f64::from(f(x, y))).sum::<f64>()
}

#[simd]
fn sum_body<S: Simd, F: Fn(f64) -> f64>(_: S, x: &[f32], f: F) -> f64 {
    // Sixteen sums side by side, whatever the lanes: enough to hide the latency of an addition at any width.
    let mut sums = [0.0; 16];
    let (chunks, tail) = x.as_chunks::<16>();
    for chunk in chunks {
        for (sum, &v) in sums.iter_mut().zip(chunk) {
            *sum += f(f64::from(v));
        }
    }
    for (sum, &v) in sums.iter_mut().zip(tail) {
        *sum += f(f64::from(v));
    }
    sums.iter().sum()
}

/// The position of the largest number, the first of equals. NaN never wins; without any number there is none.
pub fn argmax(row: &[f32]) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for (i, &v) in row.iter().enumerate() {
        if !v.is_nan() && best.is_none_or(|(_, max)| v > max) {
            best = Some((i, v));
        }
    }
    best.map(|(i, _)| i)
}
