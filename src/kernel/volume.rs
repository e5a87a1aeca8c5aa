//! Convolution over volumes: slices one behind another, and a window that slides over three axes.
//!
//! A volume is an image whose channels are its slices one after another, each with all its channels. So what one pixel of
//! a filter sees through `kd` slices is contiguous, like a filter's row in [`super::windows`], and the same matrix product
//! serves: one for each slice of the output, over its own part of the channels, all with the same weights. Slices near the
//! ends see fewer slices through padding; they have weights of their own, shorter by those.
//!
//! Weights come as the arena keeps them: a matrix of `kh·kw·kd·c` rows and `oc` columns.

use super::Level;
use super::conv::Geometry;
use super::gemm::{Rows, Store, gemm, gemm_transposed, pack, pack_rows, packed_len};
use super::tile::{Pixels, Segment};
use super::windows::{Plane, joined};
use crate::shape::Window;
use crate::tensor::Map;

/// How the window slides from slice to slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Slices under a window.
    pub kernel: usize,
    /// Step between neighbouring windows.
    pub stride: usize,
    /// Slices of zeros at each end.
    pub pad: usize,
    /// Step between neighbouring slices of one window.
    pub dilation: usize,
    /// Slices of the input and of the output.
    pub slices: (usize, usize),
}

impl Depth {
    /// What output slice `z` sees: tap and input slice, taps upward.
    fn seen(&self, z: usize) -> Vec<(usize, usize)> {
        let slice = |k: usize| (z * self.stride + k * self.dilation).checked_sub(self.pad);
        let inside = |k: usize| slice(k).filter(|&s| s < self.slices.0).map(|s| (k, s));
        (0..self.kernel).filter_map(inside).collect()
    }

    /// What sees input slice `z`: tap and output slice, slices upward.
    fn seeing(&self, z: usize) -> Vec<(usize, usize)> {
        let slice = |k: usize| (z + self.pad).checked_sub(k * self.dilation).filter(|s| s.is_multiple_of(self.stride));
        let inside = |k: usize| slice(k).map(|s| s / self.stride).filter(|&s| s < self.slices.1).map(|s| (k, s));
        (0..self.kernel).rev().filter_map(inside).collect()
    }
}

/// The geometry of one convolution over planned layouts of volumes.
#[derive(Debug, Clone)]
pub struct Volume {
    /// The window within a slice.
    pub window: Window,
    /// The window through the slices.
    pub depth: Depth,
    /// Layout of the input: all channels of all slices.
    pub x: Map,
    /// Layout of the output.
    pub y: Map,
}

impl Volume {
    fn c(&self) -> usize {
        self.x.shape.c / self.depth.slices.0
    }

    fn oc(&self) -> usize {
        self.y.shape.c / self.depth.slices.1
    }

    fn taps(&self) -> usize {
        self.window.kernel.0 * self.window.kernel.1
    }

    fn plane(&self) -> Geometry {
        Geometry { window: self.window, groups: 1, x: self.x, y: self.y }
    }

    /// The first row of the weights of this tap of a slice and this tap through the slices.
    fn row(&self, tap: usize, k: usize) -> usize {
        (tap * self.depth.kernel + k) * self.c()
    }
}

/// A slice that is written, and what it is made of.
#[derive(Debug, Clone)]
struct Slice {
    segments: Vec<Segment>,
    /// Number of its packed weights.
    weights: usize,
}

/// The slices that one pass over pixels writes, with their weights: slices that see the same taps share them.
#[derive(Debug, Clone)]
struct Pass {
    plane: Plane,
    slices: Vec<Slice>,
    /// Taps through the slices, for each operand that is packed.
    through: Vec<Vec<usize>>,
    packed: Vec<Vec<f32>>,
    /// Channels of a slice that is written.
    channels: usize,
    /// Numbers in a volume that is read and in one that is written.
    steps: (usize, usize),
}

impl Pass {
    /// Reads volumes of one layout, `c` channels a slice, and writes `count` slices of another. `sees(z)` names the taps
    /// and the slices that slice `z` is made of.
    fn new(
        plane: Plane,
        [from, to]: [&Map; 2],
        c: usize,
        count: usize,
        sees: impl Fn(usize) -> Vec<(usize, usize)>,
    ) -> Self {
        let (mut slices, mut through) = (Vec::new(), Vec::<Vec<usize>>::new());
        for z in 0..count {
            let seen = sees(z);
            let taps: Vec<usize> = seen.iter().map(|(tap, _)| *tap).collect();
            let weights = through.iter().position(|t| *t == taps).unwrap_or(through.len());
            if weights == through.len() {
                through.push(taps);
            }
            let under = |&(_, offset): &(usize, usize)| {
                seen.iter().map(move |(_, slice)| Segment { offset: offset + slice * c, len: c })
            };
            slices.push(Slice { segments: joined(plane.taps.iter().flat_map(under)), weights });
        }
        let packed = vec![Vec::new(); through.len()];
        Self { plane, slices, through, packed, channels: to.shape.c / count, steps: (from.len(), to.len()) }
    }

    /// Writes every slice of `n` volumes.
    fn run(&self, level: Level, n: usize, from: &[f32], store: Store<'_>, to: &mut [f32]) {
        let rows = Rows { table: &self.plane.rows, images: n, a_step: self.steps.0, c_step: self.steps.1 };
        for (z, Slice { segments, weights }) in self.slices.iter().enumerate() {
            let to = &mut to[z * self.channels..];
            gemm(level, from, rows, segments, &self.packed[*weights], self.channels, store, to);
        }
    }
}

/// The forward convolution with its tables and packed weights.
#[derive(Debug, Clone)]
pub struct Forward {
    volume: Volume,
    pass: Pass,
}

impl Forward {
    /// Tables for this geometry. The input's halo must be at least the padding.
    pub fn new(volume: Volume) -> Self {
        let plane = Plane::forward(&volume.plane());
        let maps = [&volume.x, &volume.y];
        let pass = Pass::new(plane, maps, volume.c(), volume.depth.slices.1, |z| volume.depth.seen(z));
        Self { volume, pass }
    }

    /// Packs new weights.
    pub fn pack(&mut self, level: Level, weights: &[f32]) {
        let (c, oc) = (self.volume.c(), self.volume.oc());
        for (through, packed) in self.pass.through.iter().zip(&mut self.pass.packed) {
            packed.resize(packed_len(level, self.volume.taps() * through.len() * c, oc), 0.0);
            let taps = (0..self.volume.taps()).flat_map(|tap| through.iter().map(move |&k| (tap, k)));
            let rows = taps.flat_map(|(tap, k)| weights[self.volume.row(tap, k) * oc..][..c * oc].chunks_exact(oc));
            pack_rows(level, oc, rows, packed);
        }
    }

    /// The convolution of `n` volumes. The output's halo is left alone.
    pub fn run(&self, level: Level, n: usize, x: &[f32], store: Store<'_>, y: &mut [f32]) {
        self.pass.run(level, n, x, store, y);
    }
}

/// The input gradient with its tables and packed weights.
#[derive(Debug, Clone)]
pub struct InputGradient {
    volume: Volume,
    passes: Vec<Pass>,
}

impl InputGradient {
    /// Tables for this geometry, whose maps are those of the *gradients*; the output's has the halo that
    /// [`Geometry::gradient_halo`] names.
    pub fn new(volume: Volume) -> Self {
        let (maps, slices) = ([&volume.y, &volume.x], volume.depth.slices.0);
        let pass = |plane| Pass::new(plane, maps, volume.oc(), slices, |z| volume.depth.seeing(z));
        let passes = Plane::backward(&volume.plane()).into_iter().map(pass).collect();
        Self { volume, passes }
    }

    /// Packs new weights, transposed.
    pub fn pack(&mut self, level: Level, weights: &[f32]) {
        let (c, oc) = (self.volume.c(), self.volume.oc());
        for Pass { plane, through, packed, .. } in &mut self.passes {
            for (through, packed) in through.iter().zip(packed) {
                let k = plane.taps.len() * through.len() * oc;
                packed.resize(packed_len(level, k, c), 0.0);
                let element = |row: usize, column: usize| {
                    let (tap, k) = (row / oc / through.len(), row / oc % through.len());
                    weights[(self.volume.row(plane.taps[tap].0, through[k]) + column) * oc + row % oc]
                };
                pack(level, k, c, element, packed);
            }
        }
    }

    /// The input gradient of `n` volumes. The halo of `dx` is left alone.
    pub fn run(&self, level: Level, n: usize, dy: &[f32], store: Store<'_>, dx: &mut [f32]) {
        for pass in &self.passes {
            pass.run(level, n, dy, store, dx);
        }
    }
}

/// The weight gradient.
#[derive(Debug, Clone)]
pub struct WeightGradient {
    volume: Volume,
    taps: Vec<(usize, usize)>,
}

impl WeightGradient {
    /// For this geometry, whose output map is that of the *gradient*.
    pub fn new(volume: Volume) -> Self {
        let taps = Plane::forward(&volume.plane()).taps;
        Self { volume, taps }
    }

    /// Numbers of workspace that [`WeightGradient::run`] needs at this level.
    pub fn workspace(&self, level: Level) -> usize {
        packed_len(level, self.volume.y.shape.h * self.volume.y.shape.w, self.volume.oc())
    }

    /// Adds the gradient of the weights, in the arena's order, for `n` volumes.
    pub fn run(&self, level: Level, n: usize, x: &[f32], dy: &[f32], dw: &mut [f32], work: &mut [f32]) {
        let Volume { depth, x: from, y: to, .. } = &self.volume;
        for image in 0..n {
            let (x, dy) = (&x[image * from.len()..][..from.len()], &dy[image * to.len()..][..to.len()]);
            for z in 0..depth.slices.1 {
                self.slice(level, z, x, dy, dw, work);
            }
        }
    }

    /// What slice `z` of one volume's output adds.
    fn slice(&self, level: Level, z: usize, x: &[f32], dy: &[f32], dw: &mut [f32], work: &mut [f32]) {
        let Volume { window: w, depth, x: from, y: to } = &self.volume;
        let (c, oc, count) = (self.volume.c(), self.volume.oc(), to.shape.w);
        let packed = &mut work[..packed_len(level, to.shape.h * count, oc)];
        let pixels = (0..to.shape.h).flat_map(|y| dy[to.at(y, 0)..][..count * to.shape.c].chunks_exact(to.shape.c));
        pack_rows(level, oc, pixels.map(|p| &p[z * oc..]), packed);
        let (step, row_step) = (w.stride.1 * from.shape.c, w.stride.0 * from.row());
        let px = Pixels { step, count, row_step, rows: to.shape.h, image_step: from.len(), images: 1 };
        let start = (from.halo.0 - w.pad.0) * from.row() + (from.halo.1 - w.pad.1) * from.shape.c;
        let seen = depth.seen(z);
        // Slices that touch are one run of channels; else each goes alone.
        let run = if depth.dilation == 1 { seen.len().max(1) } else { 1 };
        for &(tap, offset) in &self.taps {
            for together in seen.chunks(run) {
                let (k, slice) = together[0];
                let len = together.len() * c;
                let out = &mut dw[self.volume.row(tap, k) * oc..][..len * oc];
                gemm_transposed(level, x, start + offset + slice * c, len, &px, packed, oc, out);
            }
        }
    }
}
