//! Regions of interest: a box of a feature map as a small map of fixed size, and boxes that say the same twice.
//!
//! [`align`] samples bilinearly (RoIAlign; He et al. 2017, "Mask R-CNN", 3), [`pool`] takes the maximum of whole pixels (RoI
//! pooling; Girshick 2015, "Fast R-CNN", 2.1), both by torchvision's rules. Boxes are `[x0, y0, x1, y1]`, half open, in the
//! picture's pixels. Lanes run along the channels, and every channel is computed in the same order, so the bits are the same
//! at every lane level.

use super::pool::{Source, Target};
use fearless_simd::{Level, dispatch, prelude::*};
use fearless_simd_macros::simd;
use std::ops::Range;

/// A box `[x0, y0, x1, y1]`.
pub type Region = [f32; 4];

/// How a region becomes a map.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Align {
    /// Rows and columns of what comes out.
    pub out: (usize, usize),
    /// Pixels of the map for one of the picture: a quarter at a stride of 4.
    pub scale: f32,
    /// Samples along each side of a bin; 0 for as many as it has pixels, up to [`Align::MOST`].
    pub samples: usize,
    /// Whether pixels are areas, with their middles at halves. Without it, as in the first torchvision, a region lies half
    /// a pixel too far to the right and below, and is at least one pixel wide and high.
    pub aligned: bool,
}

/// Where a sample lies along one axis: two neighbours, and how much the second one counts.
#[derive(Clone, Copy)]
struct Tap {
    first: usize,
    second: usize,
    share: f32,
}

impl Align {
    /// The most samples along a side of a bin, so that a box of absurd size costs no more.
    pub const MOST: usize = 256;

    /// `out × out` numbers a channel, 2 × 2 samples a bin, aligned: Faster R-CNN's.
    pub const fn square(out: usize, scale: f32) -> Self {
        Self { out: (out, out), scale, samples: 2, aligned: true }
    }

    /// The samples along one axis of a region from `low` to `high`, bin after bin, and how many a bin has. Those far outside
    /// of a map of `size` pixels, and those of a NaN, are none.
    fn taps(&self, [low, high]: [f32; 2], out: usize, size: usize) -> (Vec<Option<Tap>>, usize) {
        let offset = if self.aligned { 0.5 } else { 0.0 };
        let (low, high) = (low * self.scale - offset, high * self.scale - offset);
        let length = if self.aligned { high - low } else { (high - low).max(1.0) };
        let bin = length / out as f32;
        // A cast to usize stops at 0, where a region is turned over.
        let each = if self.samples > 0 { self.samples } else { (bin.ceil() as usize).min(Self::MOST) };
        let tap = |i: usize| {
            let (bins, sample) = (i / each, i % each);
            let at = low + bins as f32 * bin + (sample as f32 + 0.5) * bin / each as f32;
            if !(at >= -1.0 && at <= size as f32) {
                return None;
            }
            let at = at.max(0.0);
            let first = at as usize;
            let last = size - 1;
            Some(if first >= last {
                Tap { first: last, second: last, share: 0.0 }
            } else {
                Tap { first, second: first + 1, share: at - first as f32 }
            })
        };
        ((0..out * each).map(tap).collect(), each)
    }

    fn both(&self, region: Region, x: (usize, usize)) -> [(Vec<Option<Tap>>, usize); 2] {
        let [x0, y0, x1, y1] = region;
        [self.taps([y0, y1], self.out.0, x.0), self.taps([x0, x1], self.out.1, x.1)]
    }
}

/// `y` = the regions of one image as maps of `how.out`, one after another, NHWC without halo: each number the mean of its
/// bin's samples, those outside of the map 0.
pub fn align(level: Level, how: &Align, x: Source, regions: &[Region], y: &mut [f32]) {
    check(how.out, x.0.len(), x.1, regions, y.len());
    dispatch!(level, simd => align_body(simd, how, x, regions, y));
}

/// As [`align`] with the largest of a bin's weighted corners in the place of its mean: ONNX's mode `max`, which weighs the four
/// pixels of every sample and takes the maximum of all, not of their sums.
pub fn align_max(how: &Align, (x, map): Source, regions: &[Region], y: &mut [f32]) {
    check(how.out, x.len(), map, regions, y.len());
    let c = map.shape.c;
    for (region, y) in regions.iter().zip(y.chunks_exact_mut(how.out.0 * how.out.1 * c)) {
        let [(rows, ny), (columns, nx)] = how.both(*region, (map.shape.h, map.shape.w));
        for (i, y) in y.chunks_exact_mut(c).enumerate() {
            let (oy, ox) = (i / how.out.1, i % how.out.1);
            let (rows, columns) = (&rows[oy * ny..][..ny], &columns[ox * nx..][..nx]);
            let samples = rows.iter().flat_map(|row| columns.iter().map(move |column| (*row).zip(*column)));
            y.fill(if ny * nx == 0 { 0.0 } else { f32::NEG_INFINITY });
            for sample in samples {
                // A sample outside of the map is 0.
                let Some((row, column)) = sample else {
                    y.iter_mut().for_each(|y| *y = y.max(0.0));
                    continue;
                };
                for (r, k, part) in corners(row, column) {
                    y.iter_mut().zip(&x[map.at(r, k)..][..c]).for_each(|(y, x)| *y = y.max(part * x));
                }
            }
        }
    }
}

/// `dx +=` what each number of it gave to `dy`, which lies as [`align`] left `y`.
pub fn align_backward(level: Level, how: &Align, dy: &[f32], regions: &[Region], dx: Target) {
    check(how.out, dx.0.len(), dx.1, regions, dy.len());
    dispatch!(level, simd => align_backward_body(simd, how, dy, regions, dx));
}

/// As [`align`] by maxima: the box is rounded to whole pixels, `x1` and `y1` included, and cut into bins that may share
/// pixels; a bin outside of the map is 0.
pub fn pool(level: Level, out: (usize, usize), scale: f32, x: Source, regions: &[Region], y: &mut [f32]) {
    check(out, x.0.len(), x.1, regions, y.len());
    dispatch!(level, simd => pool_body(simd, out, scale, x, regions, y));
}

/// `dx += dy` at the first maximum of each bin, rows before columns. `x` is what [`pool`] read.
pub fn pool_backward(
    level: Level,
    out: (usize, usize),
    scale: f32,
    x: Source,
    dy: &[f32],
    regions: &[Region],
    dx: Target,
) {
    check(out, x.0.len(), x.1, regions, dy.len());
    assert!(dx.0.len() == dx.1.len() && dx.1.shape == x.1.shape, "a gradient of the map's size");
    dispatch!(level, simd => pool_backward_body(simd, out, scale, x, dy, regions, dx));
}

fn check(out: (usize, usize), len: usize, map: &crate::tensor::Map, regions: &[Region], numbers: usize) {
    assert!(len == map.len() && !map.shape.is_empty(), "one image");
    assert!(out.0 > 0 && out.1 > 0, "at least one bin");
    assert_eq!(numbers, regions.len() * out.0 * out.1 * map.shape.c, "a map for each region");
}

/// The four pixels of a sample and their shares.
#[inline(always)]
fn corners(row: Tap, column: Tap) -> [(usize, usize, f32); 4] {
    let (down, across) = (row.share, column.share);
    [
        (row.first, column.first, (1.0 - down) * (1.0 - across)),
        (row.first, column.second, (1.0 - down) * across),
        (row.second, column.first, down * (1.0 - across)),
        (row.second, column.second, down * across),
    ]
}

#[simd]
fn align_body<S: Simd>(_: S, how: &Align, (x, map): Source, regions: &[Region], y: &mut [f32]) {
    let c = map.shape.c;
    for (region, y) in regions.iter().zip(y.chunks_exact_mut(how.out.0 * how.out.1 * c)) {
        let [(rows, ny), (columns, nx)] = how.both(*region, (map.shape.h, map.shape.w));
        let share = 1.0 / (ny * nx).max(1) as f32;
        for (i, y) in y.chunks_exact_mut(c).enumerate() {
            y.fill(0.0);
            let (oy, ox) = (i / how.out.1, i % how.out.1);
            for row in rows[oy * ny..][..ny].iter().flatten() {
                for column in columns[ox * nx..][..nx].iter().flatten() {
                    for (r, k, part) in corners(*row, *column) {
                        for (y, x) in y.iter_mut().zip(&x[map.at(r, k)..][..c]) {
                            *y += part * x;
                        }
                    }
                }
            }
            y.iter_mut().for_each(|y| *y *= share);
        }
    }
}

#[simd]
fn align_backward_body<S: Simd>(_: S, how: &Align, dy: &[f32], regions: &[Region], (dx, map): Target) {
    let c = map.shape.c;
    for (region, dy) in regions.iter().zip(dy.chunks_exact(how.out.0 * how.out.1 * c)) {
        let [(rows, ny), (columns, nx)] = how.both(*region, (map.shape.h, map.shape.w));
        let share = 1.0 / (ny * nx).max(1) as f32;
        for (i, dy) in dy.chunks_exact(c).enumerate() {
            let (oy, ox) = (i / how.out.1, i % how.out.1);
            for row in rows[oy * ny..][..ny].iter().flatten() {
                for column in columns[ox * nx..][..nx].iter().flatten() {
                    for (r, k, part) in corners(*row, *column) {
                        let part = part * share;
                        for (dx, dy) in dx[map.at(r, k)..][..c].iter_mut().zip(dy) {
                            *dx += part * dy;
                        }
                    }
                }
            }
        }
    }
}

/// The pixels of bin `o` of `out` along one axis of a region from `low` to `high`, on a map of `size`.
fn bin([low, high]: [f32; 2], scale: f32, (o, out): (usize, usize), size: usize) -> Range<usize> {
    let (low, high) = ((low * scale).round(), (high * scale).round());
    let bin = (high - low + 1.0).max(1.0) / out as f32;
    let clip = |v: f32| (v.max(0.0) as usize).min(size);
    clip((o as f32 * bin).floor() + low)..clip(((o + 1) as f32 * bin).ceil() + low)
}

#[simd]
fn pool_body<S: Simd>(_: S, out: (usize, usize), scale: f32, (x, map): Source, regions: &[Region], y: &mut [f32]) {
    let c = map.shape.c;
    for ([x0, y0, x1, y1], y) in regions.iter().zip(y.chunks_exact_mut(out.0 * out.1 * c)) {
        for (i, y) in y.chunks_exact_mut(c).enumerate() {
            let rows = bin([*y0, *y1], scale, (i / out.1, out.0), map.shape.h);
            let columns = bin([*x0, *x1], scale, (i % out.1, out.1), map.shape.w);
            y.fill(if rows.is_empty() || columns.is_empty() { 0.0 } else { f32::MIN });
            for (r, k) in rows.flat_map(|r| columns.clone().map(move |k| (r, k))) {
                for (y, x) in y.iter_mut().zip(&x[map.at(r, k)..][..c]) {
                    *y = if *x > *y { *x } else { *y };
                }
            }
        }
    }
}

#[simd]
fn pool_backward_body<S: Simd>(
    _: S,
    out: (usize, usize),
    scale: f32,
    (x, map): Source,
    dy: &[f32],
    regions: &[Region],
    (dx, dmap): Target,
) {
    let c = map.shape.c;
    for ([x0, y0, x1, y1], dy) in regions.iter().zip(dy.chunks_exact(out.0 * out.1 * c)) {
        for (i, dy) in dy.chunks_exact(c).enumerate() {
            let rows = bin([*y0, *y1], scale, (i / out.1, out.0), map.shape.h);
            let columns = bin([*x0, *x1], scale, (i % out.1, out.1), map.shape.w);
            for (ch, dy) in dy.iter().enumerate() {
                let (mut most, mut place) = (f32::MIN, None);
                for (r, k) in rows.clone().flat_map(|r| columns.clone().map(move |k| (r, k))) {
                    let value = x[map.at(r, k) + ch];
                    if value > most {
                        (most, place) = (value, Some(dmap.at(r, k) + ch));
                    }
                }
                if let Some(place) = place {
                    dx[place] += dy;
                }
            }
        }
    }
}

/// Intersection over union of two boxes; 0 where neither has an area.
pub fn iou(a: Region, b: Region) -> f32 {
    let side = |k: usize| (a[k + 2].min(b[k + 2]) - a[k].max(b[k])).max(0.0);
    let area = |b: Region| (b[2] - b[0]) * (b[3] - b[1]);
    let both = side(0) * side(1);
    let ratio = both / (area(a) + area(b) - both);
    if ratio.is_nan() { 0.0 } else { ratio }
}

/// Non-maximum suppression: the numbers of the boxes that stay, the greatest score first, equal scores in their order. A box
/// goes where it shares more than `threshold` (intersection over union) with one that stays; exactly so much stays.
/// Scores and boxes are as many; a NaN counts as the greatest score, as in torchvision.
pub fn suppress(boxes: &[Region], scores: &[f32], threshold: f32) -> Vec<usize> {
    assert_eq!(boxes.len(), scores.len(), "a score for each box");
    let mut order: Vec<usize> = (0..boxes.len()).collect();
    let key = |i: usize| if scores[i].is_nan() { f32::INFINITY } else { scores[i] };
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
    let mut kept: Vec<usize> = Vec::new();
    for i in order {
        // Not `<=`: what cannot be compared suppresses nothing.
        if !kept.iter().any(|&k| iou(boxes[k], boxes[i]) > threshold) {
            kept.push(i);
        }
    }
    kept
}
