//! What several kernels share: elementwise loops compiled once per lane level, and vectors with tails.
//!
//! Elementwise bodies are plain scalar functions. Inside a function that `dispatch!` compiled for a level the
//! compiler turns their loop into that level's vectors, with no rounding of its own: no multiplication and
//! addition are fused, so the bits are the same at every level.

use fearless_simd::{Level, dispatch, prelude::*};
use fearless_simd_macros::simd;

/// `y[i] = f(y[i])`.
#[inline(always)]
pub(super) fn map(level: Level, y: &mut [f32], f: impl Fn(f32) -> f32) {
    dispatch!(level, simd => map_body(simd, y, f));
}

#[simd]
fn map_body<S: Simd, F: Fn(f32) -> f32>(_: S, y: &mut [f32], f: F) {
    for v in y {
        *v = f(*v);
    }
}

/// `y[i] = f(y[i], x[i])`.
#[inline(always)]
pub(super) fn zip<T: Copy>(level: Level, y: &mut [T], x: &[T], f: impl Fn(T, T) -> T) {
    assert_eq!(y.len(), x.len());
    dispatch!(level, simd => zip_body(simd, y, x, f));
}

#[simd]
fn zip_body<S: Simd, T: Copy, F: Fn(T, T) -> T>(_: S, y: &mut [T], x: &[T], f: F) {
    for (v, x) in y.iter_mut().zip(x) {
        *v = f(*v, *x);
    }
}

/// `y[i] = f(y[i], a[i], b[i])`.
#[inline(always)]
pub(super) fn zip3<T: Copy>(level: Level, y: &mut [T], a: &[T], b: &[T], f: impl Fn(T, T, T) -> T) {
    assert!(y.len() == a.len() && y.len() == b.len());
    dispatch!(level, simd => zip3_body(simd, y, a, b, f));
}

#[simd]
fn zip3_body<S: Simd, T: Copy, F: Fn(T, T, T) -> T>(_: S, y: &mut [T], a: &[T], b: &[T], f: F) {
    for ((v, a), b) in y.iter_mut().zip(a).zip(b) {
        *v = f(*v, *a, *b);
    }
}

/// A vector from up to `LEN` numbers; the lanes past the end of `from` hold zero.
#[inline(always)]
pub(super) fn load<S: Simd>(simd: S, from: &[f32]) -> S::f32s {
    if from.len() == S::f32s::LEN {
        S::f32s::from_slice(simd, from)
    } else {
        S::f32s::from_fn(simd, |lane| from.get(lane).copied().unwrap_or(0.0))
    }
}

/// The first `to.len()` lanes of a vector, at most `LEN`.
#[inline(always)]
pub(super) fn store<S: Simd>(v: S::f32s, to: &mut [f32]) {
    if to.len() == S::f32s::LEN {
        v.store_slice(to);
    } else {
        to.copy_from_slice(&v.as_slice()[..to.len()]);
    }
}
