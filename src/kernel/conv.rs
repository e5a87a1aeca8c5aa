//! Convolution: the geometry, and which way it is computed.
//!
//! [`windows`] does any convolution as matrix products over overlapping windows. [`winograd`] does 3 × 3 with stride 1
//! and enough channels with a quarter of the products.
//!
//! Weights come as the arena keeps them: per group a matrix of `kh·kw·c` rows (`c` channels per group) and `oc`
//! columns (outputs per group).

use super::gemm::{Store, lanes};
use super::{Level, windows, winograd};
use crate::shape::Window;
use crate::tensor::Map;

/// The geometry of one convolution over planned layouts.
#[derive(Debug, Clone)]
pub struct Geometry {
    /// The sliding window.
    pub window: Window,
    /// Groups; both channel counts are multiples of it.
    pub groups: usize,
    /// Layout of the input.
    pub x: Map,
    /// Layout of the output.
    pub y: Map,
}

impl Geometry {
    pub(super) fn c(&self) -> usize {
        self.x.shape.c / self.groups
    }

    pub(super) fn oc(&self) -> usize {
        self.y.shape.c / self.groups
    }

    pub(super) fn taps(&self) -> usize {
        self.window.kernel.0 * self.window.kernel.1
    }

    /// Numbers of one group's weights.
    pub(super) fn group_len(&self) -> usize {
        self.taps() * self.c() * self.oc()
    }

    /// How far an output's gradient must reach beyond its borders for the input gradient: rows, columns.
    pub fn gradient_halo(window: &Window, input: (usize, usize), output: (usize, usize)) -> (usize, usize) {
        let axis = |k: usize, s: usize, p: usize, d: usize, input: usize, output: usize| {
            let before = (d * (k - 1)).saturating_sub(p).div_ceil(s);
            let after = ((input - 1 + p) / s).saturating_sub(output - 1);
            before.max(after)
        };
        let Window { kernel, stride, pad, dilation } = *window;
        (
            axis(kernel.0, stride.0, pad.0, dilation.0, input.0, output.0),
            axis(kernel.1, stride.1, pad.1, dilation.1, input.1, output.1),
        )
    }

    /// Whether minimal filtering pays: 3 × 3 with stride 1, tiles that are not mostly edge (one costs as much as 4 outputs
    /// done directly, its transforms half as much again), and products that are long against the transforms. The wider
    /// the lanes, the faster a product: 16 channels each side gain 1.3 to 2 times in wasm and lose a third with AVX2.
    fn minimal(&self, level: Level) -> bool {
        let Window { kernel, stride, pad, dilation } = self.window;
        let (h, w) = (self.y.shape.h, self.y.shape.w);
        (kernel, stride, dilation) == ((3, 3), (1, 1), (1, 1))
            && self.groups == 1
            && pad.0.max(pad.1) <= 2
            && h * w >= 6 * winograd::tiles(h, w)
            && self.c().min(self.oc()) >= 8
            && self.c() + self.oc() >= 8 * lanes(level)
    }
}

/// The forward convolution with its tables and packed weights.
#[derive(Debug, Clone)]
pub enum Forward {
    /// Over windows.
    Windows(windows::Forward),
    /// By minimal filtering.
    Winograd(winograd::Filter),
}

impl Forward {
    /// Tables for this level, this geometry and up to `batch` images. The input's halo must be at least the padding.
    pub fn new(level: Level, geometry: Geometry, batch: usize) -> Self {
        if geometry.minimal(level) {
            let Geometry { window, x, y, .. } = geometry;
            Self::Winograd(winograd::Filter::new(x, window.pad, y, batch))
        } else {
            Self::Windows(windows::Forward::new(geometry))
        }
    }

    /// Numbers of workspace that [`Forward::run`] needs.
    pub fn workspace(&self) -> usize {
        match self {
            Self::Windows(_) => 0,
            Self::Winograd(filter) => filter.workspace(),
        }
    }

    /// Packs new weights.
    pub fn pack(&mut self, level: Level, weights: &[f32]) {
        match self {
            Self::Windows(windows) => windows.pack(level, weights),
            Self::Winograd(filter) => {
                let (c, oc) = filter.channels();
                filter.pack(level, |tap, ch, g| g.copy_from_slice(&weights[(tap * c + ch) * oc..][..oc]));
            }
        }
    }

    /// The convolution of `n` images. The output's halo is left alone.
    pub fn run(&self, level: Level, n: usize, x: &[f32], store: Store<'_>, y: &mut [f32], work: &mut [f32]) {
        match self {
            Self::Windows(windows) => windows.run(level, n, x, store, y),
            Self::Winograd(filter) => filter.run(level, n, x, store, y, work),
        }
    }
}

/// The input gradient with its tables and packed weights.
#[derive(Debug, Clone)]
pub enum InputGradient {
    /// Over windows.
    Windows(windows::InputGradient),
    /// By minimal filtering: the convolution of the output's gradient with turned filters.
    Winograd(winograd::Filter),
}

impl InputGradient {
    /// Tables for this geometry, whose maps are those of the *gradients*, and up to `batch` images; the output's map has
    /// the halo that [`Geometry::gradient_halo`] names.
    pub fn new(level: Level, geometry: Geometry, batch: usize) -> Self {
        if geometry.minimal(level) {
            let Geometry { window: Window { pad, .. }, x, y, .. } = geometry;
            Self::Winograd(winograd::Filter::new(y, (2 - pad.0, 2 - pad.1), x, batch))
        } else {
            Self::Windows(windows::InputGradient::new(geometry))
        }
    }

    /// Numbers of workspace that [`InputGradient::run`] needs.
    pub fn workspace(&self) -> usize {
        match self {
            Self::Windows(_) => 0,
            Self::Winograd(filter) => filter.workspace(),
        }
    }

    /// Packs new weights, transposed.
    pub fn pack(&mut self, level: Level, weights: &[f32]) {
        match self {
            Self::Windows(windows) => windows.pack(level, weights),
            Self::Winograd(filter) => {
                let (oc, c) = filter.channels();
                filter.pack(level, |tap, o, g| {
                    let turned = &weights[(8 - tap) * c * oc..][..c * oc];
                    g.iter_mut().zip(turned.iter().skip(o).step_by(oc)).for_each(|(g, w)| *g = *w);
                });
            }
        }
    }

    /// The input gradient of `n` images. The halo of `dx` is left alone.
    pub fn run(&self, level: Level, n: usize, dy: &[f32], store: Store<'_>, dx: &mut [f32], work: &mut [f32]) {
        match self {
            Self::Windows(windows) => windows.run(level, n, dy, store, dx),
            Self::Winograd(filter) => filter.run(level, n, dy, store, dx, work),
        }
    }
}

/// The weight gradient.
#[derive(Debug, Clone)]
pub enum WeightGradient {
    /// Over windows.
    Windows(windows::WeightGradient),
    /// By the adjoint of minimal filtering.
    Winograd(winograd::FilterGradient),
}

impl WeightGradient {
    /// For this geometry, whose output map is that of the *gradient*, and for up to `batch` images.
    pub fn new(level: Level, geometry: Geometry, batch: usize) -> Self {
        // Few tiles do not pay for four times as many weights: 4 tiles halve the speed, 16 still gain a quarter.
        let tiles = batch * winograd::tiles(geometry.y.shape.h, geometry.y.shape.w);
        if geometry.minimal(level) && tiles >= 16 {
            let Geometry { window, x, y, .. } = geometry;
            Self::Winograd(winograd::FilterGradient::new(x, window.pad, y, batch))
        } else {
            Self::Windows(windows::WeightGradient::new(geometry, batch))
        }
    }

    /// Numbers of workspace that [`WeightGradient::run`] needs at this level.
    pub fn workspace(&self, level: Level) -> usize {
        match self {
            Self::Windows(windows) => windows.workspace(level),
            Self::Winograd(filter) => filter.workspace(level),
        }
    }

    /// Adds the gradient of the weights, in the arena's order, for `n` images.
    pub fn run(&self, level: Level, n: usize, x: &[f32], dy: &[f32], dw: &mut [f32], work: &mut [f32]) {
        match self {
            Self::Windows(windows) => windows.run(level, n, x, dy, dw, work),
            Self::Winograd(filter) => filter.run(level, n, x, dy, dw, work),
        }
    }
}
