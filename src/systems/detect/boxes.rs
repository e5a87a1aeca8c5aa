//! Boxes as numbers for a network: anchors, and a box as it lies beside another (Girshick et al. 2014, appendix C).

use crate::kernel::roi::Region;
use crate::zoo::faster_rcnn::STRIDE;

/// Heights of the anchors at each place, in pixels of the network's picture: even in the logarithm, over those of the digits.
pub const HEIGHTS: [f32; 4] = [17.0, 25.0, 36.0, 50.0];
/// The width of an anchor for its height, as digits have it.
const ASPECT: f32 = 0.7;
/// The most that a box may grow, as a logarithm: 1,000 pixels from 16.
const GROWTH: f32 = 4.135;

/// The units of shifts that a network learns, so that they are about 1: of the middle, and of the logarithms of the sides.
pub type Units = [f32; 2];
/// For anchors.
pub const ANCHOR_UNITS: Units = [0.3, 0.3];
/// For regions, which lie nearer.
pub const REGION_UNITS: Units = [0.1, 0.15];

/// The anchor of this height's number at this place of the map of features.
pub fn anchor(row: usize, column: usize, kind: usize) -> Region {
    let middle = |i: usize| (i as f32 + 0.5) * STRIDE as f32;
    let (h, w) = (0.5 * HEIGHTS[kind], 0.5 * HEIGHTS[kind] * ASPECT);
    [middle(column) - w, middle(row) - h, middle(column) + w, middle(row) + h]
}

/// Every anchor of a map of these sides: rows, then columns, then heights.
pub fn anchors(h: usize, w: usize) -> impl Iterator<Item = Region> {
    let places = (0..h).flat_map(move |row| (0..w).map(move |column| (row, column)));
    places.flat_map(|(row, column)| (0..HEIGHTS.len()).map(move |kind| anchor(row, column, kind)))
}

fn middle_and_sides([x0, y0, x1, y1]: Region) -> [f32; 4] {
    // A box without a side has a small one, so that logarithms stay finite.
    [0.5 * (x0 + x1), 0.5 * (y0 + y1), (x1 - x0).max(0.01), (y1 - y0).max(0.01)]
}

/// Where a box lies beside another: how far its middle, in sides of the other, and the logarithms of its sides.
pub fn shift(from: Region, to: Region, units: Units) -> [f32; 4] {
    let ([x, y, w, h], [tx, ty, tw, th]) = (middle_and_sides(from), middle_and_sides(to));
    [(tx - x) / w / units[0], (ty - y) / h / units[0], libm::logf(tw / w) / units[1], libm::logf(th / h) / units[1]]
}

/// The box that lies so beside another: the inverse of [`shift`].
pub fn shifted(from: Region, by: [f32; 4], units: Units) -> Region {
    let [x, y, w, h] = middle_and_sides(from);
    let grown = |side: f32, by: f32| 0.5 * side * libm::expf((by * units[1]).min(GROWTH));
    let (x, y) = (x + by[0] * units[0] * w, y + by[1] * units[0] * h);
    let (w, h) = (grown(w, by[2]), grown(h, by[3]));
    [x - w, y - h, x + w, y + h]
}

/// The part of a box that lies within a picture.
pub fn within([x0, y0, x1, y1]: Region, w: f32, h: f32) -> Region {
    [x0.clamp(0.0, w), y0.clamp(0.0, h), x1.clamp(0.0, w), y1.clamp(0.0, h)]
}
