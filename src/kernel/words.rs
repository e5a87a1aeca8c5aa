//! Convolution over words: two 16-bit numbers or 32 signs in each, summed exactly as whole numbers.
//!
//! As in [`super::windows`], a window is a short list of segments, here of words, and no unfolding is done. Sums go into a
//! block of rows that stays in the first level cache and from there, row by row, into what the next layer reads: conversions
//! cost no pass of their own.

use super::Level;
use super::gemm::{Cursor, Rows, lanes, panels};
use super::quantise::round;
use super::tile::{self, Segment, Segments};
use super::windows::{Plane, joined};
use crate::kernel::conv::Geometry;
use crate::shape::Window;
use crate::tensor::Map;
use fearless_simd::{dispatch, prelude::*};
use fearless_simd_macros::simd;

/// What a word holds, and so how two are multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// Two numbers of 16 bits: the sum of their products.
    Pairs,
    /// Signs, a bit for each, 1 for −1: of so many signs in a window, how many more agree than differ. A tail's bits are 0.
    Signs(i32),
}

/// Where the sums go: what becomes of `v = sum · scale + shift`, and what lies there. `scale` and `shift` have a number for each
/// column.
pub enum Put<'a> {
    /// The sums themselves, a word each.
    Sums(&'a mut [i32]),
    /// `v`, or 0 where it is negative and `relu` is asked.
    Numbers(Affine<'a>, bool, &'a mut [f32]),
    /// The whole number next to `v` within these bounds, two to a word.
    Levels(Affine<'a>, (f32, f32), &'a mut [i32]),
    /// The sign of `v`, 32 to a word.
    Signs(Affine<'a>, &'a mut [i32]),
}

/// A factor and a summand for each column.
#[derive(Debug, Clone, Copy)]
pub struct Affine<'a> {
    /// Factors.
    pub scale: &'a [f32],
    /// Summands.
    pub shift: &'a [f32],
}

/// Rows whose sums are held at once: of 64 columns 16 KiB.
const BLOCK: usize = 64;

/// A convolution over maps of words.
#[derive(Debug, Clone)]
pub struct Conv {
    product: Product,
    columns: usize,
    rows: Vec<(u32, u32)>,
    segments: Vec<Segment>,
    /// Words from one image to the next.
    steps: (usize, usize),
    packed: Vec<i32>,
}

impl Conv {
    /// Tables for a window over `x`, whose halo is at least the padding, into `y` with `columns` outputs. Channels of both maps are
    /// words; those of `y` are what a [`Put`] needs.
    pub fn new(product: Product, window: Window, x: Map, y: Map, columns: usize) -> Self {
        let plane = Plane::forward(&Geometry { window, groups: 1, x, y });
        let segments = joined(plane.taps.iter().map(|&(_, offset)| Segment { offset, len: x.shape.c }));
        Self { product, columns, rows: plane.rows, segments, steps: (x.len(), y.len()), packed: Vec::new() }
    }

    /// Packs weights: `word(row, column)`, whose rows are the words of a window, taps in order and each with the words of a pixel.
    pub fn pack(&mut self, level: Level, word: impl Fn(usize, usize) -> i32) {
        let depth: usize = self.segments.iter().map(|s| s.len).sum();
        self.packed.clear();
        for (start, width) in panels(self.columns, lanes(level)) {
            for row in 0..depth {
                let columns = start..start + width;
                self.packed.extend(columns.map(|column| if column < self.columns { word(row, column) } else { 0 }));
            }
        }
    }

    /// Words of workspace that [`Conv::run`] needs.
    pub fn workspace(&self) -> usize {
        BLOCK * self.columns
    }

    /// The convolution of `n` images. The output's halo is left alone.
    ///
    /// Panics if anything ends outside its slice.
    pub fn run(&self, level: Level, n: usize, x: &[i32], put: &mut Put<'_>, work: &mut [i32]) {
        let rows = Rows { table: &self.rows, images: n, a_step: self.steps.0, c_step: self.steps.1 };
        let job = Job { a: x, rows, segments: Segments::new(&self.segments), b: &self.packed, n: self.columns };
        let work = &mut work[..self.workspace()];
        match self.product {
            Product::Pairs => dispatch!(level, simd => body(simd, Pairs, &job, put, work)),
            Product::Signs(count) => dispatch!(level, simd => body(simd, Signs(count), &job, put, work)),
        }
    }
}

struct Job<'a> {
    a: &'a [i32],
    rows: Rows<'a>,
    segments: Segments<'a>,
    b: &'a [i32],
    n: usize,
}

/// One of the two products, at the size of a tile.
trait Tile: Copy {
    fn sums<S: Simd, const M: usize, const V: usize>(
        self,
        simd: S,
        job: &Job<'_>,
        rows: &[usize; M],
        panel: &[i32],
    ) -> [[S::i32s; V]; M];
}

#[derive(Clone, Copy)]
struct Pairs;

impl Tile for Pairs {
    #[inline(always)]
    fn sums<S: Simd, const M: usize, const V: usize>(
        self,
        simd: S,
        job: &Job<'_>,
        rows: &[usize; M],
        panel: &[i32],
    ) -> [[S::i32s; V]; M] {
        tile::pairs::<S, M, V>(simd, job.a, rows, job.segments, panel)
    }
}

#[derive(Clone, Copy)]
struct Signs(i32);

impl Tile for Signs {
    #[inline(always)]
    #[allow(
        clippy::needless_range_loop,
        reason = "iterators over arrays of vectors are not inlined, at a fifth of the speed"
    )]
    fn sums<S: Simd, const M: usize, const V: usize>(
        self,
        simd: S,
        job: &Job<'_>,
        rows: &[usize; M],
        panel: &[i32],
    ) -> [[S::i32s; V]; M] {
        let mut sums = tile::ones::<S, M, V>(simd, job.a, rows, job.segments, panel);
        let count = S::i32s::splat(simd, self.0);
        for i in 0..M {
            for v in 0..V {
                sums[i][v] = count - sums[i][v] - sums[i][v];
            }
        }
        sums
    }
}

/// Block by block: the sums of all panels, then what becomes of them.
#[simd]
fn body<S: Simd, T: Tile>(simd: S, tile: T, job: &Job<'_>, put: &mut Put<'_>, work: &mut [i32]) {
    let (lanes, depth, n) = (S::i32s::LEN, job.segments.depth(), job.n);
    let mut cursor = Cursor { rows: job.rows, row: 0, a: 0, c: 0 };
    let mut left = job.rows.table.len() * job.rows.images;
    let (mut starts, mut ends) = ([0; BLOCK], [0; BLOCK]);
    while left > 0 {
        let count = left.min(BLOCK);
        for i in 0..count {
            (starts[i], ends[i]) = cursor.next();
        }
        let mut b = job.b;
        for (start, width) in panels(n, lanes) {
            let (panel, rest) = b.split_at(depth * width);
            b = rest;
            let starts = &starts[..count];
            match (lanes, width == 2 * lanes) {
                (16, true) => panel_rows::<S, T, 8, 2>(simd, tile, job, starts, panel, start, work),
                (_, true) => panel_rows::<S, T, 4, 2>(simd, tile, job, starts, panel, start, work),
                (_, false) => panel_rows::<S, T, 8, 1>(simd, tile, job, starts, panel, start, work),
            }
        }
        for (sums, at) in work.chunks_exact(n).zip(&ends[..count]) {
            put_row(put, sums, *at);
        }
        left -= count;
    }
}

/// The rows of a block in one panel: tiles of `M`, then single ones.
#[inline(always)]
fn panel_rows<S: Simd, T: Tile, const M: usize, const V: usize>(
    simd: S,
    tile: T,
    job: &Job<'_>,
    starts: &[usize],
    panel: &[i32],
    start: usize,
    work: &mut [i32],
) {
    let (tiles, rest) = starts.as_chunks::<M>();
    for (i, rows) in tiles.iter().enumerate() {
        let sums = tile.sums::<S, M, V>(simd, job, rows, panel);
        keep::<S, M, V>(simd, &sums, job.n, start, &mut work[i * M * job.n..]);
    }
    for (i, row) in rest.iter().enumerate() {
        let sums = tile.sums::<S, 1, V>(simd, job, &[*row], panel);
        keep::<S, 1, V>(simd, &sums, job.n, start, &mut work[(tiles.len() * M + i) * job.n..]);
    }
}

/// Keeps a tile's sums among those of their rows.
#[inline(always)]
fn keep<S: Simd, const M: usize, const V: usize>(
    _: S,
    sums: &[[S::i32s; V]; M],
    n: usize,
    start: usize,
    work: &mut [i32],
) {
    let lanes = S::i32s::LEN;
    for (i, row) in sums.iter().enumerate() {
        let out = &mut work[i * n + start..(i + 1) * n];
        for (v, vector) in row.iter().enumerate() {
            let out = &mut out[(v * lanes).min(n - start)..];
            match out.len() >= lanes {
                true => vector.store_slice(&mut out[..lanes]),
                false => out.copy_from_slice(&vector.as_slice()[..out.len()]),
            }
        }
    }
}

/// Puts one row's sums where they go.
#[inline(always)]
fn put_row(put: &mut Put<'_>, sums: &[i32], at: usize) {
    match put {
        Put::Sums(out) => out[at..at + sums.len()].copy_from_slice(sums),
        Put::Numbers(affine, relu, out) => {
            let out = &mut out[at..at + sums.len()];
            let least = if *relu { 0.0 } else { f32::NEG_INFINITY };
            for (((out, sum), scale), shift) in out.iter_mut().zip(sums).zip(affine.scale).zip(affine.shift) {
                *out = (*sum as f32 * scale + shift).max(least);
            }
        }
        Put::Levels(Affine { scale, shift }, (lo, hi), out) => {
            let out = &mut out[at..at + sums.len().div_ceil(2)];
            let level = |i: usize| round((sums[i] as f32 * scale[i] + shift[i]).max(*lo).min(*hi)) as i32;
            let pairs = sums.len() / 2;
            let (sums, scale, shift) = (sums.as_chunks::<2>().0, scale.as_chunks::<2>().0, shift.as_chunks::<2>().0);
            for (((out, sums), scale), shift) in out.iter_mut().zip(sums).zip(scale).zip(shift) {
                let [a, b] = [0, 1].map(|k| round((sums[k] as f32 * scale[k] + shift[k]).max(*lo).min(*hi)));
                *out = pair(a as i32, b as i32);
            }
            if out.len() > pairs {
                out[pairs] = pair(level(2 * pairs), 0);
            }
        }
        Put::Signs(Affine { scale, shift }, out) => {
            for (i, sums) in sums.chunks(32).enumerate() {
                let mut word = 0;
                for (bit, sum) in sums.iter().enumerate() {
                    let v = *sum as f32 * scale[32 * i + bit] + shift[32 * i + bit];
                    word |= i32::from(v < 0.0) << bit;
                }
                out[at + i] = word;
            }
        }
    }
}

/// Two numbers of 16 bits in a word.
#[inline(always)]
pub fn pair(low: i32, high: i32) -> i32 {
    (high << 16) | (low & 0xffff)
}

/// The two numbers of a word.
#[inline(always)]
pub fn unpair(word: i32) -> [i32; 2] {
    [i32::from(word as i16), word >> 16]
}
