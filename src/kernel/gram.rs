//! The Gram matrix of a map: how often channels answer together, wherever they do. Gatys et al. 2015.

use super::Level;
use super::gemm::{Rows, Store, gemm, gemm_symmetric, gemm_transposed, lanes, pack, pack_rows, packed_len};
use super::tile::{Pixels, Segment};
use crate::tensor::Map;

/// Pixels whose products are summed in registers before they join the others: few enough for a picture's sum of positive
/// numbers to keep its digits, and for them to stay in the second-level cache.
const PIXELS: usize = 1024;

/// The tables for one map.
#[derive(Debug, Clone)]
pub struct Gram {
    map: Map,
    /// Where each pixel begins in the map and in that of the gradient.
    rows: Vec<(u32, u32)>,
    packed: Vec<f32>,
}

impl Gram {
    /// For one image of `map`, whose gradient lies as `gradient` says.
    pub fn new(map: Map, gradient: Map) -> Self {
        let shape = map.shape;
        let pixels = (0..shape.h).flat_map(|y| (0..shape.w).map(move |x| (y, x)));
        let rows = pixels.map(|(y, x)| (map.at(y, x) as u32, gradient.at(y, x) as u32)).collect();
        Self { map, rows, packed: Vec::new() }
    }

    /// Writes `Σ x[i] x[j] / (h · w)` over the pixels of `x` to `gram`, `c × c` numbers.
    pub fn forward(&mut self, level: Level, x: &[f32], gram: &mut [f32]) {
        let map = self.map;
        let (c, w) = (map.shape.c, map.shape.w);
        let strip = PIXELS.div_ceil(w);
        gram.fill(0.0);
        for first in (0..map.shape.h).step_by(strip) {
            let rows = strip.min(map.shape.h - first);
            let px = Pixels { step: c, count: w, row_step: map.row(), rows, image_step: map.len(), images: 1 };
            if c.is_multiple_of(lanes(level)) {
                gemm_symmetric(level, &x[map.at(first, 0)..], &px, c, gram);
                continue;
            }
            let packed = packed_len(level, rows * w, c);
            self.packed.resize(packed.max(self.packed.len()), 0.0);
            let pixels = (first..first + rows).flat_map(|y| x[map.at(y, 0)..][..w * c].chunks_exact(c));
            pack_rows(level, c, pixels, &mut self.packed[..packed]);
            gemm_transposed(level, x, map.at(first, 0), c, &px, &self.packed[..packed], c, gram);
        }
        let share = 1.0 / (map.shape.h * w) as f32;
        gram.iter_mut().for_each(|g| *g *= share);
        for (i, j) in (0..c).flat_map(|i| (0..i).map(move |j| (i, j))) {
            gram[i * c + j] = gram[j * c + i];
        }
    }

    /// Stores in `dx` the gradient of what has the gradient `dgram` by the Gram matrix. Both are symmetric.
    pub fn backward(&mut self, level: Level, x: &[f32], dgram: &[f32], store: Store<'_>, dx: &mut [f32]) {
        let c = self.map.shape.c;
        let share = 2.0 / (self.map.shape.h * self.map.shape.w) as f32;
        let len = packed_len(level, c, c);
        self.packed.resize(len.max(self.packed.len()), 0.0);
        pack(level, c, c, |row, column| share * dgram[row * c + column], &mut self.packed[..len]);
        let rows = Rows { table: &self.rows, images: 1, a_step: 0, c_step: 0 };
        let pixel = [Segment { offset: 0, len: c }];
        gemm(level, x, rows, &pixel, &self.packed[..len], c, store, dx);
    }
}
