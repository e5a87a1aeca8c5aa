//! Max and average pooling over NHWC maps, and their gradients.
//!
//! Padding is nothing: a window is clipped to the image, so the halo of an input is never read and that of an
//! output never written. Lanes run along the channels and every channel is computed in the same order, so the
//! bits are the same at every lane level.
//!
//! Max pooling keeps no indices. Its backward pass looks for the maximum again: 4 comparisons for a 2×2 window
//! cost less than an index buffer of the output's size.

use super::lanes::{load, store};
use crate::shape::{Shape, Window};
use crate::tensor::Map;
use fearless_simd::{Level, dispatch, prelude::*};
use fearless_simd_macros::simd;
use std::iter::StepBy;
use std::ops::Range;

/// The numbers of a batch and the layout of one image of it.
pub type Source<'a> = (&'a [f32], &'a Map);
/// As [`Source`], to be written.
pub type Target<'a> = (&'a mut [f32], &'a Map);

/// `y` = the largest number under each window of each of `n` images.
///
/// A NaN under a window is its maximum, as in PyTorch's `MaxPool2d`; a window that lies in the padding altogether
/// gives −∞.
pub fn max_pool(level: Level, win: Window, x: Source, y: Target, n: usize) {
    check(win, (x.0.len(), x.1), (y.0.len(), y.1), n);
    dispatch!(level, simd => max_body(simd, win, x, y, n));
}

/// `dx += dy` at the first maximum under each window, rows before columns, as PyTorch does.
///
/// `x` and `y` are what [`max_pool`] read and wrote. A window whose maximum is NaN passes nothing back.
pub fn max_pool_backward(level: Level, win: Window, x: Source, y: Source, dy: Source, dx: Target, n: usize) {
    check(win, (x.0.len(), x.1), (y.0.len(), y.1), n);
    check(win, (dx.0.len(), dx.1), (dy.0.len(), dy.1), n);
    dispatch!(level, simd => max_backward_body(simd, win, x, y, dy, dx, n));
}

/// `y` = the mean under each window of each of `n` images.
///
/// The divisor is the whole window with `count_include_pad` (PyTorch's default), else the taps inside the image;
/// a window that lies in the padding altogether gives 0. Global average pooling is a window of the map's size.
pub fn average_pool(level: Level, win: Window, count_include_pad: bool, x: Source, y: Target, n: usize) {
    check(win, (x.0.len(), x.1), (y.0.len(), y.1), n);
    dispatch!(level, simd => average_body(simd, win, count_include_pad, x, y, n));
}

/// `dx += dy / divisor` at every tap of each window; the divisor is that of [`average_pool`].
pub fn average_pool_backward(level: Level, win: Window, count_include_pad: bool, dy: Source, dx: Target, n: usize) {
    check(win, (dx.0.len(), dx.1), (dy.0.len(), dy.1), n);
    dispatch!(level, simd => average_backward_body(simd, win, count_include_pad, dy, dx, n));
}

fn check(win: Window, (x_len, x): (usize, &Map), (y_len, y): (usize, &Map), n: usize) {
    assert!(x_len == n * x.len() && y_len == n * y.len(), "a slice does not hold {n} images");
    assert!(x.shape.c == y.shape.c, "pooling keeps the channels");
    assert!(win.output(x.shape.h, x.shape.w) == Ok((y.shape.h, y.shape.w)), "the output is not the window's");
}

type Taps = StepBy<Range<usize>>;

/// The input rows (`axis` 0) or columns (1) under window number `o`, those in the padding left out.
#[inline(always)]
fn taps(o: usize, kernel: usize, stride: usize, pad: usize, dilation: usize, size: usize) -> Taps {
    let first = o * stride;
    let skipped = pad.saturating_sub(first).div_ceil(dilation);
    let begin = first + skipped * dilation - pad;
    let end = (first + (kernel - 1) * dilation + 1).saturating_sub(pad).min(size);
    (begin..end).step_by(dilation)
}

/// Calls `visit(image, (oy, ox), rows, columns)` for every window of `n` images.
#[inline(always)]
fn each_window(win: Window, x: Shape, y: Shape, n: usize, mut visit: impl FnMut(usize, (usize, usize), Taps, Taps)) {
    let Window { kernel, stride, pad, dilation } = win;
    for image in 0..n {
        for oy in 0..y.h {
            let rows = taps(oy, kernel.0, stride.0, pad.0, dilation.0, x.h);
            for ox in 0..y.w {
                let columns = taps(ox, kernel.1, stride.1, pad.1, dilation.1, x.w);
                visit(image, (oy, ox), rows.clone(), columns);
            }
        }
    }
}

#[simd]
fn max_body<S: Simd>(simd: S, win: Window, (x, xm): Source, (y, ym): Target, n: usize) {
    let c = ym.shape.c;
    each_window(
        win,
        xm.shape,
        ym.shape,
        n,
        #[inline(always)]
        |image, (oy, ox), rows, columns| {
            let x = &x[image * xm.len()..][..xm.len()];
            let y = &mut y[image * ym.len() + ym.at(oy, ox)..][..c];
            for (k, y) in y.chunks_mut(S::f32s::LEN).enumerate() {
                let mut max = S::f32s::splat(simd, f32::NEG_INFINITY);
                for iy in rows.clone() {
                    for ix in columns.clone() {
                        let v = load(simd, &x[xm.at(iy, ix) + k * S::f32s::LEN..][..y.len()]);
                        max = (v.simd_gt(max) | v.is_nan()).select(v, max);
                    }
                }
                store::<S>(max, y);
            }
        },
    );
}

#[simd]
fn max_backward_body<S: Simd>(
    simd: S,
    win: Window,
    (x, xm): Source,
    (y, ym): Source,
    (dy, dym): Source,
    (dx, dxm): Target,
    n: usize,
) {
    let c = ym.shape.c;
    each_window(
        win,
        xm.shape,
        ym.shape,
        n,
        #[inline(always)]
        |image, (oy, ox), rows, columns| {
            let y = &y[image * ym.len() + ym.at(oy, ox)..][..c];
            let dy = &dy[image * dym.len() + dym.at(oy, ox)..][..c];
            for (k, (y, dy)) in y.chunks(S::f32s::LEN).zip(dy.chunks(S::f32s::LEN)).enumerate() {
                let (y, dy, len) = (load(simd, y), load(simd, dy), y.len());
                let mut open = S::mask32s::splat(simd, true);
                for iy in rows.clone() {
                    for ix in columns.clone() {
                        let x = &x[image * xm.len() + xm.at(iy, ix) + k * S::f32s::LEN..][..len];
                        let dx = &mut dx[image * dxm.len() + dxm.at(iy, ix) + k * S::f32s::LEN..][..len];
                        let hit = open & load(simd, x).simd_eq(y);
                        store::<S>(load(simd, dx) + hit.select(dy, S::f32s::splat(simd, 0.0)), dx);
                        open &= !hit;
                    }
                }
            }
        },
    );
}

/// What the sum under a window is divided by.
#[inline(always)]
fn divisor(win: Window, count_include_pad: bool, rows: &Taps, columns: &Taps) -> f32 {
    let taps = if count_include_pad { win.kernel.0 * win.kernel.1 } else { rows.len() * columns.len() };
    taps.max(1) as f32
}

#[simd]
fn average_body<S: Simd>(simd: S, win: Window, count_include_pad: bool, (x, xm): Source, (y, ym): Target, n: usize) {
    let c = ym.shape.c;
    each_window(
        win,
        xm.shape,
        ym.shape,
        n,
        #[inline(always)]
        |image, (oy, ox), rows, columns| {
            let x = &x[image * xm.len()..][..xm.len()];
            let y = &mut y[image * ym.len() + ym.at(oy, ox)..][..c];
            let divisor = divisor(win, count_include_pad, &rows, &columns);
            for (k, y) in y.chunks_mut(S::f32s::LEN).enumerate() {
                let mut sum = S::f32s::splat(simd, 0.0);
                for iy in rows.clone() {
                    // Row by row: the rounding of a large window grows with its sides, not its area.
                    let mut row = S::f32s::splat(simd, 0.0);
                    for ix in columns.clone() {
                        row += load(simd, &x[xm.at(iy, ix) + k * S::f32s::LEN..][..y.len()]);
                    }
                    sum += row;
                }
                store::<S>(sum / divisor, y);
            }
        },
    );
}

#[simd]
fn average_backward_body<S: Simd>(
    simd: S,
    win: Window,
    count_include_pad: bool,
    (dy, dym): Source,
    (dx, dxm): Target,
    n: usize,
) {
    let c = dym.shape.c;
    each_window(
        win,
        dxm.shape,
        dym.shape,
        n,
        #[inline(always)]
        |image, (oy, ox), rows, columns| {
            let dx = &mut dx[image * dxm.len()..][..dxm.len()];
            let dy = &dy[image * dym.len() + dym.at(oy, ox)..][..c];
            let divisor = divisor(win, count_include_pad, &rows, &columns);
            for (k, dy) in dy.chunks(S::f32s::LEN).enumerate() {
                let (share, len) = (load(simd, dy) / divisor, dy.len());
                for iy in rows.clone() {
                    for ix in columns.clone() {
                        let dx = &mut dx[dxm.at(iy, ix) + k * S::f32s::LEN..][..len];
                        store::<S>(load(simd, dx) + share, dx);
                    }
                }
            }
        },
    );
}
