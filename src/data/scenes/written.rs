//! A sheet from somebody's pen strokes, as large as networks for sheets know digits.

use super::digits::{THINNEST, bounds};
use crate::data::ink::{MAX_POINTS, Picture, capsule};
use crate::data::pictures::Rgb;
use crate::data::strokes::Stroke;
use crate::error::{Error, Result};

/// Pixels of the sheet along each side.
const SIDE: usize = 128;
/// The most pixels that the strokes may take along a side.
const ROOM: f32 = 112.0;
/// How high a digit is drawn where there is room: the middle of the sizes that networks have seen (14 to 56).
const HEIGHT: f32 = 36.0;
/// The pen, as part of a digit's height: a usual one of the scenes.
const PEN: f32 = 0.11;

/// Dark strokes on a white sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The sheet, 128 × 128.
    pub picture: Rgb,
    /// Pixels for one unit of the strokes.
    pub scale: f32,
    /// The strokes' coordinates of the sheet's left top corner.
    pub origin: [f32; 2],
}

impl Written {
    /// Draws strokes in any unit, x right, y down, in the middle of a sheet. A digit is taken for as high as the strokes of
    /// usual height are, so that one digit does not fill the sheet. No strokes give an empty sheet.
    ///
    /// Errors: [`Error::Value`] for more than [`MAX_POINTS`] points and for points that are not finite.
    pub fn new(strokes: &[Stroke]) -> Result<Self> {
        let points = || strokes.iter().flatten().copied();
        if points().count() > MAX_POINTS {
            return Err(Error::value("strokes", format!("at most {MAX_POINTS} points"), points().count()));
        }
        let [low, high] = bounds(points());
        let longest = (high[0] - low[0]).max(high[1] - low[1]);
        if points().any(|[x, y]| !x.is_finite() || !y.is_finite()) || longest == f32::INFINITY {
            return Err(Error::value("strokes", "points at finite places", "others"));
        }
        let (mut ink, height) = (Picture::blank(SIDE, SIDE), usual_height(strokes));
        // A dot has no size that could be measured.
        let scale = if longest > 1e-30 { (ROOM / longest).min(HEIGHT / height.max(1e-6 * longest)) } else { 1.0 };
        let half = 0.5 * SIDE as f32 / scale;
        let origin =
            [0, 1].map(|k| if points().next().is_some() { low[k] + 0.5 * (high[k] - low[k]) - half } else { 0.0 });
        let radius = 0.5 * (PEN * height * scale).clamp(THINNEST, PEN * HEIGHT);
        for stroke in strokes {
            let mut last = None;
            for p in stroke.iter().map(|p| [0, 1].map(|k| (p[k] - origin[k]) * scale)) {
                capsule(&mut ink, last.unwrap_or(p), p, radius);
                last = Some(p);
            }
        }
        let plane: Vec<f32> = ink.pixels.iter().map(|ink| 1.0 - ink).collect();
        Ok(Self { picture: Rgb { h: SIDE, w: SIDE, pixels: plane.repeat(3) }, scale, origin })
    }
}

/// The median height of the strokes that are at least half as high as the highest: bars and dots say nothing.
fn usual_height(strokes: &[Stroke]) -> f32 {
    let mut heights: Vec<f32> = strokes
        .iter()
        .filter(|stroke| !stroke.is_empty())
        .map(|stroke| bounds(stroke.iter().copied()))
        .map(|[low, high]| high[1] - low[1])
        .collect();
    heights.sort_by(f32::total_cmp);
    let highest = heights.last().copied().unwrap_or(0.0);
    let high = &heights[heights.partition_point(|height| *height < 0.5 * highest)..];
    high.get(high.len() / 2).copied().unwrap_or(0.0)
}
