//! The transforms of minimal filtering, along both axes of a tile, with lanes along the channels.

use super::super::gemm::{Store, WIDEST};
use super::super::lanes::{load, store};
use super::super::tile;
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

/// Numbers of the widest vector of any level.
const LANES: usize = WIDEST / 2;

/// Transforms the `P × P` patches of `x` under these tiles into the planes of `v`.
#[inline(always)]
fn patches<S: Simd, const P: usize>(
    simd: S,
    x: &[f32],
    grid: &Grid,
    tiles: Range<usize>,
    transform: impl Fn([S::f32s; P]) -> [S::f32s; IN] + Copy,
    to: Planes,
    v: &mut [f32],
) {
    let (c, row, lanes) = (grid.map.shape.c, grid.map.row(), S::f32s::LEN);
    let (mut patch, mut places) = ([0.0; IN * IN * LANES], [0.0; PLACES * LANES]);
    for (t, number) in tiles.enumerate() {
        let Tile { at, rows, columns } = grid.tile(number);
        for ch in (0..c).step_by(lanes) {
            let (len, out) = (lanes.min(c - ch), to.at(t, ch, c, lanes));
            let full = len == lanes;
            let mut source = (&x[at + ch..], (row, c));
            if !(full && rows >= P && columns >= P) {
                // Beyond the edge there is nothing, and behind the last channel nothing either.
                patch[..P * P * lanes].fill(0.0);
                for (i, j) in (0..rows.min(P)).flat_map(|i| (0..columns.min(P)).map(move |j| (i, j))) {
                    patch[(i * P + j) * lanes..][..len].copy_from_slice(&source.0[i * row + j * c..][..len]);
                }
                source = (&patch, (P * lanes, lanes));
            }
            let target =
                if full { (&mut v[out..], (IN * to.step, to.step)) } else { (&mut places[..], (IN * lanes, lanes)) };
            tile::square::<S, P, IN>(
                simd,
                source,
                target,
                // A copy: the call through a reference is the core library's and not inlined into what was compiled for a
                // level, a third of the time with SSE4.2.
                transform,
                #[inline(always)]
                |u, v| u.store_slice(v),
            );
            if !full {
                let width = if to.panel == usize::MAX { len } else { lanes };
                for (place, u) in places.chunks_exact(lanes).take(PLACES).enumerate() {
                    v[out + place * to.step..][..width].copy_from_slice(&u[..width]);
                }
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

/// Transforms products back into the outputs under these tiles; planes of `m` are `step` numbers apart.
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
    let (mut places, mut patch) = ([0.0; PLACES * LANES], [0.0; OUT * OUT * LANES]);
    for (t, number) in tiles.enumerate() {
        let Tile { at, rows, columns } = grid.tile(number);
        for o in (0..oc).step_by(lanes) {
            let len = lanes.min(oc - o);
            let (bias, relu) = match finish {
                Store::Set { bias, relu } => (bias.map_or(zero, |b| load(simd, &b[o..][..len])), relu),
                Store::Add | Store::Through { .. } => (zero, false),
            };
            let add = finish.adds();
            let full = len == lanes;
            let mut source = (&m[t * oc + o..], (IN * step, step));
            if !full {
                for (place, m) in places.chunks_exact_mut(lanes).take(PLACES).enumerate() {
                    m[..len].copy_from_slice(&source.0[place * step..][..len]);
                }
                source = (&places, (IN * lanes, lanes));
            }
            // What lies beyond an edge or behind the last channel is computed and dropped.
            let inside = || (0..rows.min(OUT)).flat_map(|i| (0..columns.min(OUT)).map(move |j| (i, j)));
            let (whole, target) = (full && rows >= OUT && columns >= OUT, &mut y[at + o..]);
            if add && !whole {
                for (i, j) in inside() {
                    patch[(i * OUT + j) * lanes..][..len].copy_from_slice(&target[i * row + j * oc..][..len]);
                }
            }
            let to = if whole { (&mut *target, (row, oc)) } else { (&mut patch[..], (OUT * lanes, lanes)) };
            tile::square::<S, IN, OUT>(
                simd,
                source,
                to,
                #[inline(always)]
                |m| output(simd, m),
                #[inline(always)]
                |v, y| {
                    let v = v + if add { S::f32s::from_slice(simd, y) } else { bias };
                    (if relu { v.max(zero) } else { v }).store_slice(y);
                },
            );
            if !whole {
                for (i, j) in inside() {
                    target[i * row + j * oc..][..len].copy_from_slice(&patch[(i * OUT + j) * lanes..][..len]);
                }
            }
            if let Store::Through { y: made, .. } = finish {
                for place in inside().map(|(i, j)| i * row + j * oc) {
                    let (made, out) = (load(simd, &made[at + o + place..][..len]), &mut target[place..][..len]);
                    store::<S>(made.simd_le(zero).select(zero, load(simd, out)), out);
                }
            }
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
        let target = (&mut packed[to.at(channel, o, n, lanes)..], (IN * place, place));
        tile::square::<S, 3, IN>(
            simd,
            (&taps[o..], (3 * width, width)),
            target,
            #[inline(always)]
            |g| filter(simd, g),
            #[inline(always)]
            |u, to| u.store_slice(to),
        );
    }
}

/// Adds the gradient of the filters, given that of their values at every place.
#[simd]
pub(super) fn filter_gradients_body<S: Simd>(simd: S, du: &[f32], dw: &mut [f32]) {
    let (lanes, place) = (S::f32s::LEN, du.len() / PLACES);
    for at in (0..place).step_by(lanes) {
        let len = lanes.min(place - at);
        let mut sums = [0.0; PLACES * LANES];
        for (p, u) in sums.chunks_exact_mut(lanes).take(PLACES).enumerate() {
            u[..len].copy_from_slice(&du[p * place + at..][..len]);
        }
        let mut taps = [0.0; 9 * LANES];
        tile::square::<S, IN, 3>(
            simd,
            (&sums, (IN * lanes, lanes)),
            (&mut taps, (3 * lanes, lanes)),
            #[inline(always)]
            |u| filter_gradient(simd, u),
            #[inline(always)]
            |g, to| g.store_slice(to),
        );
        for (tap, g) in taps.chunks_exact(lanes).take(9).enumerate() {
            dw[tap * place + at..][..len].iter_mut().zip(g).for_each(|(dw, g)| *dw += g);
        }
    }
}
