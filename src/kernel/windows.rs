//! Any convolution as matrix products over overlapping windows: no unfolding, no bounds tests.
//!
//! In NHWC with a halo of zeros, what one filter row sees is contiguous, so a window is a short list of segments and
//! [`gemm`] takes windows as rows. The same holds backwards. The input gradient of stride 1 is such a product over
//! the gradient of the output; with stride `s` the input pixels fall into `s × s` phases, each seeing its own taps.
//! The weight gradient sums, over pixels, what a tap sees times the output's gradient: [`gemm_transposed`].

use super::Level;
use super::conv::Geometry;
use super::gemm::{Rows, Store, gemm, gemm_transposed, pack, pack_rows, packed_len};
use super::tile::{Pixels, Segment};
use crate::shape::Window;

/// Joins segments that follow one another in memory: a filter row, or a whole filter over an unpadded map.
pub(super) fn joined(taps: impl Iterator<Item = Segment>) -> Vec<Segment> {
    let mut out: Vec<Segment> = Vec::new();
    for s in taps {
        match out.last_mut() {
            Some(last) if last.offset + last.len == s.offset => last.len += s.len,
            _ => out.push(s),
        }
    }
    out
}

/// One pass over pixels: where each row begins in what is read and in what is written, and for each tap
/// `(ky·kw + kx)` that these rows see, in the order of their segments, how far behind a row's beginning it lies.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    pub rows: Vec<(u32, u32)>,
    pub taps: Vec<(usize, usize)>,
}

impl Plane {
    /// The output's pixels over the input's. The input's halo must be at least the padding.
    pub fn forward(g: &Geometry) -> Self {
        let Geometry { window, x, y, .. } = g;
        let start = (x.halo.0 - window.pad.0) * x.row() + (x.halo.1 - window.pad.1) * x.shape.c;
        let mut rows = Vec::with_capacity(y.shape.h * y.shape.w);
        for oy in 0..y.shape.h {
            for ox in 0..y.shape.w {
                let a = start + oy * window.stride.0 * x.row() + ox * window.stride.1 * x.shape.c;
                rows.push((a as u32, y.at(oy, ox) as u32));
            }
        }
        let offset = |i: usize| {
            let (ky, kx) = (i / window.kernel.1, i % window.kernel.1);
            ky * window.dilation.0 * x.row() + kx * window.dilation.1 * x.shape.c
        };
        Self { rows, taps: (0..g.taps()).map(|i| (i, offset(i))).collect() }
    }

    /// The input's pixels over the output's gradients, whose maps these are: a pass for each phase of the stride, in
    /// which all pixels see the same taps.
    pub fn backward(g: &Geometry) -> Vec<Self> {
        let (sy, sx) = g.window.stride;
        (0..sy * sx).map(|p| Self::phase(g, p / sx, p % sx)).collect()
    }

    /// The input pixels `(y, x)` with `(y + pad) % stride = py` and `(x + pad) % stride = px`.
    fn phase(g: &Geometry, py: usize, px: usize) -> Self {
        let Window { kernel, stride, pad, dilation } = g.window;
        // Tap k of pixel y reads output (y + pad − k·dilation) / stride, if that divides: k·dilation ≡ py.
        let sees = |k: usize, d: usize, s: usize, p: usize| (k * d) % s == p % s;
        let taps: Vec<usize> = (0..kernel.0 * kernel.1)
            .rev()
            .filter(|t| sees(t / kernel.1, dilation.0, stride.0, py) && sees(t % kernel.1, dilation.1, stride.1, px))
            .collect();
        // Offsets are taken from the output pixel of the farthest tap, which comes first.
        let back = |t: usize| ((t / kernel.1) * dilation.0 / stride.0, (t % kernel.1) * dilation.1 / stride.1);
        let far = taps.first().map_or((0, 0), |&t| back(t));
        let mut rows = Vec::new();
        for y in (0..g.x.shape.h).filter(|y| (y + pad.0) % stride.0 == py) {
            for x in (0..g.x.shape.w).filter(|x| (x + pad.1) % stride.1 == px) {
                let oy = g.y.halo.0 + (y + pad.0) / stride.0 - far.0;
                let ox = g.y.halo.1 + (x + pad.1) / stride.1 - far.1;
                rows.push(((oy * g.y.row() + ox * g.y.shape.c) as u32, g.x.at(y, x) as u32));
            }
        }
        if taps.is_empty() {
            // No output ever saw these pixels: rows of no segments at all set them to zero.
            rows.iter_mut().for_each(|r| r.0 = 0);
        }
        let offset = |t: usize| (far.0 - back(t).0) * g.y.row() + (far.1 - back(t).1) * g.y.shape.c;
        Self { rows, taps: taps.into_iter().map(|t| (t, offset(t))).collect() }
    }

    /// The segments of these taps over `len` channels from `channel` on.
    fn segments(&self, channel: usize, len: usize) -> Vec<Segment> {
        joined(self.taps.iter().map(|&(_, offset)| Segment { offset: offset + channel, len }))
    }
}

/// The forward convolution with its tables and packed weights.
#[derive(Debug, Clone)]
pub struct Forward {
    geometry: Geometry,
    rows: Vec<(u32, u32)>,
    segments: Vec<Vec<Segment>>,
    packed: Vec<f32>,
}

impl Forward {
    /// Tables for this geometry. The input's halo must be at least the padding.
    pub fn new(geometry: Geometry) -> Self {
        let (plane, c) = (Plane::forward(&geometry), geometry.c());
        let segments = (0..geometry.groups).map(|group| plane.segments(group * c, c)).collect();
        Self { rows: plane.rows, segments, geometry, packed: Vec::new() }
    }

    /// Packs new weights.
    pub fn pack(&mut self, level: Level, weights: &[f32]) {
        let g = &self.geometry;
        let (k, oc) = (g.taps() * g.c(), g.oc());
        let len = packed_len(level, k, oc);
        self.packed.resize(g.groups * len, 0.0);
        for (w, packed) in weights.chunks_exact(g.group_len()).zip(self.packed.chunks_exact_mut(len)) {
            pack_rows(level, oc, w.chunks_exact(oc), packed);
        }
    }

    /// The convolution of `n` images. The output's halo is left alone.
    pub fn run(&self, level: Level, n: usize, x: &[f32], store: Store<'_>, y: &mut [f32]) {
        let g = &self.geometry;
        let rows = Rows { table: &self.rows, images: n, a_step: g.x.len(), c_step: g.y.len() };
        let len = self.packed.len() / g.groups;
        for (i, segments) in self.segments.iter().enumerate() {
            let columns = i * g.oc()..(i + 1) * g.oc();
            let store = store.columns(columns.clone());
            gemm(level, x, rows, segments, &self.packed[i * len..][..len], g.oc(), store, &mut y[columns.start..]);
        }
    }
}

/// The input gradient with its tables and packed weights.
#[derive(Debug, Clone)]
pub struct InputGradient {
    geometry: Geometry,
    phases: Vec<Phase>,
}

/// The input pixels that see the same taps.
#[derive(Debug, Clone)]
struct Phase {
    plane: Plane,
    segments: Vec<Vec<Segment>>,
    packed: Vec<f32>,
}

impl InputGradient {
    /// Tables for this geometry, whose maps are those of the *gradients*; the output's has the halo that
    /// [`Geometry::gradient_halo`] names.
    pub fn new(geometry: Geometry) -> Self {
        let oc = geometry.oc();
        let phase = |plane: Plane| {
            let segments = (0..geometry.groups).map(|group| plane.segments(group * oc, oc)).collect();
            Phase { plane, segments, packed: Vec::new() }
        };
        let phases = Plane::backward(&geometry).into_iter().map(phase).collect();
        Self { geometry, phases }
    }

    /// Packs new weights, transposed.
    pub fn pack(&mut self, level: Level, weights: &[f32]) {
        let g = &self.geometry;
        let (c, oc) = (g.c(), g.oc());
        for phase in &mut self.phases {
            let taps = &phase.plane.taps;
            let k = taps.len() * oc;
            let len = packed_len(level, k, c);
            phase.packed.resize(g.groups * len, 0.0);
            for (i, w) in weights.chunks_exact(g.group_len()).enumerate() {
                let element = |row: usize, column: usize| w[(taps[row / oc].0 * c + column) * oc + row % oc];
                pack(level, k, c, element, &mut phase.packed[i * len..(i + 1) * len]);
            }
        }
    }

    /// The input gradient of `n` images. The halo of `dx` is left alone.
    pub fn run(&self, level: Level, n: usize, dy: &[f32], store: Store<'_>, dx: &mut [f32]) {
        let g = &self.geometry;
        for phase in &self.phases {
            let rows = Rows { table: &phase.plane.rows, images: n, a_step: g.y.len(), c_step: g.x.len() };
            let len = phase.packed.len() / g.groups;
            for (i, segments) in phase.segments.iter().enumerate() {
                let (columns, packed) = (i * g.c()..(i + 1) * g.c(), &phase.packed[i * len..][..len]);
                let store = store.columns(columns.clone());
                gemm(level, dy, rows, segments, packed, g.c(), store, &mut dx[columns.start..]);
            }
        }
    }
}

/// The weight gradient.
#[derive(Debug, Clone)]
pub struct WeightGradient {
    geometry: Geometry,
    /// Images whose pixels are summed in registers before they are added to memory.
    together: usize,
}

/// Pixels summed in registers at once: enough to hide the store, few enough for `dy`'s panel to stay in the first
/// level cache (256 pixels × 8 columns = 8 KiB).
const PIXELS: usize = 256;

impl WeightGradient {
    /// For this geometry, whose output map is that of the *gradient*, and for up to `batch` images.
    pub fn new(geometry: Geometry, batch: usize) -> Self {
        let pixels = geometry.y.shape.h * geometry.y.shape.w;
        let together = PIXELS.div_ceil(pixels).min(batch);
        Self { geometry, together }
    }

    /// Numbers of workspace that [`WeightGradient::run`] needs at this level.
    pub fn workspace(&self, level: Level) -> usize {
        let pixels = self.geometry.y.shape.h * self.geometry.y.shape.w;
        packed_len(level, self.together * pixels, self.geometry.oc())
    }

    /// Adds the gradient of the weights, in the arena's order, for `n` images.
    pub fn run(&self, level: Level, n: usize, x: &[f32], dy: &[f32], dw: &mut [f32], work: &mut [f32]) {
        let (xl, yl) = (self.geometry.x.len(), self.geometry.y.len());
        for first in (0..n).step_by(self.together) {
            let images = self.together.min(n - first);
            for group in 0..self.geometry.groups {
                let (x, dy) = (&x[first * xl..], &dy[first * yl..]);
                self.some(level, (images, group), x, dy, dw, work);
            }
        }
    }

    fn some(
        &self,
        level: Level,
        (images, group): (usize, usize),
        x: &[f32],
        dy: &[f32],
        dw: &mut [f32],
        work: &mut [f32],
    ) {
        let g = &self.geometry;
        let (c, oc, w) = (g.c(), g.oc(), g.window);
        let (rows, count) = (g.y.shape.h, g.y.shape.w);
        let depth = images * rows * count;
        let packed = &mut work[..packed_len(level, depth, oc)];
        let pixel_rows = (0..images * rows).map(|r| (r / rows) * g.y.len() + g.y.at(r % rows, 0));
        let pixels = pixel_rows.flat_map(|at| dy[at..][..count * g.y.shape.c].chunks_exact(g.y.shape.c));
        pack_rows(level, oc, pixels.map(|p| &p[group * oc..]), packed);
        let px = Pixels {
            step: w.stride.1 * g.x.shape.c,
            count,
            row_step: w.stride.0 * g.x.row(),
            rows,
            image_step: g.x.len(),
            images,
        };
        let start = (g.x.halo.0 - w.pad.0) * g.x.row() + (g.x.halo.1 - w.pad.1) * g.x.shape.c + group * c;
        let dw = &mut dw[group * g.group_len()..][..g.group_len()];
        // One filter row is contiguous when taps touch; else each tap goes alone.
        let run = if w.dilation.1 == 1 && g.groups == 1 { w.kernel.1 } else { 1 };
        for tap in (0..g.taps()).step_by(run) {
            let (ky, kx) = (tap / w.kernel.1, tap % w.kernel.1);
            let first = start + ky * w.dilation.0 * g.x.row() + kx * w.dilation.1 * g.x.shape.c;
            let out = &mut dw[tap * c * oc..][..run * c * oc];
            gemm_transposed(level, x, first, run * c, &px, packed, oc, out);
        }
    }
}
