//! A sheet from somebody's pen strokes, as large as networks for sheets know digits.

use super::digits::{THINNEST, bounds};
use crate::data::ink::{MAX_POINTS, Picture, capsule};
use crate::data::pictures::Rgb;
use crate::data::strokes::Stroke;
use crate::error::{Error, Result};

/// Pixels of a sheet along each side, and what its strokes may take of them.
const SIDE: usize = 128;
const EDGE: f32 = 8.0;
/// The longest side of a sheet for strokes that need more than one, and the most pixels of their box.
const LONGEST: f32 = 1024.0;
const MOST: f32 = 262_144.0;
/// How high a digit is drawn: the middle of the sizes that networks have seen (14 to 56).
const HEIGHT: f32 = 36.0;
/// The pen, as part of a digit's height: a usual one of the scenes.
const PEN: f32 = 0.11;

/// Dark strokes on a white sheet.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// The sheet: 128 × 128, or larger where the strokes find no room on that.
    pub picture: Rgb,
    /// Pixels for one unit of the strokes.
    pub scale: f32,
    /// The strokes' coordinates of the sheet's left top corner.
    pub origin: [f32; 2],
}

impl Written {
    /// Draws strokes in any unit, x right, y down, in the middle of a sheet. A digit is taken for as high as the strokes of
    /// usual height are, so that one digit does not fill the sheet, and many are not too small on one. No strokes give an empty sheet.
    ///
    /// Errors: [`Error::Value`] for more than [`MAX_POINTS`] points and for points that are not finite.
    pub fn new(strokes: &[Stroke]) -> Result<Self> {
        let points = || strokes.iter().flatten().copied();
        if points().count() > MAX_POINTS {
            return Err(Error::value("strokes", format!("at most {MAX_POINTS} points"), points().count()));
        }
        let [low, high] = if points().next().is_some() { bounds(points()) } else { [[0.0; 2]; 2] };
        let size = [0, 1].map(|k| high[k] - low[k]);
        if points().any(|[x, y]| !x.is_finite() || !y.is_finite()) || !(size[0] + size[1]).is_finite() {
            return Err(Error::value("strokes", "points at finite places", "others"));
        }
        let height = usual_height(strokes);
        let scale = scale(size, height);
        let [w, h] = size.map(|v| (v * scale + 2.0 * EDGE).ceil().clamp(SIDE as f32, LONGEST) as usize);
        let half = [w, h].map(|side| 0.5 * side as f32 / scale);
        let origin = [0, 1].map(|k| low[k] + 0.5 * size[k] - half[k]);
        let radius = 0.5 * (PEN * height * scale).clamp(THINNEST, PEN * HEIGHT);
        let mut ink = Picture::blank(w, h);
        for stroke in strokes {
            let mut last = None;
            for p in stroke.iter().map(|p| [0, 1].map(|k| (p[k] - low[k] - 0.5 * size[k]) * scale + half[k] * scale)) {
                capsule(&mut ink, last.unwrap_or(p), p, radius);
                last = Some(p);
            }
        }
        let plane: Vec<f32> = ink.pixels.iter().map(|ink| 1.0 - ink).collect();
        Ok(Self { picture: Rgb { h, w, pixels: plane.repeat(3) }, scale, origin })
    }
}

/// Pixels for a unit of strokes that take so much room and whose digits are so high.
fn scale(size: [f32; 2], height: f32) -> f32 {
    let longest = size[0].max(size[1]);
    // A dot has no size that could be measured.
    if longest < 1e-30 {
        return 1.0;
    }
    let one = (SIDE as f32 - 2.0 * EDGE) / longest;
    let area = (MOST / size[0].max(1e-3 * longest) / size[1].max(1e-3 * longest)).sqrt();
    let room = ((LONGEST - 2.0 * EDGE) / longest).min(area);
    // Where nothing is high, as in a dash, the sheet is filled.
    if height < 1e-3 * longest { one } else { (HEIGHT / height).min(room) }
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
