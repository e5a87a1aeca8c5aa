//! What scenes are drawn on, and in which colours.

use crate::data::ink::{Picture, capsule};
use crate::data::pictures::Rgb;
use crate::data::scribble::scribble;
use crate::rng::Rng;
use serde::{Deserialize, Serialize};

/// A kind of paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Paper {
    /// One colour.
    Plain,
    /// Lines across, or a grid.
    Ruled,
    /// Scribbles that are no digit, fainter than the ink.
    Clutter,
    /// From one colour to another.
    Gradient,
    /// Grain on every pixel, coarse and fine.
    Noise,
}

impl Paper {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Plain, Self::Ruled, Self::Clutter, Self::Gradient, Self::Noise];

    /// The word that programs know it by.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Ruled => "ruled",
            Self::Clutter => "clutter",
            Self::Gradient => "gradient",
            Self::Noise => "noise",
        }
    }
}

/// How light paper and ink are, 0 to 1, for dark ink on light paper: the lightest ink is 0.3 darker than any paper.
const PAPER: [f32; 2] = [0.6, 1.0];
const INK: [f32; 2] = [0.0, 0.3];
/// How strong lines and scribbles are, as part of the way to a colour of ink.
const RULED: [f32; 2] = [0.15, 0.5];
const CLUTTER: [f32; 2] = [0.12, 0.45];
/// Deviation of the grain of noisy paper and, at most, of any other.
const GRAIN: [f32; 3] = [0.03, 0.1, 0.015];

/// The colours of a scene.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    pub inverted: bool,
    pub coloured: bool,
}

impl Palette {
    /// A colour for a digit.
    pub(super) fn ink(self, rng: &mut Rng) -> [f32; 3] {
        let light = rng.range(INK[0], INK[1]);
        self.colour(rng, light)
    }

    fn paper(self, rng: &mut Rng) -> [f32; 3] {
        let light = rng.range(PAPER[0], PAPER[1]);
        self.colour(rng, light)
    }

    /// A colour of this lightness (luma of ITU-R BT.601), or of its complement on dark paper.
    fn colour(self, rng: &mut Rng, light: f32) -> [f32; 3] {
        let light = if self.inverted { 1.0 - light } else { light };
        if !self.coloured {
            return [light; 3];
        }
        let hue = [rng.uniform(), rng.uniform(), rng.uniform()];
        let luma = 0.299 * hue[0] + 0.587 * hue[1] + 0.114 * hue[2];
        let tint = hue.map(|v| v - luma);
        // As much colour as leaves every part of it within 0 to 1, so that the lightness stays.
        let room = tint.iter().map(|t| if *t > 0.0 { (1.0 - light) / t } else { light / (-t).max(1e-6) });
        let most = room.fold(1.2, f32::min);
        tint.map(|t| (light + most * t).clamp(0.0, 1.0))
    }
}

impl Paper {
    /// An empty sheet.
    pub(super) fn lay(self, rng: &mut Rng, palette: Palette, side: usize) -> Rgb {
        let colour = palette.paper(rng);
        let mut sheet = Rgb::new(side, side);
        let planes = sheet.pixels.chunks_exact_mut(side * side);
        planes.zip(colour).for_each(|(plane, value)| plane.fill(value));
        match self {
            Self::Plain => {}
            Self::Ruled => ruled(rng, palette, &mut sheet),
            Self::Clutter => clutter(rng, palette, &mut sheet),
            Self::Gradient => {
                let other = palette.paper(rng);
                gradient(rng, [colour, other], &mut sheet);
            }
            Self::Noise => blotches(rng, &mut sheet),
        }
        sheet
    }

    /// Lays grain over everything, the same on each plane.
    pub(super) fn grain(self, rng: &mut Rng, sheet: &mut Rgb) {
        let most = if self == Self::Noise { rng.range(GRAIN[0], GRAIN[1]) } else { rng.range(0.0, GRAIN[2]) };
        let pixels = sheet.h * sheet.w;
        for i in 0..pixels {
            let grain = most * rng.normal();
            for plane in sheet.pixels.chunks_exact_mut(pixels) {
                plane[i] = (plane[i] + grain).clamp(0.0, 1.0);
            }
        }
    }
}

/// Moves pixels towards a colour as far as `cover` says, times `strength`.
fn tint(sheet: &mut Rgb, colour: [f32; 3], strength: f32, cover: impl Fn(usize) -> f32) {
    let pixels = sheet.h * sheet.w;
    for (plane, colour) in sheet.pixels.chunks_exact_mut(pixels).zip(colour) {
        for (i, pixel) in plane.iter_mut().enumerate() {
            *pixel += strength * cover(i) * (colour - *pixel);
        }
    }
}

fn ruled(rng: &mut Rng, palette: Palette, sheet: &mut Rgb) {
    let (pitch, first, thick) = (rng.range(8.0, 24.0), rng.range(0.0, 24.0), rng.range(0.7, 1.6));
    let (grid, colour, strength) = (rng.below(3) == 0, palette.ink(rng), rng.range(RULED[0], RULED[1]));
    let line = |at: usize| {
        let from_line = (at as f32 + 0.5 - first) / pitch;
        let distance = (from_line - from_line.round()).abs() * pitch;
        (0.5 * thick + 0.5 - distance).clamp(0.0, 1.0)
    };
    let w = sheet.w;
    let cover = |i: usize| if grid { line(i / w).max(line(i % w)) } else { line(i / w) };
    tint(sheet, colour, strength, cover);
}

fn clutter(rng: &mut Rng, palette: Palette, sheet: &mut Rgb) {
    let side = sheet.w as f32;
    for _ in 0..3 + rng.below(7) {
        let strokes = scribble(rng);
        let (size, pen) = (rng.range(0.08, 0.45) * side, rng.range(0.5, 1.6));
        let corner = [rng.range(-0.1, 0.9) * side, rng.range(-0.1, 0.9) * side];
        let (colour, strength) = (palette.ink(rng), rng.range(CLUTTER[0], CLUTTER[1]));
        let mut picture = Picture::blank(sheet.w, sheet.h);
        for stroke in &strokes {
            let at = |p: &[f32; 2]| [0, 1].map(|k| corner[k] + size * p[k]);
            let mut last = None;
            for p in stroke.iter().map(at) {
                capsule(&mut picture, last.unwrap_or(p), p, pen);
                last = Some(p);
            }
        }
        tint(sheet, colour, strength, |i| picture.pixels[i]);
    }
}

fn gradient(rng: &mut Rng, [from, to]: [[f32; 3]; 2], sheet: &mut Rgb) {
    let (w, side) = (sheet.w, sheet.w as f32);
    let round = rng.below(3) == 0;
    let angle = rng.range(0.0, std::f32::consts::TAU);
    let (along, middle) = ([libm::cosf(angle), libm::sinf(angle)], [rng.uniform(), rng.uniform()]);
    let cover = |i: usize| {
        let p = [(i % w) as f32 / side, (i / w) as f32 / side];
        let t = if round { distance(p, middle) } else { 0.5 + along[0] * (p[0] - 0.5) + along[1] * (p[1] - 0.5) };
        t.clamp(0.0, 1.0)
    };
    let pixels = sheet.h * sheet.w;
    for ((plane, from), to) in sheet.pixels.chunks_exact_mut(pixels).zip(from).zip(to) {
        plane.iter_mut().enumerate().for_each(|(i, pixel)| *pixel = from + cover(i) * (to - from));
    }
}

/// Coarse noise: normal numbers on a grid, bilinear between them.
fn blotches(rng: &mut Rng, sheet: &mut Rgb) {
    let (cells, strength) = (4 + rng.below(13), rng.range(0.0, 0.08));
    let values: Vec<f32> = (0..(cells + 1) * (cells + 1)).map(|_| strength * rng.normal()).collect();
    let (w, pixels) = (sheet.w, sheet.h * sheet.w);
    for i in 0..pixels {
        let [x, y] = [i % w, i / w].map(|v| (v * cells) as f32 / w as f32);
        let (left, top) = (x as usize, y as usize);
        let (fx, fy) = (x - left as f32, y - top as f32);
        let at = |dx: usize, dy: usize| values[(top + dy) * (cells + 1) + left + dx];
        let upper = at(0, 0) + fx * (at(1, 0) - at(0, 0));
        let lower = at(0, 1) + fx * (at(1, 1) - at(0, 1));
        let value = upper + fy * (lower - upper);
        sheet.pixels.chunks_exact_mut(pixels).for_each(|plane| plane[i] = (plane[i] + value).clamp(0.0, 1.0));
    }
}

fn distance(a: [f32; 2], b: [f32; 2]) -> f32 {
    let (dx, dy) = (a[0] - b[0], a[1] - b[1]);
    (dx * dx + dy * dy).sqrt()
}
