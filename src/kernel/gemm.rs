//! Matrix products over rows that lie anywhere in memory.
//!
//! `gemm` computes `C (+)= A·B`. A row of `A` is a list of [`Segment`]s behind a start of its own, so the windows of
//! a convolution are rows without being copied, and they may overlap. `B` is packed into panels as wide as the
//! tile, zero-padded. `gemm_transposed` computes `C += Aᵀ·B` over pixels: a weight gradient. `gemm_symmetric` computes
//! `C += Aᵀ·A`: a Gram matrix.

mod transposed;

pub use transposed::{gemm_symmetric, gemm_transposed};

use super::Level;
use super::act::relu_backward;
use super::tile::{self, Segment, Segments};
use fearless_simd::{Simd, SimdBase, dispatch};
use fearless_simd_macros::simd;

/// Widest tile of any level, in numbers: two AVX-512 vectors.
pub const WIDEST: usize = 32;

/// Numbers in one vector at this level.
pub fn lanes(level: Level) -> usize {
    fn of<S: Simd>(_: S) -> usize {
        S::f32s::LEN
    }
    dispatch!(level, simd => of(simd))
}

/// Numbers that `pack` writes for a `k × n` operand.
pub fn packed_len(level: Level, k: usize, n: usize) -> usize {
    k * n.next_multiple_of(lanes(level))
}

/// Packs the `k × n` operand whose element is `b(row, column)` into panels of two vectors; the last panel may have
/// one. Columns beyond `n` are zero.
pub fn pack(level: Level, k: usize, n: usize, b: impl Fn(usize, usize) -> f32, packed: &mut [f32]) {
    let lanes = lanes(level);
    let mut at = 0;
    for (start, width) in panels(n, lanes) {
        for row in 0..k {
            for (j, v) in packed[at..at + width].iter_mut().enumerate() {
                *v = if start + j < n { b(row, start + j) } else { 0.0 };
            }
            at += width;
        }
    }
}

/// As [`pack`] for an operand whose rows of `n` numbers lie somewhere as slices: a copy, several times as fast.
pub fn pack_rows<'a>(level: Level, n: usize, rows: impl Iterator<Item = &'a [f32]> + Clone, packed: &mut [f32]) {
    let mut at = 0;
    for (start, width) in panels(n, lanes(level)) {
        let used = width.min(n - start);
        for row in rows.clone() {
            let out = &mut packed[at..at + width];
            // By fours: for so few numbers the call of a copy of any length costs more than the copy.
            let ((from, from_tail), (to, to_tail)) =
                (row[start..start + used].as_chunks::<4>(), out[..used].as_chunks_mut::<4>());
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            to_tail.iter_mut().zip(from_tail).for_each(|(to, from)| *to = *from);
            out[used..].fill(0.0);
            at += width;
        }
    }
}

/// First column and width of each panel.
pub(super) fn panels(n: usize, lanes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).step_by(2 * lanes).map(move |start| (start, if n - start > lanes { 2 * lanes } else { lanes }))
}

/// Where the rows of `A` and `C` begin: one table for an image, repeated for every image at a fixed distance.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    /// Start in `A` and start in `C`, one pair for each row of one image.
    pub table: &'a [(u32, u32)],
    /// Images.
    pub images: usize,
    /// Numbers from one image to the next in `A`.
    pub a_step: usize,
    /// Numbers from one image to the next in `C`.
    pub c_step: usize,
}

/// What the store does with the product.
#[derive(Debug, Clone, Copy)]
pub enum Store<'a> {
    /// `C = A·B + bias`, then ReLU if asked.
    Set {
        /// One number for each column.
        bias: Option<&'a [f32]>,
        /// Whether negative results become zero.
        relu: bool,
    },
    /// `C += A·B`.
    Add,
    /// `C = A·B` or `C += A·B`, and then 0 where `y`, laid out as `C`, is not above 0: the way back through the ReLU that made
    /// `y`.
    Through {
        /// Whether `C` is set.
        first: bool,
        /// What the ReLU made.
        y: &'a [f32],
    },
}

impl Store<'_> {
    /// `C = A·B`.
    pub const SET: Self = Self::Set { bias: None, relu: false };

    /// Whether what is there is added to.
    pub(super) fn adds(self) -> bool {
        matches!(self, Self::Add | Self::Through { first: false, .. })
    }

    /// The same for some of the columns.
    pub fn columns(self, columns: std::ops::Range<usize>) -> Self {
        match self {
            Self::Set { bias, relu } => Self::Set { bias: bias.map(|b| &b[columns]), relu },
            Self::Add => Self::Add,
            Self::Through { first, y } => Self::Through { first, y: &y[columns.start..] },
        }
    }
}

/// `C (+)= A·B`: for each row, `n` results beside one another from the row's start in `c`.
///
/// `b` is packed by [`pack`] with as many rows as the segments hold numbers. Panics if anything ends outside its
/// slice.
#[allow(clippy::too_many_arguments, reason = "the operands of a matrix product, each with its extent")]
pub fn gemm(
    level: Level,
    a: &[f32],
    rows: Rows<'_>,
    segments: &[Segment],
    b: &[f32],
    n: usize,
    store: Store<'_>,
    c: &mut [f32],
) {
    let plain = match store {
        Store::Through { first: true, .. } => Store::SET,
        Store::Through { first: false, .. } => Store::Add,
        store => store,
    };
    let product = Product { a, rows, segments: Segments::new(segments), b, n, store: plain };
    dispatch!(level, simd => product_body(simd, &product, c));
    if let Store::Through { y, .. } = store {
        // Not in the tiles' own stores: the module that reads would be 4 % larger, for what layers ask of minimal filtering.
        for image in 0..rows.images {
            for (_, row) in rows.table {
                let at = image * rows.c_step + *row as usize;
                relu_backward(level, &y[at..at + n], &mut c[at..at + n]);
            }
        }
    }
}

struct Product<'a> {
    a: &'a [f32],
    rows: Rows<'a>,
    segments: Segments<'a>,
    b: &'a [f32],
    n: usize,
    store: Store<'a>,
}

/// Tile shapes are data of the level. 4 lanes (wasm, SSE, NEON): 4 × 2 vectors; 6 × 2 and 3 × 4 spill in V8 and
/// fall to half the speed. 8 × 1 for narrow outputs: in 4 × 1 each sum waits for the one before it. AVX2 has 16
/// registers: 6 × 2. AVX-512 has 32: 8 × 2, and 14 × 1 for narrow outputs.
#[simd]
fn product_body<S: Simd>(simd: S, p: &Product<'_>, c: &mut [f32]) {
    let lanes = S::f32s::LEN;
    let depth = p.segments.depth();
    if p.n == COLOURS && p.rows.table.len() >= MANY && COLOURS * depth <= DEEPEST && p.segments.whole(lanes) {
        return colour_rows(simd, p, c);
    }
    let mut b = p.b;
    for (start, width) in panels(p.n, lanes) {
        let (panel, rest) = b.split_at(depth * width);
        b = rest;
        match (lanes, width == 2 * lanes) {
            (16, true) => panel_rows::<S, 8, 4, 2>(simd, p, panel, start, c),
            (16, false) => panel_rows::<S, 14, 7, 1>(simd, p, panel, start, c),
            (8, true) => panel_rows::<S, 6, 3, 2>(simd, p, panel, start, c),
            (8, false) => panel_rows::<S, 12, 4, 1>(simd, p, panel, start, c),
            (_, true) => panel_rows::<S, 4, 2, 2>(simd, p, panel, start, c),
            (_, false) => panel_rows::<S, 8, 4, 1>(simd, p, panel, start, c),
        }
    }
}

/// All rows of one panel: tiles of `M` rows, then of `H`, then single ones.
#[inline(always)]
fn panel_rows<S: Simd, const M: usize, const H: usize, const V: usize>(
    simd: S,
    p: &Product<'_>,
    panel: &[f32],
    start: usize,
    c: &mut [f32],
) {
    let mut left = p.rows.table.len() * p.rows.images;
    let mut at = Cursor { rows: p.rows, row: 0, a: 0, c: 0 };
    let first = first_sums::<S, V>(simd, p, start);
    while left >= M {
        rows_tile::<S, M, V>(simd, p, &mut at, panel, start, first, c);
        left -= M;
    }
    while left >= H {
        rows_tile::<S, H, V>(simd, p, &mut at, panel, start, first, c);
        left -= H;
    }
    for _ in 0..left {
        rows_tile::<S, 1, V>(simd, p, &mut at, panel, start, first, c);
    }
}

/// What every row's sums begin at: the bias of the panel that begins at column `start`, or 0. Laid out once for all tiles: where the
/// depth is nine products, as behind one channel, it would take longer than they do.
#[inline(always)]
fn first_sums<S: Simd, const V: usize>(simd: S, p: &Product<'_>, start: usize) -> [S::f32s; V] {
    let mut padded = [0.0; WIDEST];
    if let Store::Set { bias: Some(bias), .. } = p.store {
        let n = (p.n - start).min(V * S::f32s::LEN);
        padded[..n].copy_from_slice(&bias[start..start + n]);
    }
    std::array::from_fn(|v| S::f32s::from_slice(simd, &padded[v * S::f32s::LEN..][..S::f32s::LEN]))
}

/// Columns of a product that makes a picture, or its gradient.
const COLOURS: usize = 3;
/// Rows of one image from which on it pays to turn the right operand.
const MANY: usize = 64;
/// Numbers of the right operand that are turned on the stack.
const DEEPEST: usize = 4096;

/// A product of three columns. A panel of one vector would leave one lane of four idle, or thirteen of sixteen, and each
/// number of `A` would be loaded for one product alone: with the lanes along the depth it is loaded for three.
#[inline(always)]
fn colour_rows<S: Simd>(simd: S, p: &Product<'_>, c: &mut [f32]) {
    let (lanes, depth) = (S::f32s::LEN, p.segments.depth());
    let mut turned = [0.0; DEEPEST];
    for (k, row) in p.b.chunks_exact(lanes).enumerate() {
        for (j, v) in row[..COLOURS].iter().enumerate() {
            turned[j * depth + k] = *v;
        }
    }
    const TILE: usize = 3;
    let b = &turned[..COLOURS * depth];
    let mut left = p.rows.table.len() * p.rows.images;
    let mut at = Cursor { rows: p.rows, row: 0, a: 0, c: 0 };
    while left >= TILE {
        colour_tile::<S, TILE>(simd, p, &mut at, b, c);
        left -= TILE;
    }
    for _ in 0..left {
        colour_tile::<S, 1>(simd, p, &mut at, b, c);
    }
}

#[inline(always)]
fn colour_tile<S: Simd, const M: usize>(simd: S, p: &Product<'_>, at: &mut Cursor<'_>, b: &[f32], c: &mut [f32]) {
    let (mut a_rows, mut c_rows) = ([0; M], [0; M]);
    for i in 0..M {
        (a_rows[i], c_rows[i]) = at.next();
    }
    let sums = tile::along::<S, M, COLOURS>(simd, p.a, &a_rows, p.segments, b);
    for (row, sums) in c_rows.into_iter().zip(sums) {
        for (j, (out, sum)) in c[row..][..COLOURS].iter_mut().zip(sums).enumerate() {
            *out = match p.store {
                Store::Set { bias, relu } => {
                    let v = sum + bias.map_or(0.0, |bias| bias[j]);
                    if relu { v.max(0.0) } else { v }
                }
                _ => *out + sum,
            };
        }
    }
}

pub(super) struct Cursor<'a> {
    pub rows: Rows<'a>,
    pub row: usize,
    pub a: usize,
    pub c: usize,
}

impl Cursor<'_> {
    #[inline(always)]
    pub(super) fn next(&mut self) -> (usize, usize) {
        if self.row == self.rows.table.len() {
            self.row = 0;
            self.a += self.rows.a_step;
            self.c += self.rows.c_step;
        }
        let (a, c) = self.rows.table[self.row];
        self.row += 1;
        (self.a + a as usize, self.c + c as usize)
    }
}

#[inline(always)]
fn rows_tile<S: Simd, const M: usize, const V: usize>(
    simd: S,
    p: &Product<'_>,
    at: &mut Cursor<'_>,
    panel: &[f32],
    start: usize,
    first: [S::f32s; V],
    c: &mut [f32],
) {
    let n = (p.n - start).min(V * S::f32s::LEN);
    let (mut a_rows, mut c_rows) = ([0; M], [0; M]);
    for i in 0..M {
        (a_rows[i], c_rows[i]) = at.next();
    }
    let mut acc = tile::dot(simd, p.a, &a_rows, p.segments, panel, [first; M]);
    if let Store::Set { relu: true, .. } = p.store {
        let zero = S::f32s::splat(simd, 0.0);
        for v in acc.as_flattened_mut() {
            *v = v.max(zero);
        }
    }
    let add = matches!(p.store, Store::Add);
    for i in 0..M {
        store_row::<S, V>(simd, &acc[i], &mut c[c_rows[i] + start..][..n], add);
    }
}

/// Writes the first `out.len()` numbers of `V` vectors.
#[inline(always)]
fn store_row<S: Simd, const V: usize>(simd: S, acc: &[S::f32s; V], out: &mut [f32], add: bool) {
    let lanes = S::f32s::LEN;
    if out.len() == V * lanes {
        for (v, out) in acc.iter().zip(out.chunks_exact_mut(lanes)) {
            let value = if add { S::f32s::from_slice(simd, out) + *v } else { *v };
            value.store_slice(out);
        }
        return;
    }
    let mut row = [0.0; WIDEST];
    for (v, out) in acc.iter().zip(row.chunks_exact_mut(lanes)) {
        v.store_slice(out);
    }
    for (out, v) in out.iter_mut().zip(&row) {
        *out = if add { *out + *v } else { *v };
    }
}
