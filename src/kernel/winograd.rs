//! 3 × 3 convolution of stride 1 by minimal filtering, F(4 × 4, 3 × 3): a quarter of the multiplications.
//!
//! Winograd 1980; Lavin and Gray 2016. Four neighbouring outputs of a filter of three taps see six inputs. Both are
//! polynomials: a product of polynomials needs only as many multiplications as its values at six points, here
//! 0, ±√½, ±√2 and ∞. So a patch `d` of 6 × 6 inputs becomes its values `BᵀdB`, a filter `g` becomes `GgGᵀ`, and `AᵀmA`
//! turns the products `m` into 4 × 4 outputs: 36 products where the direct sum takes 144. Summed over channels before the
//! last step, each of the 36 places is a matrix product of tiles × channels by channels × filters, which is what
//! [`gemm`] is good at. The transforms are additions and small constants, done with lanes along the channels.
//!
//! Backwards, the input gradient is the same convolution with turned filters. The weight gradient is the adjoint:
//! `Gᵀ(Σ tiles (BᵀdB) ⊙ (A dy Aᵀ))G`, again 36 matrix products.
//!
//! The price is rounding. Against the direct sum in double precision the largest error seen over random data, down to eight
//! channels, is 4·10⁻⁶ of the sum of absolute products; `tests/kernels_conv.rs` holds it to 10⁻⁵.

mod transform;

use super::Level;
use super::gemm::{Rows, Store, gemm, gemm_transposed, lanes, packed_len};
use super::tile::{Pixels, Segment};
use crate::tensor::Map;
use fearless_simd::dispatch;
use transform::{filter_gradients_body, filters_body, gradients_body, inputs_body, outputs_body};

/// Outputs along one axis of a tile.
const OUT: usize = 4;
/// Inputs along one axis of a tile, and points at which polynomials are evaluated.
const IN: usize = 6;
/// Places of a transformed tile.
const PLACES: usize = IN * IN;

/// Tiles that cover an `h × w` map of outputs.
pub fn tiles(h: usize, w: usize) -> usize {
    h.div_ceil(OUT) * w.div_ceil(OUT)
}

/// Tiles over the images of one map. They begin every [`OUT`] pixels, whatever their own side.
#[derive(Debug, Clone, Copy)]
struct Grid {
    map: Map,
    /// Where the first tile begins in an image.
    start: usize,
    /// Rows and columns from there on that may be read or written.
    extent: (usize, usize),
    /// Tiles along each axis of an image.
    tiles: (usize, usize),
}

/// One tile: where it begins, and how many of its rows and columns there are.
struct Tile {
    at: usize,
    rows: usize,
    columns: usize,
}

impl Grid {
    /// The tiles that cover the output map `y`.
    fn outputs(y: Map) -> Self {
        let (h, w) = (y.shape.h, y.shape.w);
        Self { map: y, start: y.at(0, 0), extent: (h, w), tiles: (h.div_ceil(OUT), w.div_ceil(OUT)) }
    }

    /// The tiles of the input `x`, padded by `pad`, that those of `outputs` see.
    fn inputs(x: Map, pad: (usize, usize), outputs: &Self) -> Self {
        let start = (x.halo.0 - pad.0) * x.row() + (x.halo.1 - pad.1) * x.shape.c;
        let extent = (x.shape.h + 2 * pad.0, x.shape.w + 2 * pad.1);
        Self { map: x, start, extent, tiles: outputs.tiles }
    }

    /// Tiles in an image.
    fn len(&self) -> usize {
        self.tiles.0 * self.tiles.1
    }

    #[inline(always)]
    fn tile(&self, number: usize) -> Tile {
        let (image, at) = (number / self.len(), number % self.len());
        let (y, x) = (at / self.tiles.1 * OUT, at % self.tiles.1 * OUT);
        Tile {
            at: image * self.map.len() + self.start + y * self.map.row() + x * self.map.shape.c,
            rows: self.extent.0 - y,
            columns: self.extent.1 - x,
        }
    }
}

/// A convolution by minimal filtering: the forward one, or the input gradient.
#[derive(Debug, Clone)]
pub struct Filter {
    inputs: Grid,
    outputs: Grid,
    /// Tiles that are transformed and multiplied together.
    block: usize,
    rows: Vec<(u32, u32)>,
    packed: Vec<f32>,
    /// The nine taps of one input channel for every filter, while they are packed.
    taps: Vec<f32>,
}

/// Bytes of transformed inputs and products that one block of tiles may take: they should stay in the second-level cache
/// beside the filters of one place.
const BLOCK_BYTES: usize = 384 << 10;

/// Tiles in a block, at most `all` of them.
fn block(channels: usize, all: usize) -> usize {
    (BLOCK_BYTES / (4 * PLACES * channels)).next_multiple_of(4).clamp(4, all.max(4))
}

impl Filter {
    /// Over up to `batch` images from `x`, padded by `pad`, to `y`.
    pub fn new(x: Map, pad: (usize, usize), y: Map, batch: usize) -> Self {
        let outputs = Grid::outputs(y);
        let inputs = Grid::inputs(x, pad, &outputs);
        let (c, oc) = (x.shape.c, y.shape.c);
        let block = block(c + oc, batch * outputs.len());
        let rows = (0..block).map(|t| ((t * c) as u32, (t * oc) as u32)).collect();
        Self { inputs, outputs, block, rows, packed: Vec::new(), taps: Vec::new() }
    }

    /// Channels in and out.
    pub fn channels(&self) -> (usize, usize) {
        (self.inputs.map.shape.c, self.outputs.map.shape.c)
    }

    /// Numbers of workspace that [`Filter::run`] needs.
    pub fn workspace(&self) -> usize {
        let (c, oc) = self.channels();
        PLACES * self.block * (c + oc)
    }

    /// Transforms and packs new filters; `row(tap, channel)` gives one number for each filter, or sees to it that `g` does.
    pub fn pack(&mut self, level: Level, row: impl Fn(usize, usize, &mut [f32])) {
        let (k, n) = self.channels();
        let (place, width) = (packed_len(level, k, n), n.next_multiple_of(lanes(level)));
        self.packed.resize(PLACES * place, 0.0);
        self.taps.resize(9 * width, 0.0);
        for channel in 0..k {
            for (tap, g) in self.taps.chunks_exact_mut(width).enumerate() {
                row(tap, channel, &mut g[..n]);
            }
            dispatch!(level, simd => filters_body(simd, &self.taps, (k, n, channel), place, &mut self.packed));
        }
    }

    /// The convolution of `n` images. Halos of `y` are left alone.
    pub fn run(&self, level: Level, n: usize, x: &[f32], store: Store<'_>, y: &mut [f32], work: &mut [f32]) {
        let (c, oc) = self.channels();
        let all = n * self.outputs.len();
        let place = self.packed.len() / PLACES;
        let (v, m) = work[..self.workspace()].split_at_mut(PLACES * self.block * c);
        for first in (0..all).step_by(self.block) {
            let count = self.block.min(all - first);
            let to = Planes { step: self.block * c, panel: usize::MAX, depth: 0 };
            dispatch!(level, simd => inputs_body(simd, x, &self.inputs, first..first + count, to, v));
            let rows = Rows { table: &self.rows[..count], images: 1, a_step: 0, c_step: 0 };
            let segment = [Segment { offset: 0, len: c }];
            let planes = v.chunks_exact(self.block * c).zip(m.chunks_exact_mut(self.block * oc));
            for ((v, m), u) in planes.zip(self.packed.chunks_exact(place)) {
                gemm(level, v, rows, &segment, u, oc, Store::SET, m);
            }
            let m = (&*m, self.block * oc);
            dispatch!(level, simd => outputs_body(simd, m, &self.outputs, first..first + count, store, y));
        }
    }
}

/// The weight gradient by the adjoint of minimal filtering.
#[derive(Debug, Clone)]
pub struct FilterGradient {
    inputs: Grid,
    outputs: Grid,
    block: usize,
}

impl FilterGradient {
    /// From `x`, padded by `pad`, and the gradient `dy`, for up to `batch` images.
    pub fn new(x: Map, pad: (usize, usize), dy: Map, batch: usize) -> Self {
        let outputs = Grid::outputs(dy);
        let inputs = Grid::inputs(x, pad, &outputs);
        let block = block(x.shape.c + dy.shape.c, batch * outputs.len());
        Self { inputs, outputs, block }
    }

    /// Numbers of workspace that [`FilterGradient::run`] needs at this level.
    pub fn workspace(&self, level: Level) -> usize {
        let (c, oc) = (self.inputs.map.shape.c, self.outputs.map.shape.c);
        PLACES * (self.block * c + packed_len(level, self.block, oc) + c * oc)
    }

    /// Adds the gradient of the weights, in the arena's order `(tap, c) × oc`, for `n` images.
    pub fn run(&self, level: Level, n: usize, x: &[f32], dy: &[f32], dw: &mut [f32], work: &mut [f32]) {
        let (c, oc) = (self.inputs.map.shape.c, self.outputs.map.shape.c);
        let all = n * self.outputs.len();
        let (v, rest) = work.split_at_mut(PLACES * self.block * c);
        let (m, du) = rest.split_at_mut(PLACES * packed_len(level, self.block, oc));
        let du = &mut du[..PLACES * c * oc];
        du.fill(0.0);
        for first in (0..all).step_by(self.block) {
            let count = self.block.min(all - first);
            let to = Planes { step: self.block * c, panel: usize::MAX, depth: 0 };
            dispatch!(level, simd => inputs_body(simd, x, &self.inputs, first..first + count, to, v));
            let packed = packed_len(level, count, oc);
            let to = Planes { step: packed, panel: 2 * lanes(level), depth: count };
            dispatch!(level, simd => gradients_body(simd, dy, &self.outputs, first..first + count, to, m));
            let px = Pixels { step: c, count, row_step: 0, rows: 1, image_step: 0, images: 1 };
            let planes = v.chunks_exact(self.block * c).zip(m.chunks_exact(packed));
            for ((v, m), du) in planes.zip(du.chunks_exact_mut(c * oc)) {
                gemm_transposed(level, v, 0, c, &px, m, oc, du);
            }
        }
        dispatch!(level, simd => filter_gradients_body(simd, du, dw));
    }
}

/// Where the numbers of a transformed tile go: plane after plane at a distance of `step`; in a plane either tile after tile,
/// or as a packed operand of `depth` tiles in panels of `panel` numbers.
#[derive(Clone, Copy)]
struct Planes {
    step: usize,
    panel: usize,
    depth: usize,
}

impl Planes {
    /// Where channels `ch..` of `c` of tile `t` go.
    #[inline(always)]
    fn at(&self, t: usize, ch: usize, c: usize, lanes: usize) -> usize {
        if self.panel == usize::MAX {
            return t * c + ch;
        }
        let start = ch / self.panel * self.panel;
        let width = if c - start > lanes { self.panel } else { lanes };
        start * self.depth + t * width + ch - start
    }
}
