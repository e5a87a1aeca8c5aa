//! Digit scenes: a sheet with several digits on it, and the whole truth about them.
//!
//! Detection, segmentation and captions learn from sheets that the engine draws itself: 128 × 128 pixels, grey or
//! coloured, with digits of many sizes, turned and overlapping, on several kinds of paper. What a scene holds follows
//! from its setup, its digits and one seed, on every target the same. The seeds to learn from, to choose by and to be
//! judged by are disjoint ranges: see [`Part`].
//!
//! [`coco`] reads and writes the boxes and masks as COCO's JSON, [`graph`] says in words how the digits of a scene lie.

pub mod coco;
mod digits;
pub mod graph;
mod paper;
mod written;

pub use digits::{Digits, Origin};
pub use paper::Paper;
pub use written::Written;

use super::pictures::Rgb;
use crate::error::{Error, Result};
use crate::rng::Rng;
use digits::Ink;
use paper::Palette;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What scenes hold. As JSON every part may be left out, and is then [`Setup::full`]'s.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Setup {
    /// Columns and rows of the sheet, in pixels: 32 to [`Setup::LARGEST`].
    pub side: usize,
    /// The fewest and the most digits, at most [`Setup::MOST`]. What finds no room is left out.
    pub count: [usize; 2],
    /// The smallest and the largest height of a digit's ink in pixels, even in the logarithm.
    pub heights: [f32; 2],
    /// The most that two boxes may share, as part of the smaller one.
    pub overlap: f32,
    /// How far a digit may be turned, either way, in degrees; below 45, where a 6 would near a 9.
    pub rotate: f32,
    /// Part of the scenes that is coloured.
    pub coloured: f32,
    /// Part of the scenes with light ink on dark paper.
    pub inverted: f32,
    /// Kinds of paper, each as likely as the others.
    pub papers: Vec<Paper>,
}

impl Default for Setup {
    fn default() -> Self {
        Self::full()
    }
}

impl Setup {
    /// The longest side of a sheet.
    pub const LARGEST: usize = 512;
    /// The most digits that may be asked for.
    pub const MOST: usize = 64;

    /// The full difficulty: 0 to 8 digits of 14 to 56 pixels, overlapping up to 0.3 of the smaller box, on every paper.
    pub fn full() -> Self {
        Self {
            side: 128,
            count: [0, 8],
            heights: [14.0, 56.0],
            overlap: 0.3,
            rotate: 25.0,
            coloured: 0.5,
            inverted: 0.5,
            papers: Paper::ALL.to_vec(),
        }
    }

    /// What a person draws on an empty sheet: 3 to 6 dark digits, none over another.
    pub fn sheet() -> Self {
        Self {
            count: [3, 6],
            heights: [20.0, 56.0],
            overlap: 0.0,
            rotate: 0.0,
            coloured: 0.0,
            inverted: 0.0,
            papers: vec![Paper::Plain],
            ..Self::full()
        }
    }

    /// Reads the JSON object. Errors name the word that is wrong.
    pub fn from_json(text: &str) -> Result<Self> {
        let setup: Self = serde_json::from_str(text).map_err(|e| Error::format("scene", "an object of settings", e))?;
        setup.check().map(|()| setup)
    }

    /// Refuses settings that make no scene, by name.
    pub fn check(&self) -> Result<()> {
        let wrong =
            |what: &str, expected: String, got: String| Err(Error::value(format!("scene: {what}"), expected, got));
        let Self { side, count: [least, most], heights: [low, high], .. } = *self;
        if !(32..=Self::LARGEST).contains(&side) {
            return wrong("side", format!("32 to {} pixels", Self::LARGEST), side.to_string());
        }
        if least > most || most > Self::MOST {
            return wrong(
                "count",
                format!("the fewest and the most digits, up to {}", Self::MOST),
                format!("{least} to {most}"),
            );
        }
        if !(8.0..=side as f32).contains(&low) || !(low..=side as f32).contains(&high) {
            return wrong(
                "heights",
                format!("the smallest and the largest from 8 to {side} pixels"),
                format!("{low} to {high}"),
            );
        }
        let parts = [("overlap", self.overlap, 1.0), ("rotate", self.rotate, 45.0)];
        let parts = parts.into_iter().chain([("coloured", self.coloured, 1.0), ("inverted", self.inverted, 1.0)]);
        for (what, value, most) in parts {
            if !(0.0..=most).contains(&value) {
                return wrong(what, format!("a number from 0 to {most}"), value.to_string());
            }
        }
        if self.papers.is_empty() { wrong("papers", "at least one kind".into(), "none".into()) } else { Ok(()) }
    }
}

/// What a scene is for. Each part has seeds of its own, so that nobody is judged by what they have seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// To learn from: seeds 0 to 999,999,999.
    Train,
    /// To choose by: a million seeds from 1,000,000,000 on.
    Validation,
    /// To be judged by, once: a million seeds from 2,000,000,000 on.
    Test,
}

impl Part {
    /// Its seeds.
    pub const fn seeds(self) -> Range<u64> {
        match self {
            Self::Train => 0..1_000_000_000,
            Self::Validation => 1_000_000_000..1_001_000_000,
            Self::Test => 2_000_000_000..2_001_000_000,
        }
    }

    /// The seed of its scene `i`; behind the last one it begins anew.
    pub const fn seed(self, i: u64) -> u64 {
        let Range { start, end } = self.seeds();
        start + i % (end - start)
    }
}

/// A box `[x0, y0, x1, y1]` in pixels, half open: `x1` and `y1` lie outside.
pub type Box4 = [f32; 4];

/// One digit of a scene.
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Which digit, 0 to 9.
    pub digit: u8,
    /// The smallest box around its ink, also around what others hide, in whole pixels.
    pub bbox: Box4,
    /// How much of each pixel of the box its ink covers, 0 to 255, row after row; from [`Object::INK`] on it is ink.
    pub coverage: Vec<u8>,
    /// How far it is turned, in degrees, clockwise.
    pub turned: f32,
    /// Its colour: red, green and blue.
    pub colour: [f32; 3],
    /// Where it comes from.
    pub origin: Origin,
}

impl Object {
    /// The least coverage that counts as ink.
    pub const INK: u8 = 128;

    /// The box's corner and sides in whole pixels: `[x, y, w, h]`.
    pub fn frame(&self) -> [usize; 4] {
        let [x0, y0, x1, y1] = self.bbox.map(|v| v as usize);
        [x0, y0, x1 - x0, y1 - y0]
    }

    /// The pixels that its ink covers, as `(x, y)` on the sheet.
    pub fn pixels(&self) -> impl Iterator<Item = (usize, usize)> {
        let [x, y, w, _] = self.frame();
        let inked = self.coverage.iter().enumerate().filter(|(_, cover)| **cover >= Self::INK);
        inked.map(move |(i, _)| (x + i % w, y + i / w))
    }
}

/// A drawn sheet and the truth about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scene {
    /// What it follows from, beside the setup and the digits.
    pub seed: u64,
    /// What is seen; a grey scene has three equal planes.
    pub picture: Rgb,
    /// What it is drawn on.
    pub paper: Paper,
    /// Whether it has light ink on dark paper.
    pub inverted: bool,
    /// The digits from the lowest to the topmost: each lies over those before it.
    pub objects: Vec<Object>,
}

/// How often a place is looked for before a digit shrinks, and how often it shrinks before it is left out.
const TRIES: [usize; 2] = [40, 4];
/// What a digit without room shrinks to.
const SHRINK: f32 = 0.75;

impl Scene {
    /// Draws the scene of this seed. Errors: those of [`Setup::check`].
    pub fn draw(setup: &Setup, digits: &Digits, seed: u64) -> Result<Self> {
        setup.check()?;
        let mut rng = Rng::part(seed, 0);
        let paper = setup.papers[rng.below(setup.papers.len())];
        let inverted = rng.uniform() < setup.inverted;
        let palette = Palette { inverted, coloured: rng.uniform() < setup.coloured };
        let mut picture = paper.lay(&mut rng, palette, setup.side);
        let [least, most] = setup.count;
        let mut objects = Vec::new();
        for _ in 0..least + rng.below(most - least + 1) {
            if let Some(object) = place(&mut rng, setup, digits, palette, &objects) {
                ink_over(&mut picture, &object);
                objects.push(object);
            }
        }
        paper.grain(&mut rng, &mut picture);
        Ok(Self { seed, picture, paper, inverted, objects })
    }

    /// For each pixel the number of the digit that is seen there, if any: rows from the top.
    pub fn instances(&self) -> Vec<Option<u16>> {
        let Rgb { h, w, .. } = self.picture;
        let mut map = vec![None; h * w];
        for (i, object) in self.objects.iter().enumerate() {
            object.pixels().for_each(|(x, y)| map[y * w + x] = Some(i as u16));
        }
        map
    }

    /// For each pixel 0 for paper, or 1 more than the digit that is seen there: rows from the top.
    pub fn labels(&self) -> Vec<u8> {
        let label = |i: Option<u16>| i.map_or(0, |i| 1 + self.objects[usize::from(i)].digit);
        self.instances().into_iter().map(label).collect()
    }
}

/// A digit of random class, size, turn and place, which overlaps none of the others too much; nothing if there is no room.
fn place(rng: &mut Rng, setup: &Setup, digits: &Digits, palette: Palette, others: &[Object]) -> Option<Object> {
    let [low, high] = setup.heights;
    let mut height = low * libm::powf(high / low, rng.uniform());
    let turned = rng.range(-setup.rotate, setup.rotate);
    let (digit, glyph, origin) = digits.pick(rng);
    let colour = palette.ink(rng);
    for _ in 0..TRIES[1] {
        let Ink { w, h, coverage } = glyph.draw(rng, height, turned);
        for _ in 0..if w < setup.side && h < setup.side { TRIES[0] } else { 0 } {
            let (x, y) = (rng.below(setup.side - w + 1) as f32, rng.below(setup.side - h + 1) as f32);
            let bbox = [x, y, x + w as f32, y + h as f32];
            if others.iter().all(|other| shared(bbox, other.bbox) <= setup.overlap) {
                return Some(Object { digit, bbox, coverage, turned, colour, origin });
            }
        }
        height = (height * SHRINK).max(low);
    }
    None
}

/// The part of the smaller box that two boxes share.
fn shared(a: Box4, b: Box4) -> f32 {
    let side = |k: usize| (a[k + 2].min(b[k + 2]) - a[k].max(b[k])).max(0.0);
    let area = |b: Box4| (b[2] - b[0]) * (b[3] - b[1]);
    side(0) * side(1) / area(a).min(area(b))
}

fn ink_over(picture: &mut Rgb, object: &Object) {
    let [x, y, w, _] = object.frame();
    let (rows, columns) = (picture.h, picture.w);
    for (plane, colour) in picture.pixels.chunks_exact_mut(rows * columns).zip(object.colour) {
        for (row, coverage) in object.coverage.chunks_exact(w).enumerate() {
            let pixels = &mut plane[(y + row) * columns + x..][..w];
            for (pixel, cover) in pixels.iter_mut().zip(coverage) {
                *pixel += f32::from(*cover) / 255.0 * (colour - *pixel);
            }
        }
    }
}
