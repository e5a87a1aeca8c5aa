//! Maps made larger by a whole number, and the gradients of that.

use super::pool::{Source, Target};
use fearless_simd::{Level, dispatch, prelude::*};
use fearless_simd_macros::simd;

/// What an output number is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Between {
    /// The nearest number.
    Nearest,
    /// A mixture of the nearest two along each axis; pixels are areas, so the outermost lie inside the map
    /// (PyTorch's `align_corners=False`).
    Bilinear,
}

impl Between {
    /// The two numbers along an axis of `size` behind output `o`, and how much the second one counts.
    #[inline(always)]
    fn taps(self, o: usize, scale: usize, size: usize) -> (usize, usize, f32) {
        match self {
            Self::Nearest => (o / scale, o / scale, 0.0),
            Self::Bilinear => {
                let at = ((o as f32 + 0.5) / scale as f32 - 0.5).max(0.0);
                let first = at as usize;
                (first, (first + 1).min(size - 1), at - first as f32)
            }
        }
    }
}

/// `y` = `x` enlarged to `scale` times its height and width, for `n` images.
pub fn enlarge(level: Level, between: Between, scale: usize, x: Source, y: Target, n: usize) {
    dispatch!(level, simd => enlarge_body(simd, between, scale, x, y, n));
}

#[simd]
fn enlarge_body<S: Simd>(_: S, between: Between, scale: usize, (x, map): Source, (y, ymap): Target, n: usize) {
    let c = map.shape.c;
    for (x, y) in x.chunks_exact(map.len()).zip(y.chunks_exact_mut(ymap.len())).take(n) {
        for oy in 0..ymap.shape.h {
            let (top, bottom, down) = between.taps(oy, scale, map.shape.h);
            let row = &mut y[ymap.at(oy, 0)..][..ymap.shape.w * c];
            for (ox, pixel) in row.chunks_exact_mut(c).enumerate() {
                let (left, right, across) = between.taps(ox, scale, map.shape.w);
                let at = |y, x_| &x[map.at(y, x_)..][..c];
                let upper = at(top, left).iter().zip(at(top, right));
                let lower = at(bottom, left).iter().zip(at(bottom, right));
                for ((out, (a, b)), (d, e)) in pixel.iter_mut().zip(upper).zip(lower) {
                    let (upper, lower) = (a + across * (b - a), d + across * (e - d));
                    *out = upper + down * (lower - upper);
                }
            }
        }
    }
}

/// `dx +=` what each number of it gave to `dy`.
pub fn enlarge_backward(level: Level, between: Between, scale: usize, dy: Source, dx: Target, n: usize) {
    dispatch!(level, simd => backward_body(simd, between, scale, dy, dx, n));
}

#[simd]
fn backward_body<S: Simd>(_: S, between: Between, scale: usize, (dy, dymap): Source, (dx, dxmap): Target, n: usize) {
    let c = dxmap.shape.c;
    for (dy, dx) in dy.chunks_exact(dymap.len()).zip(dx.chunks_exact_mut(dxmap.len())).take(n) {
        for oy in 0..dymap.shape.h {
            let (top, bottom, down) = between.taps(oy, scale, dxmap.shape.h);
            for ox in 0..dymap.shape.w {
                let (left, right, across) = between.taps(ox, scale, dxmap.shape.w);
                let dy = &dy[dymap.at(oy, ox)..][..c];
                let corners = [
                    (top, left, (1.0 - down) * (1.0 - across)),
                    (top, right, (1.0 - down) * across),
                    (bottom, left, down * (1.0 - across)),
                    (bottom, right, down * across),
                ];
                for (y, x, share) in corners.into_iter().filter(|corner| corner.2 != 0.0) {
                    for (dx, dy) in dx[dxmap.at(y, x)..][..c].iter_mut().zip(dy) {
                        *dx += share * dy;
                    }
                }
            }
        }
    }
}
