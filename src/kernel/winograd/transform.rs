//! The transforms of minimal filtering, along both axes of a tile, with lanes along the channels.

use super::super::gemm::Store;
use super::super::lanes::{load, store};
use super::{Grid, IN, OUT, PLACES, Planes, Tile};
use fearless_simd::prelude::*;
use fearless_simd_macros::simd;
use std::ops::Range;

/// The points are 0, ±√½, ±√2 and ∞: √½ · √2 = 1 makes many coefficients whole. They also round better than the usual
/// 0, ±1, ±2, ∞: the largest error is a sixth, the mean error half as large.
const A: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// `Bᵀ`: six inputs to their values at 0, √½, −√½, √2, −√2, ∞.
#[inline(always)]
fn input<S: Simd>(simd: S, d: [S::f32s; IN]) -> [S::f32s; IN] {
    let part = |v: f32| S::f32s::splat(simd, v);
    let (even, odd) = (d[2].mul_add(part(-2.0), d[4]), d[1].mul_add(part(-2.0), d[3]) * part(A));
    let (even2, odd2) = (d[2].mul_add(part(-0.5), d[4]), d[1].mul_add(part(-0.5), d[3]) * part(2.0 * A));
    [
        d[2].mul_add(part(-2.5), d[0] + d[4]),
        even + odd,
        even - odd,
        even2 + odd2,
        even2 - odd2,
        d[3].mul_add(part(-2.5), d[1] + d[5]),
    ]
}

/// `G`: three taps to their values at the six points, divided by what `Bᵀ` and `Aᵀ` are too large by.
#[inline(always)]
fn filter<S: Simd>(simd: S, g: [S::f32s; 3]) -> [S::f32s; IN] {
    let part = |v: f32| S::f32s::splat(simd, v);
    let (even, odd) = (g[2].mul_add(part(0.5), g[0]) * part(-2.0 / 3.0), g[1] * part(-2.0 / 3.0 * A));
    let (even2, odd2) = (g[2].mul_add(part(2.0), g[0]) * part(1.0 / 6.0), g[1] * part(1.0 / 3.0 * A));
    [g[0], even + odd, even - odd, even2 + odd2, even2 - odd2, g[2]]
}

/// `Aᵀ`: six products to four outputs.
#[inline(always)]
fn output<S: Simd>(simd: S, m: [S::f32s; IN]) -> [S::f32s; OUT] {
    let part = |v: f32| S::f32s::splat(simd, v);
    let (even, odd, even2, odd2) = (m[1] + m[2], m[1] - m[2], m[3] + m[4], m[3] - m[4]);
    [
        m[0] + even + even2,
        odd2.mul_add(part(2.0), odd) * part(A),
        even2.mul_add(part(2.0), even * part(0.5)),
        odd2.mul_add(part(4.0 * A), odd.mul_add(part(0.5 * A), m[5])),
    ]
}

/// `A`: four gradients of outputs to those of the six products.
#[inline(always)]
fn gradient<S: Simd>(simd: S, y: [S::f32s; OUT]) -> [S::f32s; IN] {
    let part = |v: f32| S::f32s::splat(simd, v);
    let (even, odd) = (y[2].mul_add(part(0.5), y[0]), y[3].mul_add(part(0.5), y[1]) * part(A));
    let (even2, odd2) = (y[2].mul_add(part(2.0), y[0]), y[3].mul_add(part(2.0), y[1]) * part(2.0 * A));
    [y[0], even + odd, even - odd, even2 + odd2, even2 - odd2, y[3]]
}

/// `Gᵀ`: gradients of the six values of a filter to those of its three taps.
#[inline(always)]
fn filter_gradient<S: Simd>(simd: S, u: [S::f32s; IN]) -> [S::f32s; 3] {
    let part = |v: f32| S::f32s::splat(simd, v);
    let (even, odd) = ((u[1] + u[2]) * part(-2.0 / 3.0), (u[1] - u[2]) * part(-2.0 / 3.0 * A));
    let (even2, odd2) = ((u[3] + u[4]) * part(1.0 / 6.0), (u[3] - u[4]) * part(1.0 / 3.0 * A));
    [u[0] + even + even2, odd + odd2, even2.mul_add(part(2.0), even.mul_add(part(0.5), u[5]))]
}

/// A transform along both axes of `P × P` vectors: `get(row, column)` reads, `put(row, column, v)` writes `Q × Q`.
#[inline(always)]
#[allow(
    clippy::needless_range_loop,
    reason = "iterators over arrays of vectors are not inlined, at a fifth of the speed"
)]
fn square<S: Simd, const P: usize, const Q: usize>(
    simd: S,
    get: impl Fn(usize, usize) -> S::f32s,
    transform: impl Fn([S::f32s; P]) -> [S::f32s; Q],
    mut put: impl FnMut(usize, usize, S::f32s),
) {
    let mut half = [[S::f32s::splat(simd, 0.0); P]; Q];
    for j in 0..P {
        let mut column = [S::f32s::splat(simd, 0.0); P];
        for i in 0..P {
            column[i] = get(i, j);
        }
        let column = transform(column);
        for k in 0..Q {
            half[k][j] = column[k];
        }
    }
    for k in 0..Q {
        let row = transform(half[k]);
        for l in 0..Q {
            put(k, l, row[l]);
        }
    }
}

/// Transforms the `P × P` patches of `x` under these tiles into the planes of `v`.
#[inline(always)]
fn patches<S: Simd, const P: usize>(
    simd: S,
    x: &[f32],
    grid: &Grid,
    tiles: Range<usize>,
    transform: impl Fn([S::f32s; P]) -> [S::f32s; IN],
    to: Planes,
    v: &mut [f32],
) {
    let (c, row, lanes) = (grid.map.shape.c, grid.map.row(), S::f32s::LEN);
    for (t, number) in tiles.enumerate() {
        let Tile { at, rows, columns } = grid.tile(number);
        for ch in (0..c).step_by(lanes) {
            let (len, out) = (lanes.min(c - ch), to.at(t, ch, c, lanes));
            if rows >= P && columns >= P && len == lanes {
                let x = &x[at + ch..][..(P - 1) * (row + c) + lanes];
                let v = &mut v[out..][..(PLACES - 1) * to.step + lanes];
                square::<S, P, IN>(
                    simd,
                    #[inline(always)]
                    |i, j| S::f32s::from_slice(simd, &x[i * row + j * c..][..lanes]),
                    &transform,
                    #[inline(always)]
                    |k, l, u| u.store_slice(&mut v[(k * IN + l) * to.step..][..lanes]),
                );
            } else {
                // Beyond the edge there is nothing, and behind the last channel nothing either.
                square::<S, P, IN>(
                    simd,
                    #[inline(always)]
                    |i, j| {
                        let inside = i < rows && j < columns;
                        if inside {
                            load(simd, &x[at + i * row + j * c + ch..][..len])
                        } else {
                            S::f32s::splat(simd, 0.0)
                        }
                    },
                    &transform,
                    #[inline(always)]
                    |k, l, u| {
                        let width = if to.panel == usize::MAX { len } else { lanes };
                        store::<S>(u, &mut v[(k * IN + l) * to.step + out..][..width]);
                    },
                );
            }
        }
    }
}

#[simd]
pub(super) fn inputs_body<S: Simd>(simd: S, x: &[f32], grid: &Grid, tiles: Range<usize>, to: Planes, v: &mut [f32]) {
    patches::<S, IN>(
        simd,
        x,
        grid,
        tiles,
        #[inline(always)]
        |d| input(simd, d),
        to,
        v,
    );
}

#[simd]
pub(super) fn gradients_body<S: Simd>(
    simd: S,
    dy: &[f32],
    grid: &Grid,
    tiles: Range<usize>,
    to: Planes,
    m: &mut [f32],
) {
    patches::<S, OUT>(
        simd,
        dy,
        grid,
        tiles,
        #[inline(always)]
        |y| gradient(simd, y),
        to,
        m,
    );
}

#[simd]
pub(super) fn outputs_body<S: Simd>(
    simd: S,
    (m, step): (&[f32], usize),
    grid: &Grid,
    tiles: Range<usize>,
    finish: Store<'_>,
    y: &mut [f32],
) {
    let (oc, row, lanes, zero) = (grid.map.shape.c, grid.map.row(), S::f32s::LEN, S::f32s::splat(simd, 0.0));
    for (t, number) in tiles.enumerate() {
        let Tile { at, rows, columns } = grid.tile(number);
        for o in (0..oc).step_by(lanes) {
            let len = lanes.min(oc - o);
            let (bias, relu, add) = match finish {
                Store::Set { bias, relu } => (bias.map_or(zero, |b| load(simd, &b[o..][..len])), relu, false),
                Store::Add => (zero, false, true),
            };
            square::<S, IN, OUT>(
                simd,
                #[inline(always)]
                |k, l| load(simd, &m[(k * IN + l) * step + t * oc + o..][..len]),
                #[inline(always)]
                |m| output(simd, m),
                #[inline(always)]
                |i, j, v| {
                    if i < rows && j < columns {
                        let y = &mut y[at + i * row + j * oc + o..][..len];
                        let v = v + if add { load(simd, y) } else { bias };
                        store::<S>(if relu { v.max(zero) } else { v }, y);
                    }
                },
            );
        }
    }
}

/// Transforms the filters of one input channel, nine rows of taps, into row `channel` of the packed operand of every place.
#[simd]
pub(super) fn filters_body<S: Simd>(
    simd: S,
    taps: &[f32],
    (k, n, channel): (usize, usize, usize),
    place: usize,
    packed: &mut [f32],
) {
    let (lanes, width) = (S::f32s::LEN, taps.len() / 9);
    let to = Planes { step: place, panel: 2 * lanes, depth: k };
    for o in (0..n).step_by(lanes) {
        let at = to.at(channel, o, n, lanes);
        square::<S, 3, IN>(
            simd,
            #[inline(always)]
            |i, j| S::f32s::from_slice(simd, &taps[(i * 3 + j) * width + o..][..lanes]),
            #[inline(always)]
            |g| filter(simd, g),
            #[inline(always)]
            |p, q, u| u.store_slice(&mut packed[(p * IN + q) * place + at..][..lanes]),
        );
    }
}

/// Adds the gradient of the filters, given that of their values at every place.
#[simd]
pub(super) fn filter_gradients_body<S: Simd>(simd: S, du: &[f32], dw: &mut [f32]) {
    let (lanes, place) = (S::f32s::LEN, du.len() / PLACES);
    for at in (0..place).step_by(lanes) {
        let len = lanes.min(place - at);
        square::<S, IN, 3>(
            simd,
            #[inline(always)]
            |p, q| load(simd, &du[(p * IN + q) * place + at..][..len]),
            #[inline(always)]
            |u| filter_gradient(simd, u),
            #[inline(always)]
            |i, j, g| {
                let dw = &mut dw[(i * 3 + j) * place + at..][..len];
                store::<S>(load(simd, dw) + g, dw);
            },
        );
    }
}
