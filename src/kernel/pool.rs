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
    if win == Window::square(2).stride(2) && x.1.shape.h >= 2 * y.1.shape.h && x.1.shape.w >= 2 * y.1.shape.w {
        dispatch!(level, simd => halve_body(simd, x, y, n));
    } else {
        dispatch!(level, simd => max_body(simd, win, x, y, n));
    }
}

/// `dx += dy` at the first maximum under each window, rows before columns, as PyTorch does.
///
/// `x` and `y` are what [`max_pool`] read and wrote. A window whose maximum is NaN passes nothing back.
pub fn max_pool_backward(level: Level, win: Window, x: Source, y: Source, dy: Source, dx: Target, n: usize) {
    check(win, (x.0.len(), x.1), (y.0.len(), y.1), n);
    check(win, (dx.0.len(), dx.1), (dy.0.len(), dy.1), n);
    dispatch!(level, simd => max_backward_body(simd, win, x, y, dy, dx, n));
}

/// `v` = the number of `y` that lies where `x` has the first maximum under each window: max unpooling's way back.
///
/// `x` and `max` are what [`max_pool`] read and wrote. A window whose maximum is NaN reads 0.
pub fn at_maxima(level: Level, win: Window, x: Source, max: Source, y: Source, v: Target, n: usize) {
    check(win, (x.0.len(), x.1), (max.0.len(), max.1), n);
    check(win, (y.0.len(), y.1), (v.0.len(), v.1), n);
    dispatch!(level, simd => at_maxima_body(simd, win, x, max, y, v, n));
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

/// Whether windows of this kind lie side by side and cover an image of shape `x` exactly.
pub fn tiles(win: Window, x: Shape) -> bool {
    let Window { kernel, stride, pad, dilation } = win;
    let axis = |n: usize, kernel: usize, stride: usize| n.is_multiple_of(kernel) && (stride == kernel || n == kernel);
    (pad, dilation) == ((0, 0), (1, 1)) && axis(x.h, kernel.0, stride.0) && axis(x.w, kernel.1, stride.1)
}

/// As [`average_pool_backward`] for windows that [`tiles`] is true of, in one pass over `dx`, which is set if this is the
/// `first` to reach it; and on through the ReLU before, if its output is given.
pub fn average_tiles_backward(
    level: Level,
    win: Window,
    dy: Source,
    dx: Target,
    first: bool,
    relu: Option<Source>,
    n: usize,
) {
    check(win, (dx.0.len(), dx.1), (dy.0.len(), dy.1), n);
    assert!(tiles(win, dx.1.shape), "windows side by side over all of it");
    assert!(relu.is_none_or(|(y, map)| y.len() == n * map.len() && map.shape == dx.1.shape), "a ReLU of that size");
    dispatch!(level, simd => tiles_backward_body(simd, win.kernel, dy, dx, first, relu, n));
}

/// The output size with windows that hang over the edge: one more than `floor` along an axis where the last window of
/// those leaves numbers out and the next one still begins inside the image or the padding before it.
pub fn ceil(win: Window, x: Shape, floor: (usize, usize)) -> (usize, usize) {
    let axis = |n: usize, size: usize, kernel: usize, stride: usize, pad: usize, dilation: usize| {
        let covered = (n - 1) * stride + dilation * (kernel - 1) + 1;
        n + usize::from(covered < size + 2 * pad && n * stride < size + pad)
    };
    let Window { kernel, stride, pad, dilation } = win;
    (
        axis(floor.0, x.h, kernel.0, stride.0, pad.0, dilation.0),
        axis(floor.1, x.w, kernel.1, stride.1, pad.1, dilation.1),
    )
}

fn check(win: Window, (x_len, x): (usize, &Map), (y_len, y): (usize, &Map), n: usize) {
    assert!(x_len == n * x.len() && y_len == n * y.len(), "a slice does not hold {n} images");
    assert!(x.shape.c == y.shape.c, "pooling keeps the channels");
    let (size, floor) = ((y.shape.h, y.shape.w), win.output(x.shape.h, x.shape.w));
    assert!(floor.is_ok_and(|floor| size == floor || size == ceil(win, x.shape, floor)), "not the window's output");
}

/// One window over one image: where it begins in the padded image, and which of its taps are no padding.
struct Under {
    win: Window,
    origin: (usize, usize),
    rows: Range<usize>,
    columns: Range<usize>,
}

impl Under {
    #[inline(always)]
    fn new(win: Window, (oy, ox): (usize, usize), x: Shape) -> Self {
        let Window { kernel, stride, pad, dilation } = win;
        let origin = (oy * stride.0, ox * stride.1);
        let rows = taps(origin.0, kernel.0, pad.0, dilation.0, x.h);
        let columns = taps(origin.1, kernel.1, pad.1, dilation.1, x.w);
        Self { win, origin, rows, columns }
    }

    /// Where the pixel under tap `(ky, kx)` begins.
    #[inline(always)]
    fn at(&self, map: &Map, ky: usize, kx: usize) -> usize {
        let Window { pad, dilation, .. } = self.win;
        map.at(self.origin.0 + ky * dilation.0 - pad.0, self.origin.1 + kx * dilation.1 - pad.1)
    }

    /// What the sum over the taps is divided by.
    #[inline(always)]
    fn divisor(&self, count_include_pad: bool) -> f32 {
        let (kh, kw) = self.win.kernel;
        let taps = if count_include_pad { kh * kw } else { self.rows.len() * self.columns.len() };
        taps.max(1) as f32
    }
}

/// The taps along one axis that lie inside the image; `origin` counts from the edge of the padding.
#[inline(always)]
fn taps(origin: usize, kernel: usize, pad: usize, dilation: usize, size: usize) -> Range<usize> {
    let before = if origin < pad { (pad - origin).div_ceil(dilation) } else { 0 };
    let (last, end) = (origin + (kernel - 1) * dilation, pad + size);
    let after = if last < end { 0 } else { (last - end) / dilation + 1 };
    before..kernel.saturating_sub(after)
}

/// Calls `visit(image, (oy, ox), window)` for every window of `n` images.
#[inline(always)]
fn each_window(win: Window, x: Shape, y: Shape, n: usize, mut visit: impl FnMut(usize, (usize, usize), Under)) {
    for image in 0..n {
        for oy in 0..y.h {
            for ox in 0..y.w {
                visit(image, (oy, ox), Under::new(win, (oy, ox), x));
            }
        }
    }
}

/// The larger of two, the first of equals, NaN if either is.
#[inline(always)]
fn larger<S: Simd>(first: S::f32s, second: S::f32s) -> S::f32s {
    (second.simd_gt(first) | second.is_nan()).select(second, first)
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
        |image, (oy, ox), under| {
            let x = &x[image * xm.len()..][..xm.len()];
            let y = &mut y[image * ym.len() + ym.at(oy, ox)..][..c];
            for (k, y) in y.chunks_mut(S::f32s::LEN).enumerate() {
                let mut max = S::f32s::splat(simd, f32::NEG_INFINITY);
                for ky in under.rows.clone() {
                    for kx in under.columns.clone() {
                        let v = load(simd, &x[under.at(xm, ky, kx) + k * S::f32s::LEN..][..y.len()]);
                        max = larger::<S>(max, v);
                    }
                }
                store::<S>(max, y);
            }
        },
    );
}

/// [`max_body`] for the window of nearly every network, 2×2 with stride 2.
///
/// Comparing in pairs shortens the chain of comparisons that wait for each other: 1.4 µs for 16×28×28 instead of 3.8 (AVX2).
#[simd]
fn halve_body<S: Simd>(simd: S, (x, xm): Source, (y, ym): Target, n: usize) {
    let Shape { c, h, w } = ym.shape;
    for image in 0..n {
        for oy in 0..h {
            let upper = &x[image * xm.len() + xm.at(2 * oy, 0)..][..2 * w * c];
            let lower = &x[image * xm.len() + xm.at(2 * oy + 1, 0)..][..2 * w * c];
            let y = &mut y[image * ym.len() + ym.at(oy, 0)..][..w * c];
            let pairs = upper.chunks_exact(2 * c).zip(lower.chunks_exact(2 * c));
            for (y, (upper, lower)) in y.chunks_exact_mut(c).zip(pairs) {
                for (k, y) in y.chunks_mut(S::f32s::LEN).enumerate() {
                    let at = |from: &[f32], x: usize| load(simd, &from[x * c + k * S::f32s::LEN..][..y.len()]);
                    let upper = larger::<S>(at(upper, 0), at(upper, 1));
                    store::<S>(larger::<S>(upper, larger::<S>(at(lower, 0), at(lower, 1))), y);
                }
            }
        }
    }
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
        |image, (oy, ox), under| {
            let y = &y[image * ym.len() + ym.at(oy, ox)..][..c];
            let dy = &dy[image * dym.len() + dym.at(oy, ox)..][..c];
            for (k, (y, dy)) in y.chunks(S::f32s::LEN).zip(dy.chunks(S::f32s::LEN)).enumerate() {
                let (y, dy, len) = (load(simd, y), load(simd, dy), y.len());
                let mut open = S::mask32s::splat(simd, true);
                for ky in under.rows.clone() {
                    for kx in under.columns.clone() {
                        let x = &x[image * xm.len() + under.at(xm, ky, kx) + k * S::f32s::LEN..][..len];
                        let dx = &mut dx[image * dxm.len() + under.at(dxm, ky, kx) + k * S::f32s::LEN..][..len];
                        let hit = open & load(simd, x).simd_eq(y);
                        store::<S>(load(simd, dx) + hit.select(dy, S::f32s::splat(simd, 0.0)), dx);
                        open &= !hit;
                    }
                }
            }
        },
    );
}

#[simd]
fn at_maxima_body<S: Simd>(
    simd: S,
    win: Window,
    (x, xm): Source,
    (max, mm): Source,
    (y, ym): Source,
    (v, vm): Target,
    n: usize,
) {
    let c = vm.shape.c;
    each_window(
        win,
        xm.shape,
        vm.shape,
        n,
        #[inline(always)]
        |image, (oy, ox), under| {
            let max = &max[image * mm.len() + mm.at(oy, ox)..][..c];
            let v = &mut v[image * vm.len() + vm.at(oy, ox)..][..c];
            for (k, (max, v)) in max.chunks(S::f32s::LEN).zip(v.chunks_mut(S::f32s::LEN)).enumerate() {
                let (max, zero, len) = (load(simd, max), S::f32s::splat(simd, 0.0), v.len());
                let (mut open, mut found) = (S::mask32s::splat(simd, true), zero);
                for ky in under.rows.clone() {
                    for kx in under.columns.clone() {
                        let x = &x[image * xm.len() + under.at(xm, ky, kx) + k * S::f32s::LEN..][..len];
                        let y = &y[image * ym.len() + under.at(ym, ky, kx) + k * S::f32s::LEN..][..len];
                        let hit = open & load(simd, x).simd_eq(max);
                        found += hit.select(load(simd, y), zero);
                        open &= !hit;
                    }
                }
                store::<S>(found, v);
            }
        },
    );
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
        |image, (oy, ox), under| {
            let x = &x[image * xm.len()..][..xm.len()];
            let y = &mut y[image * ym.len() + ym.at(oy, ox)..][..c];
            let divisor = under.divisor(count_include_pad);
            for (k, y) in y.chunks_mut(S::f32s::LEN).enumerate() {
                let mut sum = S::f32s::splat(simd, 0.0);
                for ky in under.rows.clone() {
                    // Row by row: the rounding of a large window grows with its sides, not its area.
                    let mut row = S::f32s::splat(simd, 0.0);
                    for kx in under.columns.clone() {
                        row += load(simd, &x[under.at(xm, ky, kx) + k * S::f32s::LEN..][..y.len()]);
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
        |image, (oy, ox), under| {
            let dx = &mut dx[image * dxm.len()..][..dxm.len()];
            let dy = &dy[image * dym.len() + dym.at(oy, ox)..][..c];
            let divisor = under.divisor(count_include_pad);
            for (k, dy) in dy.chunks(S::f32s::LEN).enumerate() {
                let (share, len) = (load(simd, dy) / divisor, dy.len());
                for ky in under.rows.clone() {
                    for kx in under.columns.clone() {
                        let dx = &mut dx[under.at(dxm, ky, kx) + k * S::f32s::LEN..][..len];
                        store::<S>(load(simd, dx) + share, dx);
                    }
                }
            }
        },
    );
}

#[simd]
fn tiles_backward_body<S: Simd>(
    simd: S,
    kernel: (usize, usize),
    (dy, dym): Source,
    (dx, dxm): Target,
    first: bool,
    relu: Option<Source>,
    n: usize,
) {
    let (Shape { c, h, w }, lanes, zero) = (dxm.shape, S::f32s::LEN, S::f32s::splat(simd, 0.0));
    let divisor = (kernel.0 * kernel.1) as f32;
    for (image, y) in (0..n).flat_map(|image| (0..h).map(move |y| (image, y))) {
        let start = |map: &Map, y: usize| image * map.len() + map.at(y, 0);
        let out = &mut dx[start(dxm, y)..][..w * c];
        let made = relu.map(|(made, map)| &made[start(map, y)..][..w * c]);
        let dy = &dy[start(dym, y / kernel.0)..][..w / kernel.1 * c];
        for (window, dy) in dy.chunks_exact(c).enumerate() {
            for x in window * kernel.1..(window + 1) * kernel.1 {
                let (out, made) = (&mut out[x * c..][..c], made.map(|made| &made[x * c..][..c]));
                let whole = c - c % lanes;
                for k in (0..whole).step_by(lanes) {
                    let mut v = S::f32s::from_slice(simd, &dy[k..k + lanes]) / divisor;
                    if !first {
                        v += S::f32s::from_slice(simd, &out[k..k + lanes]);
                    }
                    if let Some(made) = made {
                        v = S::f32s::from_slice(simd, &made[k..k + lanes]).simd_le(zero).select(zero, v);
                    }
                    v.store_slice(&mut out[k..k + lanes]);
                }
                for k in whole..c {
                    let v = dy[k] / divisor + if first { 0.0 } else { out[k] };
                    out[k] = if made.is_some_and(|made| made[k] <= 0.0) { 0.0 } else { v };
                }
            }
        }
    }
}
