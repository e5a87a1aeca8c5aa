//! Ink as MNIST would have it: strokes or a bitmap become the 28 × 28 picture the networks were trained on.
//!
//! The procedure is MNIST's own (LeCun et al. 1998, "Gradient-based learning applied to document recognition",
//! III.A): the ink's box is scaled to 20 pixels on its longer side, aspect kept, with area-averaged grey levels, and the
//! centre of mass is moved to the centre of 28 × 28. Measured on the 20,000 first training images: every box is 20 pixels
//! long and every centre of mass lies within half a pixel of (14, 14), pixels counted from 0 at their centres, evenly
//! spread. So the shift is by whole pixels and an MNIST image that is normalised again comes out as it was.
//!
//! Training, the page and the npm package all come through here. Everything is computed with `+ − × ÷ √` alone, so
//! every target gives the same bits.

mod normalise;
mod raster;

use crate::error::{Error, Result};
use normalise::{area_average, centre, ink_box, shrink};
use raster::Line;
pub(in crate::data) use raster::{Extent, capsule, extent};

/// Side of the network's input picture, in pixels.
pub const SIDE: usize = 28;
/// Longer side of the ink inside it, in pixels.
pub const BOX: usize = 20;
/// The line's thickness, in pixels of the 20-pixel box, that looks most like MNIST: with it the drawings of `pen-digits`
/// have 0.93 to 1.06 times the ink and 0.99 to 1.05 times the mean grey level of MNIST's, digit by digit.
pub const MNIST_PEN: f32 = 2.4;
/// The thickness that drawings are read with: thinner than [`MNIST_PEN`], so that the small loops of nines and eights stay
/// open. A network that saw MNIST alone reads 95.2 % of `pen-digits` with 2.4 and 95.5 % with 1.6 to 2.
pub const PEN: f32 = 1.8;
/// The most points one drawing may have. A pen that reports 200 points a second takes eight minutes to draw them.
pub const MAX_POINTS: usize = 100_000;
/// The longest side a bitmap may have, in pixels.
pub const MAX_BITMAP: usize = 4096;

/// Sub-pixels per pixel of the 20-pixel box, on each axis: the ink is drawn this much larger, then averaged down.
const FINE: usize = 4;
/// Longest side of [`Normalised::drawn`].
const VIEW: usize = SIDE * FINE;

/// A grey picture, rows from the top; 0 is paper, 1 is ink.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// Columns.
    pub w: usize,
    /// Rows.
    pub h: usize,
    /// `w · h` numbers from 0 to 1.
    pub pixels: Vec<f32>,
}

impl Picture {
    /// Blank paper.
    pub fn blank(w: usize, h: usize) -> Self {
        Self { w, h, pixels: vec![0.0; w * h] }
    }
}

/// The four steps from a drawing to the network's input.
#[derive(Debug, Clone, PartialEq)]
pub struct Normalised {
    /// The ink where it was drawn, at most 112 pixels long.
    pub drawn: Picture,
    /// The ink alone, 80 pixels long: four for each pixel of the next step.
    pub crop: Picture,
    /// The ink averaged down to 20 pixels on its longer side.
    pub scaled: Picture,
    /// 28 × 28 with the centre of mass in the middle: what the network sees.
    pub input: Picture,
}

/// Normalises pen strokes and keeps every step.
///
/// Points are `[x, y]`, y down, in any unit; `pen` is the line's thickness in pixels of the 20-pixel box (usually [`PEN`]), so
/// a drawing's size changes nothing. A stroke of one point is a round dot. `pad` is the width and height of the surface
/// the drawing is on, its origin at the top left; without it [`Normalised::drawn`] shows a square around the drawing.
///
/// [`Error::Empty`] without a single point; a value error on a coordinate that is not finite, on more than
/// [`MAX_POINTS`] and on a pen outside 0.5 to 10.
pub fn from_strokes<S: AsRef<[[f32; 2]]>>(strokes: &[S], pen: f32, pad: Option<[f32; 2]>) -> Result<Normalised> {
    let line = Line::measure(strokes, pen)?;
    let drawn = match pad {
        Some(pad) => line.on_pad(pad, VIEW)?,
        None => line.framed(VIEW, BOX * FINE),
    };
    let crop = line.cropped(BOX * FINE, FINE);
    let (scaled, input) = finish(&crop);
    Ok(Normalised { drawn, crop, scaled, input })
}

/// Normalises pen strokes straight into `dst`, 28 × 28 numbers; otherwise as [`from_strokes`].
pub fn render<S: AsRef<[[f32; 2]]>>(strokes: &[S], pen: f32, dst: &mut [f32]) -> Result<()> {
    if dst.len() != SIDE * SIDE {
        return Err(Error::shape("ink picture", SIDE * SIDE, dst.len()));
    }
    let (_, input) = finish(&Line::measure(strokes, pen)?.cropped(BOX * FINE, FINE));
    dst.copy_from_slice(&input.pixels);
    Ok(())
}

/// Normalises a bitmap of `w × h` coverages, rows from the top, 0 paper and 255 ink, and keeps every step.
///
/// Any pixel above 0 is ink, as in MNIST: a caller who has a photograph takes its paper away first. The line is as thick
/// as it was drawn; about an eighth of the drawing's longer side looks like MNIST.
///
/// [`Error::Empty`] when every pixel is 0; a shape error when `coverage` is not `w · h` long or a side is 0 or above
/// [`MAX_BITMAP`].
pub fn from_bitmap(coverage: &[u8], w: usize, h: usize) -> Result<Normalised> {
    if w == 0 || h == 0 || w > MAX_BITMAP || h > MAX_BITMAP {
        return Err(Error::shape("bitmap", format!("sides of 1 to {MAX_BITMAP}"), format!("{w} × {h}")));
    }
    if coverage.len() != w * h {
        return Err(Error::shape("bitmap", format!("{w} × {h} = {} coverages", w * h), coverage.len()));
    }
    let ink = ink_box(coverage, w).ok_or(Error::Empty)?;
    let whole = [0, 0, w, h];
    let drawn = area_average(coverage, w, whole, w.max(h).min(VIEW), 1);
    let crop = area_average(coverage, w, ink, BOX * FINE, FINE);
    let (scaled, input) = finish(&crop);
    Ok(Normalised { drawn, crop, scaled, input })
}

/// Coverages for [`from_bitmap`] of dark ink on light or transparent paper, from a canvas' pixels: four bytes each, red,
/// green, blue, alpha. What is lighter than a sixteenth of ink is paper: cameras and JPEG leave none quite white.
pub fn coverage(rgba: &[u8]) -> Vec<u8> {
    let ink = |p: &[u8]| {
        // Luma of ITU-R BT.601, in 256ths.
        let light = (77 * u32::from(p[0]) + 150 * u32::from(p[1]) + 29 * u32::from(p[2])) >> 8;
        let ink = (255 - light) * u32::from(p[3]) / 255;
        if ink < 16 { 0 } else { ink as u8 }
    };
    rgba.chunks_exact(4).map(ink).collect()
}

fn finish(crop: &Picture) -> (Picture, Picture) {
    let scaled = shrink(crop, FINE);
    let input = centre(&scaled, SIDE);
    (scaled, input)
}
