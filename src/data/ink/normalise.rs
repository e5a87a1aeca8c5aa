//! MNIST's steps over pixels: the ink's box, area averaging, the centre of mass.

use super::{BOX, Picture};

/// The smallest `[left, top, right, bottom)` that holds every pixel above 0; nothing on blank paper.
pub(super) fn ink_box(coverage: &[u8], w: usize) -> Option<[usize; 4]> {
    let (mut left, mut right, mut top, mut bottom) = (w, 0, usize::MAX, 0);
    for (y, row) in coverage.chunks_exact(w).enumerate() {
        let Some(first) = row.iter().position(|&v| v > 0) else { continue };
        let last = row.iter().rposition(|&v| v > 0).unwrap_or(first);
        (left, right) = (left.min(first), right.max(last + 1));
        (top, bottom) = (top.min(y), y + 1);
    }
    (right > 0).then_some([left, top, right, bottom])
}

/// Averages the part `[left, top, right, bottom)` of a bitmap with rows of `stride` bytes down, or up, to `side` pixels
/// on its longer side. The shorter side is filled with paper, half on each end, up to a multiple of `cell`.
pub(super) fn area_average(coverage: &[u8], stride: usize, part: [usize; 4], side: usize, cell: usize) -> Picture {
    let [left, top, right, bottom] = part;
    let (w, h) = (right - left, bottom - top);
    let longer = w.max(h);
    let [across, down] =
        [w, h].map(|from| Axis { from, to: (from * side).div_ceil(longer * cell) * cell, side, longer });
    let mut out = Picture::blank(across.to, down.to);
    let across: Vec<_> = (0..out.w).flat_map(|x| across.shares(x).map(move |(k, share)| (x, k, share))).collect();
    let mut sums = vec![0.0f32; w];
    for (y, row) in out.pixels.chunks_exact_mut(out.w).enumerate() {
        sums.fill(0.0);
        for (k, share) in down.shares(y) {
            let src = &coverage[(top + k) * stride..][left..right];
            sums.iter_mut().zip(src).for_each(|(sum, &v)| *sum += share * f32::from(v));
        }
        across.iter().for_each(|&(x, k, share)| row[x] += share * sums[k]);
        row.iter_mut().for_each(|v| *v = (*v / 255.0).min(1.0));
    }
    out
}

/// `from` source pixels shrunk or grown by `side / longer` and laid in the middle of `to` pixels.
struct Axis {
    from: usize,
    to: usize,
    side: usize,
    longer: usize,
}

impl Axis {
    /// The source pixels under target pixel `i`, each with the share of the target it covers. What is beyond the source
    /// is paper.
    fn shares(&self, i: usize) -> impl Iterator<Item = (usize, f32)> {
        let step = self.longer as f64 / self.side as f64;
        let margin = (self.to as f64 * step - self.from as f64) / 2.0;
        let low = (i as f64 * step - margin).max(0.0);
        let high = ((i + 1) as f64 * step - margin).min(self.from as f64);
        let last = (high.ceil() as usize).min(self.from);
        let overlap = move |k: usize| ((k + 1) as f64).min(high) - (k as f64).max(low);
        (low as usize..last).map(move |k| (k, (overlap(k) / step) as f32))
    }
}

/// Means of `cell × cell` pixels.
pub(super) fn shrink(fine: &Picture, cell: usize) -> Picture {
    let mut out = Picture::blank(fine.w / cell, fine.h / cell);
    for (y, row) in out.pixels.chunks_exact_mut(out.w).enumerate() {
        for fine_row in fine.pixels[y * cell * fine.w..].chunks_exact(fine.w).take(cell) {
            for (pixel, part) in row.iter_mut().zip(fine_row.chunks_exact(cell)) {
                *pixel += part.iter().sum::<f32>();
            }
        }
    }
    let share = 1.0 / (cell * cell) as f32;
    out.pixels.iter_mut().for_each(|v| *v *= share);
    out
}

/// Lays a picture into `side × side` so that its centre of mass comes nearest to pixel `side / 2`, by whole pixels and
/// never over the edge.
pub(super) fn centre(scaled: &Picture, side: usize) -> Picture {
    debug_assert!(scaled.w <= BOX && scaled.h <= BOX);
    let (mut mass, mut mx, mut my) = (0.0f64, 0.0f64, 0.0f64);
    for (y, row) in scaled.pixels.chunks_exact(scaled.w).enumerate() {
        for (x, &v) in row.iter().enumerate() {
            let v = f64::from(v);
            mass += v;
            mx += v * x as f64;
            my += v * y as f64;
        }
    }
    let shift = |moment: f64, length: usize| {
        let at = (side as f64 / 2.0 - moment / mass).round();
        (at.max(0.0) as usize).min(side - length)
    };
    let (left, top) = (shift(mx, scaled.w), shift(my, scaled.h));
    let mut out = Picture::blank(side, side);
    for (y, row) in scaled.pixels.chunks_exact(scaled.w).enumerate() {
        out.pixels[(top + y) * side + left..][..scaled.w].copy_from_slice(row);
    }
    out
}
