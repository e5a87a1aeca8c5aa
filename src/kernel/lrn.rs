//! Local response normalisation over NHWC maps: every number divided by what its neighbours in the channels come to.

use super::pool::{Source, Target};
use fearless_simd::{Level, dispatch, prelude::*};
use fearless_simd_macros::simd;

/// `y = x · (k + alpha / size · Σ x²)^−beta`, the sum over `size` channels around each.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Response {
    /// Channels in a sum: `size / 2` before, the rest from the channel itself on.
    pub size: usize,
    /// How much the mean of the squares counts.
    pub alpha: f32,
    /// The power.
    pub beta: f32,
    /// What is added to the mean.
    pub k: f32,
}

impl Response {
    /// Room that the kernels need for `c` channels: twice.
    pub fn room(&self, c: usize) -> usize {
        c + self.size
    }

    /// `base^−beta`; AlexNet's ¾ by two roots.
    #[inline(always)]
    fn power(&self, base: f32) -> f32 {
        if self.beta == 0.75 { 1.0 / (base.sqrt() * base.sqrt().sqrt()) } else { libm::powf(base, -self.beta) }
    }
}

/// `out[c] = Σ from[c − before ..]` over `size` channels, where `padded` is room for `from` with zeros around it.
#[inline(always)]
fn windows(size: usize, before: usize, from: impl Iterator<Item = f32>, padded: &mut [f32], out: &mut [f32]) {
    padded.fill(0.0);
    padded[before..].iter_mut().zip(from).for_each(|(to, v)| *to = v);
    out.fill(0.0);
    for j in 0..size {
        for (sum, v) in out.iter_mut().zip(&padded[j..]) {
            *sum += v;
        }
    }
}

/// The forward pass for `n` images; `room` is as [`Response::room`] says.
pub fn lrn(level: Level, r: Response, x: Source, y: Target, n: usize, room: &mut [f32]) {
    dispatch!(level, simd => forward_body(simd, r, x, y, n, room));
}

#[simd]
fn forward_body<S: Simd>(_: S, r: Response, (x, map): Source, (y, ymap): Target, n: usize, room: &mut [f32]) {
    let (c, mean) = (map.shape.c, r.alpha / r.size as f32);
    for (row, yrow) in map.rows(n).zip(ymap.rows(n)) {
        for (x, y) in x[row].chunks_exact(c).zip(y[yrow].chunks_exact_mut(c)) {
            windows(r.size, r.size / 2, x.iter().map(|x| x * x), room, y);
            for (y, x) in y.iter_mut().zip(x) {
                *y = x * r.power(r.k + mean * *y);
            }
        }
    }
}

/// `dx +=` the gradient, from the input `x`; two rooms.
pub fn lrn_backward(level: Level, r: Response, x: Source, dy: Source, dx: Target, n: usize, rooms: [&mut [f32]; 2]) {
    dispatch!(level, simd => backward_body(simd, r, x, dy, dx, n, rooms));
}

#[simd]
fn backward_body<S: Simd>(
    _: S,
    r: Response,
    (x, map): Source,
    (dy, dymap): Source,
    (dx, dxmap): Target,
    n: usize,
    [padded, sums]: [&mut [f32]; 2],
) {
    let (c, mean) = (map.shape.c, r.alpha / r.size as f32);
    let sums = &mut sums[..c];
    for ((row, dyrow), dxrow) in map.rows(n).zip(dymap.rows(n)).zip(dxmap.rows(n)) {
        let pixels = x[row].chunks_exact(c).zip(dy[dyrow].chunks_exact(c)).zip(dx[dxrow].chunks_exact_mut(c));
        for ((x, dy), dx) in pixels {
            windows(r.size, r.size / 2, x.iter().map(|x| x * x), padded, sums);
            // `sums` becomes what each output passes to its neighbours.
            for (((dx, x), dy), sum) in dx.iter_mut().zip(x).zip(dy).zip(sums.iter_mut()) {
                let base = r.k + mean * *sum;
                let direct = dy * r.power(base);
                *dx += direct;
                *sum = direct * x / base;
            }
            let before = r.size - 1 - r.size / 2;
            padded.fill(0.0);
            padded[before..before + c].copy_from_slice(sums);
            for (i, (dx, x)) in dx.iter_mut().zip(x).enumerate() {
                let passed: f32 = padded[i..i + r.size].iter().sum();
                *dx -= 2.0 * mean * r.beta * x * passed;
            }
        }
    }
}
