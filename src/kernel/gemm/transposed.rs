//! `C += Aᵀ·B`, summed over pixels.

use super::super::Level;
use super::super::tile::{self, Pixels};
use super::{lanes, panels, store_row};
use fearless_simd::{Simd, SimdBase, dispatch};
use fearless_simd_macros::simd;

/// `C += Aᵀ·B` summed over pixels: `A` gives `k` neighbouring numbers from `first` on for each pixel of `px`, `B` is
/// packed by [`super::pack`] with one row for each pixel, `C` is `k × n` with rows beside one another.
#[allow(clippy::too_many_arguments, reason = "the operands of a matrix product, each with its extent")]
pub fn gemm_transposed(
    level: Level,
    a: &[f32],
    first: usize,
    k: usize,
    px: &Pixels,
    b: &[f32],
    n: usize,
    c: &mut [f32],
) {
    dispatch!(level, simd => transposed_body(simd, &a[first..], k, px, b, n, c));
}

#[simd]
fn transposed_body<S: Simd>(simd: S, a: &[f32], k: usize, px: &Pixels, b: &[f32], n: usize, c: &mut [f32]) {
    let lanes = S::f32s::LEN;
    let depth = px.images * px.rows * px.count;
    let mut b = b;
    for (start, width) in panels(n, lanes) {
        let (panel, rest) = b.split_at(depth * width);
        b = rest;
        let out = Out { n, start };
        match (lanes, width == 2 * lanes) {
            (16, true) => transposed_panel::<S, 8, 4, 2>(simd, a, k, px, panel, out, c),
            (16, false) => transposed_panel::<S, 12, 4, 1>(simd, a, k, px, panel, out, c),
            (8, true) => transposed_panel::<S, 6, 3, 2>(simd, a, k, px, panel, out, c),
            (8, false) => transposed_panel::<S, 12, 4, 1>(simd, a, k, px, panel, out, c),
            (_, true) => transposed_panel::<S, 4, 2, 2>(simd, a, k, px, panel, out, c),
            (_, false) => transposed_panel::<S, 8, 4, 1>(simd, a, k, px, panel, out, c),
        }
    }
}

#[derive(Clone, Copy)]
struct Out {
    n: usize,
    start: usize,
}

#[inline(always)]
fn transposed_panel<S: Simd, const M: usize, const H: usize, const V: usize>(
    simd: S,
    a: &[f32],
    k: usize,
    px: &Pixels,
    panel: &[f32],
    out: Out,
    c: &mut [f32],
) {
    let panel = (panel, &px.packed(V * S::f32s::LEN));
    let mut row = 0;
    while k - row >= M {
        transposed_tile::<S, M, V>(simd, (&a[row..], px), panel, row, out, c);
        row += M;
    }
    while k - row >= H {
        transposed_tile::<S, H, V>(simd, (&a[row..], px), panel, row, out, c);
        row += H;
    }
    while row < k {
        transposed_tile::<S, 1, V>(simd, (&a[row..], px), panel, row, out, c);
        row += 1;
    }
}

#[inline(always)]
fn transposed_tile<S: Simd, const M: usize, const V: usize>(
    simd: S,
    a: (&[f32], &Pixels),
    b: (&[f32], &Pixels),
    row: usize,
    out: Out,
    c: &mut [f32],
) {
    let acc = tile::outer::<S, M, V>(simd, a, b);
    let n = (out.n - out.start).min(V * S::f32s::LEN);
    for (i, acc) in acc.iter().enumerate() {
        store_row::<S, V>(simd, acc, &mut c[(row + i) * out.n + out.start..][..n], true);
    }
}

/// `C += Aᵀ·A` summed over pixels, on and above the diagonal (what else its tiles reach is right, too): `A` gives `n` numbers
/// for each pixel of `px`, whole vectors of them, which need no packing.
pub fn gemm_symmetric(level: Level, a: &[f32], px: &Pixels, n: usize, c: &mut [f32]) {
    assert!(n.is_multiple_of(lanes(level)), "whole vectors");
    dispatch!(level, simd => symmetric_body(simd, a, px, n, c));
}

#[simd]
fn symmetric_body<S: Simd>(simd: S, a: &[f32], px: &Pixels, n: usize, c: &mut [f32]) {
    let lanes = S::f32s::LEN;
    for (start, width) in panels(n, lanes) {
        let (columns, out) = ((&a[start..], px), Out { n, start });
        match (lanes, width == 2 * lanes) {
            (16, true) => symmetric_panel::<S, 8, 2>(simd, a, columns, out, c),
            (_, true) => symmetric_panel::<S, 4, 2>(simd, a, columns, out, c),
            (_, false) => symmetric_panel::<S, 4, 1>(simd, a, columns, out, c),
        }
    }
}

#[inline(always)]
fn symmetric_panel<S: Simd, const M: usize, const V: usize>(
    simd: S,
    a: &[f32],
    columns: (&[f32], &Pixels),
    out: Out,
    c: &mut [f32],
) {
    for row in (0..out.start + V * S::f32s::LEN).step_by(M) {
        transposed_tile::<S, M, V>(simd, (&a[row..], columns.1), columns, row, out, c);
    }
}
