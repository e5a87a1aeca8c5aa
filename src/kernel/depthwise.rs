//! Depthwise convolution: every channel with a filter of its own.
//!
//! As a matrix product it would be one of a single column for each channel. Here lanes run along the channels instead and
//! a tap is one multiplication of vectors: four output pixels share the load of a filter's tap. Forward, and backward for
//! each phase of the stride, are the same loop over a table of pixels and a list of taps (see [`super::conv`]).

use super::lanes::{load, store};
use crate::shape::Window;
use crate::tensor::Map;
use fearless_simd::{Level, dispatch, prelude::*};
use fearless_simd_macros::simd;

/// Pixels whose channels are done one vector after another: their windows stay in the first-level cache.
const BLOCK: usize = 64;

/// A depthwise convolution over planned layouts, with its filters and the sums of their gradients.
#[derive(Debug, Clone)]
pub struct Depthwise {
    x: Map,
    y: Map,
    /// Layouts of the gradients of input and output.
    gradients: (Map, Map),
    forward: Pass,
    /// Input pixels that see the same taps, by phase of the stride.
    backward: Vec<Pass>,
    taps: usize,
    /// Taps one after another, channels beside each other, padded to whole vectors.
    filters: Vec<f32>,
    sums: Vec<f32>,
}

/// Which pixels of one map are made of which of another.
#[derive(Debug, Clone)]
struct Pass {
    /// Where a pixel's window begins, and where the pixel is.
    rows: Vec<(u32, u32)>,
    /// A tap's distance from the window's beginning, and its number.
    taps: Vec<(usize, usize)>,
}

/// What is done with a result.
#[derive(Clone, Copy)]
struct Finish<'a> {
    bias: Option<&'a [f32]>,
    relu: bool,
    add: bool,
}

impl Depthwise {
    /// Tables for these layouts. The input's halo is at least the padding, the output gradient's at least what
    /// [`super::conv::Geometry::gradient_halo`] says if the input's gradient `dx` is wanted, too.
    pub fn new(window: Window, x: Map, y: Map, dx: Option<Map>, dy: Option<Map>) -> Self {
        assert_eq!(x.shape.c, y.shape.c);
        let (sy, sx) = window.stride;
        let phase = |(dx, dy): (Map, Map)| (0..sy * sx).map(move |p| Pass::backward(window, &dx, &dy, p / sx, p % sx));
        Self {
            x,
            y,
            gradients: (dx.unwrap_or(x), dy.unwrap_or(y)),
            forward: Pass::forward(window, &x, &y),
            backward: dx.zip(dy).into_iter().flat_map(phase).collect(),
            taps: window.kernel.0 * window.kernel.1,
            filters: Vec::new(),
            sums: Vec::new(),
        }
    }

    /// Takes new filters, which the arena keeps channel after channel.
    pub fn pack(&mut self, filters: &[f32]) {
        let padded = padded(self.x.shape.c);
        self.filters.resize(self.taps * padded, 0.0);
        for (c, filter) in filters.chunks_exact(self.taps).enumerate() {
            for (tap, w) in filter.iter().enumerate() {
                self.filters[tap * padded + c] = *w;
            }
        }
    }

    /// `y = conv(x) + bias`, then ReLU if asked, for `n` images.
    pub fn run(&self, level: Level, n: usize, x: &[f32], bias: Option<&[f32]>, relu: bool, y: &mut [f32]) {
        let (from, to) = (&self.x, &self.y);
        for (x, y) in x.chunks_exact(from.len()).zip(y.chunks_exact_mut(to.len())).take(n) {
            let finish = Finish { bias, relu, add: false };
            dispatch!(level, simd => pass_body(simd, &self.forward, &self.filters, from.shape.c, x, finish, y));
        }
    }

    /// Sets `dx`, or adds to it, for `n` images.
    pub fn input_gradient(&self, level: Level, n: usize, dy: &[f32], add: bool, dx: &mut [f32]) {
        let (to, from) = (&self.gradients.0, &self.gradients.1);
        for (dy, dx) in dy.chunks_exact(from.len()).zip(dx.chunks_exact_mut(to.len())).take(n) {
            let finish = Finish { bias: None, relu: false, add };
            for pass in &self.backward {
                dispatch!(level, simd => pass_body(simd, pass, &self.filters, to.shape.c, dy, finish, dx));
            }
        }
    }

    /// Adds the gradient of the filters, in the arena's order, for `n` images.
    pub fn weight_gradient(&mut self, level: Level, n: usize, x: &[f32], dy: &[f32], dw: &mut [f32]) {
        let (map, dymap, c) = (self.x, self.gradients.1, self.x.shape.c);
        self.sums.resize(self.taps * padded(c), 0.0);
        self.sums.fill(0.0);
        for (x, dy) in x.chunks_exact(map.len()).zip(dy.chunks_exact(dymap.len())).take(n) {
            dispatch!(level, simd => weight_body(simd, &self.forward, &self.y, &dymap, c, x, dy, &mut self.sums));
        }
        for (c, filter) in dw.chunks_exact_mut(self.taps).enumerate() {
            for (w, sums) in filter.iter_mut().zip(self.sums.chunks_exact(padded(map.shape.c))) {
                *w += sums[c];
            }
        }
    }
}

/// Room for channels in whole vectors of any level.
fn padded(c: usize) -> usize {
    c.next_multiple_of(16)
}

impl Pass {
    fn forward(window: Window, x: &Map, y: &Map) -> Self {
        let Window { kernel, stride, pad, dilation } = window;
        let start = (x.halo.0 - pad.0) * x.row() + (x.halo.1 - pad.1) * x.shape.c;
        let pixels = (0..y.shape.h).flat_map(|oy| (0..y.shape.w).map(move |ox| (oy, ox)));
        let row = |(oy, ox): (usize, usize)| {
            let window = start + oy * stride.0 * x.row() + ox * stride.1 * x.shape.c;
            (window as u32, y.at(oy, ox) as u32)
        };
        let offset = |t: usize| (t / kernel.1) * dilation.0 * x.row() + (t % kernel.1) * dilation.1 * x.shape.c;
        Self { rows: pixels.map(row).collect(), taps: (0..kernel.0 * kernel.1).map(|t| (offset(t), t)).collect() }
    }

    /// The input pixels `(y, x)` with `(y + pad) % stride = py` and `(x + pad) % stride = px`.
    fn backward(window: Window, dx: &Map, dy: &Map, py: usize, px: usize) -> Self {
        let Window { kernel, stride, pad, dilation } = window;
        // Tap k of pixel y reads output (y + pad − k·dilation) / stride, if that divides: k·dilation ≡ py.
        let sees = |k: usize, d: usize, s: usize, p: usize| (k * d) % s == p;
        let back = |t: usize| ((t / kernel.1) * dilation.0 / stride.0, (t % kernel.1) * dilation.1 / stride.1);
        let mut taps: Vec<usize> = (0..kernel.0 * kernel.1).collect();
        taps.retain(|t| sees(t / kernel.1, dilation.0, stride.0, py) && sees(t % kernel.1, dilation.1, stride.1, px));
        // Offsets are taken from the output pixel of the farthest tap.
        let far = taps.last().map_or((0, 0), |&t| back(t));
        let mut rows = Vec::new();
        for y in (0..dx.shape.h).filter(|y| (y + pad.0) % stride.0 == py) {
            for x in (0..dx.shape.w).filter(|x| (x + pad.1) % stride.1 == px) {
                let (oy, ox) = (dy.halo.0 + (y + pad.0) / stride.0, dy.halo.1 + (x + pad.1) / stride.1);
                // No output ever saw pixels without taps: they become zero.
                let seen = if taps.is_empty() { 0 } else { (oy - far.0) * dy.row() + (ox - far.1) * dy.shape.c };
                rows.push((seen as u32, dx.at(y, x) as u32));
            }
        }
        let offset = |t: usize| (far.0 - back(t).0) * dy.row() + (far.1 - back(t).1) * dy.shape.c;
        Self { rows, taps: taps.iter().map(|&t| (offset(t), t)).collect() }
    }
}

#[simd]
fn pass_body<S: Simd>(simd: S, p: &Pass, filters: &[f32], c: usize, a: &[f32], finish: Finish, out: &mut [f32]) {
    for rows in p.rows.chunks(BLOCK) {
        for k in (0..c).step_by(S::f32s::LEN) {
            let len = S::f32s::LEN.min(c - k);
            let (fours, rest) = rows.as_chunks::<4>();
            for four in fours {
                pixels::<S, 4>(simd, four, &p.taps, filters, (c, k, len), a, finish, out);
            }
            for row in rest {
                pixels::<S, 1>(simd, std::array::from_ref(row), &p.taps, filters, (c, k, len), a, finish, out);
            }
        }
    }
}

/// `M` pixels of the channels from `k` on.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "one tile of a pass")]
fn pixels<S: Simd, const M: usize>(
    simd: S,
    rows: &[(u32, u32); M],
    taps: &[(usize, usize)],
    filters: &[f32],
    (c, k, len): (usize, usize, usize),
    a: &[f32],
    finish: Finish,
    out: &mut [f32],
) {
    let zero = S::f32s::splat(simd, 0.0);
    let mut acc = [finish.bias.map_or(zero, |bias| load(simd, &bias[k..k + len])); M];
    for &(offset, tap) in taps {
        let filter = S::f32s::from_slice(simd, &filters[tap * padded(c) + k..][..S::f32s::LEN]);
        for i in 0..M {
            acc[i] = load(simd, &a[rows[i].0 as usize + offset + k..][..len]).mul_add(filter, acc[i]);
        }
    }
    for i in 0..M {
        let out = &mut out[rows[i].1 as usize + k..][..len];
        let value = if finish.relu { acc[i].max(zero) } else { acc[i] };
        store::<S>(if finish.add { load(simd, out) + value } else { value }, out);
    }
}

/// Adds one image's products to `sums`. A block's are summed in registers first, so that rounding grows with the blocks.
#[simd]
#[allow(clippy::too_many_arguments, reason = "two images with their layouts")]
fn weight_body<S: Simd>(simd: S, p: &Pass, y: &Map, dymap: &Map, c: usize, x: &[f32], dy: &[f32], sums: &mut [f32]) {
    for (block, rows) in p.rows.chunks(BLOCK).enumerate() {
        for k in (0..c).step_by(S::f32s::LEN) {
            let len = S::f32s::LEN.min(c - k);
            let place = |i: usize| {
                let pixel = block * BLOCK + i;
                dymap.at(pixel / y.shape.w, pixel % y.shape.w) + k
            };
            let (fours, rest) = p.taps.as_chunks::<4>();
            for four in fours {
                taps::<S, 4>(simd, rows, four, (c, k, len), x, dy, place, sums);
            }
            for tap in rest {
                taps::<S, 1>(simd, rows, std::array::from_ref(tap), (c, k, len), x, dy, place, sums);
            }
        }
    }
}

/// The products of `T` taps over a block of pixels.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "one tile of a weight gradient")]
fn taps<S: Simd, const T: usize>(
    simd: S,
    rows: &[(u32, u32)],
    taps: &[(usize, usize); T],
    (c, k, len): (usize, usize, usize),
    x: &[f32],
    dy: &[f32],
    place: impl Fn(usize) -> usize,
    sums: &mut [f32],
) {
    let mut acc = [S::f32s::splat(simd, 0.0); T];
    for (i, row) in rows.iter().enumerate() {
        let dy = load(simd, &dy[place(i)..][..len]);
        for t in 0..T {
            acc[t] = load(simd, &x[row.0 as usize + taps[t].0 + k..][..len]).mul_add(dy, acc[t]);
        }
    }
    for t in 0..T {
        let sum = &mut sums[taps[t].1 * padded(c) + k..][..S::f32s::LEN];
        store::<S>(load(simd, sum) + acc[t], sum);
    }
}
