//! Sheets larger than a detector reads at once, window by window.
//!
//! A detector lays a whole picture on 128 × 128 pixels: a row of ten digits is then too small to be read. In overlapping windows
//! each digit is seen whole and large, and counts in the window that has it near its middle.

use super::{Ask, Detection, chosen};
use crate::data::pictures::Rgb;
use crate::error::{Error, Result};

/// A picture longer than this for its shorter side is a strip.
const STRIP: f32 = 2.5;
/// The most windows along a strip.
const MOST: usize = 31;

/// Pixels of the windows that a picture is best looked at in: all of it, or of a strip squares twice as large as it is wide.
pub fn window_of(picture: &Rgb) -> usize {
    let (long, short) = (picture.h.max(picture.w), picture.h.min(picture.w));
    if long as f32 <= STRIP * short as f32 {
        return long;
    }
    (2 * short).max((2 * long).div_ceil(MOST + 1))
}

/// The digits of a picture, the surest first, looked at in windows of `side` pixels that overlap by half or more.
///
/// Errors: [`Error::Value`] for a side of fewer than 2 pixels; those of the detector.
pub fn by_windows(
    picture: &Rgb,
    side: usize,
    ask: &Ask,
    mut detect: impl FnMut(&Rgb) -> Result<Vec<Detection>>,
) -> Result<Vec<Detection>> {
    if side >= picture.h.max(picture.w) {
        return detect(picture);
    }
    if side < 2 {
        return Err(Error::value("window", "at least 2 pixels", side));
    }
    let mut all = Vec::new();
    for (top, rows) in windows(picture.h, side) {
        for (left, columns) in windows(picture.w, side) {
            let part = picture.cut(top, left, side.min(picture.h), side.min(picture.w));
            let (x, y) = (left as f32, top as f32);
            for found in detect(&part)? {
                let [x0, y0, x1, y1] = found.region;
                let region = [x0 + x, y0 + y, x1 + x, y1 + y];
                let middle = |k: usize| 0.5 * (region[k] + region[k + 2]);
                if columns.contains(&middle(0)) && rows.contains(&middle(1)) {
                    all.push(Detection { region, ..found });
                }
            }
        }
    }
    Ok(chosen(all.into_iter(), ask, 1.0, picture))
}

/// Where windows begin along `n` pixels, and which middles count in each: what lies between two counts in both, so that none is lost.
fn windows(n: usize, side: usize) -> Vec<(usize, std::ops::RangeInclusive<f32>)> {
    let free = n.saturating_sub(side);
    let count = free.div_ceil(side / 2) + 1;
    let inner = 3.0 * side as f32 / 16.0;
    let each = |i: usize| {
        let start = if count > 1 { i * free / (count - 1) } else { 0 };
        let from = if i == 0 { 0.0 } else { start as f32 + inner };
        let to = if i + 1 == count { n as f32 } else { (start + side) as f32 - inner };
        (start, from..=to)
    };
    (0..count).map(each).collect()
}
