//! How the numbers of a wire lie in memory, and the doors between that layout and the public one.
//!
//! Public arrays are `ndarray`, NCHW. Inside a run an image is NHWC with a halo: a frame of zeros wide enough
//! for every consumer's padding, so that a window never needs a bounds test.

use crate::shape::Shape;

/// A named tensor as files and the public API carry it (OIHW for convolution weights).
pub type Tensor = ndarray::ArrayD<f32>;

/// The NHWC layout of one image with its halo.
///
/// Pixel `(y, x)` of the image starts at [`Map::at`]; its channels follow one another. Images of a batch follow
/// one another at a distance of [`Map::len`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Map {
    /// Channels, rows and columns without the halo.
    pub shape: Shape,
    /// Rows of zeros above and below, columns of zeros left and right.
    pub halo: (usize, usize),
}

impl Map {
    /// A map of `shape` framed by `halo` (rows, columns) zeros.
    pub const fn new(shape: Shape, halo: (usize, usize)) -> Self {
        Self { shape, halo }
    }

    /// Numbers from one row to the next.
    pub const fn row(&self) -> usize {
        (self.shape.w + 2 * self.halo.1) * self.shape.c
    }

    /// Numbers in one image, halo included.
    pub const fn len(&self) -> usize {
        (self.shape.h + 2 * self.halo.0) * self.row()
    }

    /// Whether the map holds no number at all.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where pixel `(y, x)` of the image begins; `(0, 0)` is the first pixel inside the halo.
    pub const fn at(&self, y: usize, x: usize) -> usize {
        (y + self.halo.0) * self.row() + (x + self.halo.1) * self.shape.c
    }

    /// The pixels of `n` images, row by row.
    pub fn rows(&self, n: usize) -> impl Iterator<Item = std::ops::Range<usize>> + Clone + use<> {
        let (map, rows) = (*self, self.shape.h);
        (0..n * rows).map(move |r| {
            let start = (r / rows) * map.len() + map.at(r % rows, 0);
            start..start + map.shape.w * map.shape.c
        })
    }

    /// Writes one NCHW image into this layout. The halo is left alone.
    ///
    /// `src` has [`Shape::len`] numbers, `dst` has [`Map::len`].
    pub fn fill_from_chw(&self, src: &[f32], dst: &mut [f32]) {
        let Shape { c, h, w } = self.shape;
        assert_eq!(src.len(), self.shape.len());
        for y in 0..h {
            let row = &mut dst[self.at(y, 0)..][..w * c];
            for (x, pixel) in row.chunks_exact_mut(c).enumerate() {
                for (ch, v) in pixel.iter_mut().enumerate() {
                    *v = src[(ch * h + y) * w + x];
                }
            }
        }
    }

    /// Reads one image of this layout out as NCHW.
    pub fn copy_to_chw(&self, src: &[f32], dst: &mut [f32]) {
        let Shape { c, h, w } = self.shape;
        assert_eq!(dst.len(), self.shape.len());
        for y in 0..h {
            let row = &src[self.at(y, 0)..][..w * c];
            for (x, pixel) in row.chunks_exact(c).enumerate() {
                for (ch, v) in pixel.iter().enumerate() {
                    dst[(ch * h + y) * w + x] = *v;
                }
            }
        }
    }

    /// Zeroes the halo of one image and leaves the pixels alone.
    pub fn clear_halo(&self, image: &mut [f32]) {
        let (hy, hx) = self.halo;
        let (row, side) = (self.row(), hx * self.shape.c);
        let frame = hy * row;
        image[..frame].fill(0.0);
        image[self.len() - frame..self.len()].fill(0.0);
        if side > 0 {
            for r in image[frame..self.len() - frame].chunks_exact_mut(row) {
                r[..side].fill(0.0);
                r[row - side..].fill(0.0);
            }
        }
    }
}

/// Copies `n` images between two layouts. Shapes that differ are a flattening: rows follow one another in NHWC order.
pub fn copy_rows(src: &[f32], from: &Map, dst: &mut [f32], to: &Map, n: usize) {
    each_row(from, to, n, |a, b| dst[b].copy_from_slice(&src[a]));
}

/// Adds `n` images in one layout to those in another; see [`copy_rows`].
pub fn add_rows(src: &[f32], from: &Map, dst: &mut [f32], to: &Map, n: usize) {
    each_row(from, to, n, |a, b| {
        for (d, s) in dst[b].iter_mut().zip(&src[a]) {
            *d += s;
        }
    });
}

/// Pairs of ranges, of equal length, that hold the same numbers of an image in two layouts.
fn each_row(from: &Map, to: &Map, n: usize, mut visit: impl FnMut(std::ops::Range<usize>, std::ops::Range<usize>)) {
    assert_eq!(from.shape.len(), to.shape.len());
    // The image with more rows tells how long the common pieces are; the other one is then a single row.
    let (flat, tall) = if from.shape.h >= to.shape.h { (to, from) } else { (from, to) };
    assert!(flat.shape == tall.shape || flat.shape.h == 1, "a flattening has one row");
    let len = tall.shape.w * tall.shape.c;
    for i in 0..n {
        for y in 0..tall.shape.h {
            let there = i * tall.len() + tall.at(y, 0);
            let here = i * flat.len() + if flat.shape == tall.shape { flat.at(y, 0) } else { flat.at(0, 0) + y * len };
            let (a, b) = if std::ptr::eq(flat, to) { (there, here) } else { (here, there) };
            visit(a..a + len, b..b + len);
        }
    }
}
