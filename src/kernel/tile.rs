//! The innermost tiles, where nearly all time goes, and the only unsafe code of the crate.
//!
//! Why unchecked reads: with bounds tests in the loop the same 4 × 8 tile reaches 27–30 GFLOP/s in wasm, without them
//! 38–41. The functions assert every bound once, before their loops, and a debug build, as the tests are, checks each
//! read again (`get_unchecked` does so where debug assertions are on).
#![allow(unsafe_code, reason = "measured above; bounds are asserted at the head of each function")]

use fearless_simd::prelude::*;

/// A contiguous piece of every row of the left operand: `len` numbers, `offset` after the row's own start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// From the row's start.
    pub offset: usize,
    /// Numbers.
    pub len: usize,
}

/// A row's segments, with what [`dot`] must know of them: measured once, not in each of a product's many tiles.
#[derive(Clone, Copy)]
pub(super) struct Segments<'a> {
    list: &'a [Segment],
    /// Numbers in all.
    depth: usize,
    /// Numbers from the row's start to the end of the farthest.
    reach: usize,
}

impl<'a> Segments<'a> {
    pub fn new(list: &'a [Segment]) -> Self {
        let depth = list.iter().map(|s| s.len).sum();
        let reach = list.iter().map(|s| s.offset + s.len).max().unwrap_or(0);
        Self { list, depth, reach }
    }

    /// Panics if a row ends behind `a`, or `b` is too short for so many columns. What reads unchecked relies on it.
    #[inline(always)]
    fn assert_within<T>(&self, a: &[T], rows: &[usize], b: &[T], columns: usize) {
        let last = rows.iter().fold(0, |m, &r| m.max(r));
        assert!(last + self.reach <= a.len() && self.depth * columns <= b.len(), "tile within its operands");
    }

    /// Numbers in all: columns of `A`.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Whether each is a number of whole vectors.
    pub fn whole(&self, lanes: usize) -> bool {
        self.list.iter().all(|s| s.len.is_multiple_of(lanes))
    }
}

/// `M` rows by `V` vectors of `C = A·B`: row `i` of `A` is the concatenated segments that start at `a[rows[i]]`,
/// `b` holds for every column of `A` one group of `V` vectors.
///
/// Panics if a row ends behind `a` or `b` is too short.
#[inline(always)]
pub(super) fn dot<S: Simd, const M: usize, const V: usize>(
    simd: S,
    a: &[f32],
    rows: &[usize; M],
    segments: Segments<'_>,
    b: &[f32],
    mut acc: [[S::f32s; V]; M],
) -> [[S::f32s; V]; M] {
    segments.assert_within(a, rows, b, V * S::f32s::LEN);
    let mut column = 0;
    for s in segments.list {
        let at: [usize; M] = std::array::from_fn(|i| rows[i] + s.offset);
        for k in 0..s.len {
            // SAFETY: b holds V vectors for each of the `depth` columns, by the assertion.
            let bv: [S::f32s; V] = std::array::from_fn(|v| unsafe { load(simd, b, (column * V + v) * S::f32s::LEN) });
            for i in 0..M {
                // SAFETY: rows[i] + offset + k < rows[i] + offset + len ≤ a.len(), by the assertion.
                let av = S::f32s::splat(simd, unsafe { *a.get_unchecked(at[i] + k) });
                for v in 0..V {
                    acc[i][v] = av.mul_add(bv[v], acc[i][v]);
                }
            }
            column += 1;
        }
    }
    acc
}

/// `M` rows by `N` columns of `C = A·B` with the lanes along the depth, for so few columns that they would leave lanes idle:
/// row `i` of `A` is as in [`dot`], `b` holds column after column. Every segment is whole vectors long.
///
/// Panics if a row ends behind `a` or `b` is too short.
#[inline(always)]
pub(super) fn along<S: Simd, const M: usize, const N: usize>(
    simd: S,
    a: &[f32],
    rows: &[usize; M],
    segments: Segments<'_>,
    b: &[f32],
) -> [[f32; N]; M] {
    segments.assert_within(a, rows, b, N);
    let (lanes, depth) = (S::f32s::LEN, segments.depth);
    let mut acc = [[S::f32s::splat(simd, 0.0); N]; M];
    let mut column = 0;
    for s in segments.list {
        let at: [usize; M] = std::array::from_fn(|i| rows[i] + s.offset);
        for k in (0..s.len / lanes).map(|vector| vector * lanes) {
            // SAFETY: column + lanes ≤ depth, and b holds N times as many, by the assertion.
            let bv: [S::f32s; N] = std::array::from_fn(|j| unsafe { load(simd, b, j * depth + column) });
            for i in 0..M {
                // SAFETY: rows[i] + offset + k + lanes ≤ rows[i] + offset + len ≤ a.len(), by the assertion.
                let av = unsafe { load(simd, a, at[i] + k) };
                for j in 0..N {
                    acc[i][j] = av.mul_add(bv[j], acc[i][j]);
                }
            }
            column += lanes;
        }
    }
    acc.map(|row| row.map(|v| v.as_slice().iter().sum()))
}

/// `M` rows by `V` vectors of `C = A·B` over words of two 16-bit numbers, exactly: as [`dot`], with sums of products of pairs.
///
/// Panics if a row ends behind `a` or `b` is too short.
#[inline(always)]
pub(super) fn pairs<S: Simd, const M: usize, const V: usize>(
    simd: S,
    a: &[i32],
    rows: &[usize; M],
    segments: Segments<'_>,
    b: &[i32],
) -> [[S::i32s; V]; M] {
    segments.assert_within(a, rows, b, V * S::i32s::LEN);
    let mut acc = [[S::i32s::splat(simd, 0); V]; M];
    let mut column = 0;
    for s in segments.list {
        let at: [usize; M] = std::array::from_fn(|i| rows[i] + s.offset);
        for k in 0..s.len {
            // SAFETY: b holds V vectors for each of the `depth` columns, by the assertion.
            let bv: [S::i16s; V] =
                std::array::from_fn(|v| unsafe { load_words(simd, b, (column * V + v) * S::i32s::LEN) }.bitcast());
            for i in 0..M {
                // SAFETY: rows[i] + offset + k < rows[i] + offset + len ≤ a.len(), by the assertion.
                let av: S::i16s = S::i32s::splat(simd, unsafe { *a.get_unchecked(at[i] + k) }).bitcast();
                for v in 0..V {
                    acc[i][v] += av.pairwise_dot_product(bv[v]);
                }
            }
            column += 1;
        }
    }
    acc
}

/// Words whose differing bits a lane of 8 bits can count: 31 times 8 is below 256.
const COUNTED: usize = 31;

/// How many bits differ between `M` rows and `V` vectors of columns, over words of 32 bits; operands as in [`dot`].
///
/// Panics if a row ends behind `a` or `b` is too short.
#[inline(always)]
#[allow(
    clippy::needless_range_loop,
    reason = "iterators over arrays of vectors are not inlined, at a fifth of the speed"
)]
pub(super) fn ones<S: Simd, const M: usize, const V: usize>(
    simd: S,
    a: &[i32],
    rows: &[usize; M],
    segments: Segments<'_>,
    b: &[i32],
) -> [[S::i32s; V]; M] {
    segments.assert_within(a, rows, b, V * S::i32s::LEN);
    let mut acc = [[S::i32s::splat(simd, 0); V]; M];
    let mut counts = [[S::u8s::splat(simd, 0); V]; M];
    let (mut column, mut counted) = (0, 0);
    for s in segments.list {
        let at: [usize; M] = std::array::from_fn(|i| rows[i] + s.offset);
        let mut k = 0;
        while k < s.len {
            let end = s.len.min(k + COUNTED - counted);
            counted += end - k;
            while k < end {
                // SAFETY: b holds V vectors for each of the `depth` columns, by the assertion.
                let bv: [S::i32s; V] =
                    std::array::from_fn(|v| unsafe { load_words(simd, b, (column * V + v) * S::i32s::LEN) });
                for i in 0..M {
                    // SAFETY: rows[i] + offset + k < rows[i] + offset + len ≤ a.len(), by the assertion.
                    let av = S::i32s::splat(simd, unsafe { *a.get_unchecked(at[i] + k) });
                    for v in 0..V {
                        let differ: S::u8s = (av ^ bv[v]).bitcast();
                        counts[i][v] += differ.count_ones();
                    }
                }
                column += 1;
                k += 1;
            }
            if counted == COUNTED {
                gather::<S, M, V>(simd, &mut counts, &mut acc);
                counted = 0;
            }
        }
    }
    gather::<S, M, V>(simd, &mut counts, &mut acc);
    acc
}

/// Adds the four counts of each word to its sum, and begins anew.
#[inline(always)]
#[allow(
    clippy::needless_range_loop,
    reason = "iterators over arrays of vectors are not inlined, at a fifth of the speed"
)]
fn gather<S: Simd, const M: usize, const V: usize>(
    simd: S,
    counts: &mut [[S::u8s; V]; M],
    acc: &mut [[S::i32s; V]; M],
) {
    for i in 0..M {
        for v in 0..V {
            let sums: S::u32s = counts[i][v].pairwise_widening_add().pairwise_widening_add();
            acc[i][v] += sums.bitcast::<S::i32s>();
            counts[i][v] = S::u8s::splat(simd, 0);
        }
    }
}

/// Where the pixels of one tap lie: `count` pixels in each of `rows` rows in each of `images` images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pixels {
    /// Numbers from one pixel to the next.
    pub step: usize,
    /// Pixels in a row.
    pub count: usize,
    /// Numbers from one row to the next.
    pub row_step: usize,
    /// Rows in an image.
    pub rows: usize,
    /// Numbers from one image to the next.
    pub image_step: usize,
    /// Images.
    pub images: usize,
}

impl Pixels {
    /// As many pixels one behind another, `step` numbers each.
    pub fn packed(self, step: usize) -> Self {
        let row_step = self.count * step;
        Self { step, row_step, image_step: self.rows * row_step, ..self }
    }

    /// Where the last pixel begins.
    fn last(&self) -> usize {
        (self.images - 1) * self.image_step + (self.rows - 1) * self.row_step + (self.count - 1) * self.step
    }
}

/// `M` rows by `V` vectors of `C = Aᵀ·B`, summed over pixels: a pixel gives `M` neighbouring numbers of `a`, where `px` says,
/// and `V` vectors of `b`, which has as many pixels where `b_px` says.
///
/// Panics if a pixel ends behind `a` or `b` is too short.
#[inline(always)]
pub(super) fn outer<S: Simd, const M: usize, const V: usize>(
    simd: S,
    (a, px): (&[f32], &Pixels),
    (b, b_px): (&[f32], &Pixels),
) -> [[S::f32s; V]; M] {
    let Pixels { count, rows, images, .. } = *px;
    let mut acc = [[S::f32s::splat(simd, 0.0); V]; M];
    if count == 0 || rows == 0 || images == 0 {
        return acc;
    }
    assert!((count, rows, images) == (b_px.count, b_px.rows, b_px.images), "operands of as many pixels");
    assert!(px.last() + M <= a.len(), "tile within its left operand");
    assert!(b_px.last() + V * S::f32s::LEN <= b.len(), "tile within its right operand");
    for image in 0..images {
        for row in 0..rows {
            let mut at = image * px.image_step + row * px.row_step;
            let mut b_at = image * b_px.image_step + row * b_px.row_step;
            for _ in 0..count {
                // SAFETY: b_at is at most the last pixel's, by the third assertion.
                let bv: [S::f32s; V] = std::array::from_fn(|v| unsafe { load(simd, b, b_at + v * S::f32s::LEN) });
                for (i, acc) in acc.iter_mut().enumerate() {
                    // SAFETY: at is at most the last pixel's and i < M, by the second assertion.
                    let av = S::f32s::splat(simd, unsafe { *a.get_unchecked(at + i) });
                    for v in 0..V {
                        acc[v] = av.mul_add(bv[v], acc[v]);
                    }
                }
                at += px.step;
                b_at += b_px.step;
            }
        }
    }
    acc
}

/// A transform along both axes of a square of vectors: `P × P` of them are read from `from`, and `put` gets `Q × Q` places
/// in `to`, one vector wide. Both lie at distances of `(row, column)` numbers.
///
/// Panics if a vector ends behind `from` or `to`.
#[inline(always)]
#[allow(
    clippy::needless_range_loop,
    reason = "iterators over arrays of vectors are not inlined, at a fifth of the speed"
)]
pub(super) fn square<S: Simd, const P: usize, const Q: usize>(
    simd: S,
    (from, from_step): (&[f32], (usize, usize)),
    (to, to_step): (&mut [f32], (usize, usize)),
    transform: impl Fn([S::f32s; P]) -> [S::f32s; Q],
    put: impl Fn(S::f32s, &mut [f32]),
) {
    let lanes = S::f32s::LEN;
    assert!((P - 1) * (from_step.0 + from_step.1) + lanes <= from.len(), "a square within its source");
    assert!((Q - 1) * (to_step.0 + to_step.1) + lanes <= to.len(), "a square within its target");
    let mut half = [[S::f32s::splat(simd, 0.0); P]; Q];
    for j in 0..P {
        let mut column = [S::f32s::splat(simd, 0.0); P];
        for i in 0..P {
            // SAFETY: i and j are at most P − 1, by the first assertion.
            column[i] = unsafe { load(simd, from, i * from_step.0 + j * from_step.1) };
        }
        let column = transform(column);
        for k in 0..Q {
            half[k][j] = column[k];
        }
    }
    for k in 0..Q {
        let row = transform(half[k]);
        for l in 0..Q {
            let at = k * to_step.0 + l * to_step.1;
            // SAFETY: k and l are at most Q − 1, by the second assertion.
            put(row[l], unsafe { to.get_unchecked_mut(at..at + lanes) });
        }
    }
}

/// One vector of words from `b[at..]`.
///
/// # Safety
/// `b` has a vector's words from `at` on.
#[inline(always)]
unsafe fn load_words<S: Simd>(simd: S, b: &[i32], at: usize) -> S::i32s {
    // SAFETY: by this function's own condition.
    S::i32s::from_slice(simd, unsafe { b.get_unchecked(at..at + S::i32s::LEN) })
}

/// One vector from `b[at..]`.
///
/// # Safety
/// `b` has a vector's numbers from `at` on.
#[inline(always)]
unsafe fn load<S: Simd>(simd: S, b: &[f32], at: usize) -> S::f32s {
    // SAFETY: by this function's own condition.
    S::f32s::from_slice(simd, unsafe { b.get_unchecked(at..at + S::f32s::LEN) })
}
