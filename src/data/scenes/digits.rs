//! Where the digits of scenes come from, and how one becomes ink of a given height.

use crate::data::augment::Hand;
use crate::data::idx::Labelled;
use crate::data::ink::{Picture, capsule};
use crate::data::strokes::{Drawing, Stroke};
use crate::data::synth;
use crate::error::Result;
use crate::rng::Rng;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Where a digit comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Made by [`synth`].
    Made,
    /// A given image, as MNIST's.
    Image,
    /// Given pen strokes.
    Strokes,
}

/// A supply of digits. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Digits {
    images: Option<Arc<Labelled>>,
    drawings: Arc<Vec<Drawing>>,
    /// How given strokes are bent.
    hand: Hand,
    /// How often each origin comes: made, images, strokes.
    shares: [f32; 3],
}

/// What a digit is before it has a size.
pub(super) enum Glyph<'a> {
    /// Pen strokes, and the pen in pixels of a 20-pixel box.
    Strokes(Vec<Stroke>, f32),
    /// 0 paper, 255 ink; the sides.
    Image(&'a [u8], usize, usize),
}

/// Ink alone: the smallest picture that holds it.
pub(super) struct Ink {
    pub w: usize,
    pub h: usize,
    pub coverage: Vec<u8>,
}

/// Mean and deviation of the logarithm of the pen, and its thinnest and thickest, in pixels of the 20-pixel box.
const PEN: [f32; 4] = [0.78, 0.32, 1.1, 4.5];
/// The thinnest line on a sheet, in pixels.
pub(super) const THINNEST: f32 = 1.2;
/// The widest that ink may be for its height: what is wider is drawn less high.
const WIDEST: f32 = 1.4;

impl Digits {
    /// Made digits alone: they need no data.
    pub fn made() -> Self {
        Self { images: None, drawings: Arc::default(), hand: Hand::NONE, shares: [1.0, 0.0, 0.0] }
    }

    /// Besides, images of digits for this share of all.
    pub fn with_images(mut self, images: Labelled, share: f32) -> Self {
        self.shares[1] = if images.images.n > 0 { share } else { 0.0 };
        self.images = Some(Arc::new(images));
        self
    }

    /// Besides, pen strokes for this share of all, bent by a hand. What has no ink or no finite place is left out.
    pub fn with_strokes(mut self, mut drawings: Vec<Drawing>, hand: Hand, share: f32) -> Self {
        drawings.retain(|d| Hand::NONE.redraw(&mut Rng::new(0), &d.strokes).is_ok_and(|s| has_ink(&s)));
        self.shares[2] = if drawings.is_empty() { 0.0 } else { share };
        (self.drawings, self.hand) = (Arc::new(drawings), hand);
        self
    }

    /// Without made digits.
    pub fn given_only(mut self) -> Self {
        self.shares[0] = 0.0;
        self
    }

    /// One digit at random. Without any supply they are made.
    pub(super) fn pick(&self, rng: &mut Rng) -> (u8, Glyph<'_>, Origin) {
        let which = rng.uniform() * self.shares.iter().sum::<f32>();
        let pen = libm::expf(PEN[0] + PEN[1] * rng.normal()).clamp(PEN[2], PEN[3]);
        if let Some(set) = &self.images
            && (self.shares[0]..self.shares[0] + self.shares[1]).contains(&which)
        {
            let i = rng.below(set.images.n);
            let glyph = Glyph::Image(set.images.image(i), set.images.w, set.images.h);
            return (set.labels[i], glyph, Origin::Image);
        }
        if which >= self.shares[0] + self.shares[1] && !self.drawings.is_empty() {
            let drawing = &self.drawings[rng.below(self.drawings.len())];
            if let Ok(strokes) = self.redrawn(rng, &drawing.strokes) {
                return (drawing.digit, Glyph::Strokes(strokes, pen), Origin::Strokes);
            }
        }
        let digit = rng.below(10) as u8;
        (digit, Glyph::Strokes(synth::written(rng, digit), pen), Origin::Made)
    }

    fn redrawn(&self, rng: &mut Rng, strokes: &[Stroke]) -> Result<Vec<Stroke>> {
        if self.hand == Hand::NONE { Ok(strokes.to_vec()) } else { self.hand.redraw(rng, strokes) }
    }
}

fn has_ink(strokes: &[Stroke]) -> bool {
    let first = strokes.iter().flatten().next();
    strokes.iter().flatten().any(|p| Some(p) != first)
}

impl Glyph<'_> {
    /// The ink of a digit of this height in pixels, turned clockwise by so many degrees.
    pub(super) fn draw(&self, rng: &mut Rng, height: f32, degrees: f32) -> Ink {
        // Where it lies between pixels is random, too.
        let shift = [rng.uniform(), rng.uniform()];
        let angle = degrees.to_radians();
        let turn = [libm::cosf(angle), libm::sinf(angle)];
        match self {
            Self::Strokes(strokes, pen) => drawn(strokes, (pen * height / 20.0).max(THINNEST), height, turn, shift),
            Self::Image(pixels, w, h) => resampled(pixels, [*w, *h], height, turn, shift),
        }
    }
}

fn turned([x, y]: [f32; 2], [cos, sin]: [f32; 2]) -> [f32; 2] {
    [cos * x - sin * y, sin * x + cos * y]
}

/// The lowest and highest coordinates of points.
pub(super) fn bounds(points: impl Iterator<Item = [f32; 2]>) -> [[f32; 2]; 2] {
    points.fold([[f32::MAX; 2], [f32::MIN; 2]], |[low, high], p| {
        [[low[0].min(p[0]), low[1].min(p[1])], [high[0].max(p[0]), high[1].max(p[1])]]
    })
}

/// Pixels for a unit, so that what has these bounds is `height` high, or less where it would be too wide.
fn scale([low, high]: [[f32; 2]; 2], height: f32) -> f32 {
    height / (high[1] - low[1]).max((high[0] - low[0]) / WIDEST).max(1e-6)
}

fn drawn(strokes: &[Stroke], pen: f32, height: f32, turn: [f32; 2], shift: [f32; 2]) -> Ink {
    let [low, high] = bounds(strokes.iter().flatten().map(|p| turned(*p, turn)));
    let scale = scale([low, high], (height - pen).max(1.0));
    let at = |p: &[f32; 2]| {
        let p = turned(*p, turn);
        [0, 1].map(|k| (p[k] - low[k]) * scale + 0.5 * pen + 1.0 + shift[k])
    };
    let [w, h] = [0, 1].map(|k| ((high[k] - low[k]) * scale + pen + 4.0) as usize);
    let mut picture = Picture::blank(w, h);
    for stroke in strokes {
        let mut last = None;
        for p in stroke.iter().map(at) {
            capsule(&mut picture, last.unwrap_or(p), p, 0.5 * pen);
            last = Some(p);
        }
    }
    cut(&picture)
}

/// A given image, bilinear between its pixels.
fn resampled(pixels: &[u8], [sw, sh]: [usize; 2], height: f32, turn: [f32; 2], shift: [f32; 2]) -> Ink {
    let at = |x: usize, y: usize| f32::from(pixels[y * sw + x]) / 255.0;
    let ink = (0..sw * sh).filter(|&i| pixels[i] >= 128);
    let corners = ink.flat_map(|i| [0.0, 1.0].map(|k| turned([(i % sw) as f32 + k, (i / sw) as f32 + k], turn)));
    let bounds = bounds(corners);
    let scale = scale(bounds, height);
    let [low, high] = bounds;
    let [w, h] = [0, 1].map(|k| (((high[k] - low[k]) * scale).clamp(1.0, 2.0 * height) + 4.0) as usize);
    let mut picture = Picture::blank(w, h);
    for (i, pixel) in picture.pixels.iter_mut().enumerate() {
        let place = [(i % w) as f32, (i / w) as f32];
        let p = [0, 1].map(|k| (place[k] + 0.5 - 1.0 - shift[k]) / scale + low[k]);
        let [x, y] = turned(p, [turn[0], -turn[1]]).map(|v| v - 0.5);
        let (left, top) = (x.floor(), y.floor());
        let (fx, fy) = (x - left, y - top);
        let tap = |dx: f32, dy: f32| {
            let (x, y) = (left + dx, top + dy);
            let inside = x >= 0.0 && y >= 0.0 && x < sw as f32 && y < sh as f32;
            if inside { at(x as usize, y as usize) } else { 0.0 }
        };
        let (upper, lower) = (tap(0.0, 0.0), tap(0.0, 1.0));
        let (upper, lower) = (upper + fx * (tap(1.0, 0.0) - upper), lower + fx * (tap(1.0, 1.0) - lower));
        *pixel = upper + fy * (lower - upper);
    }
    cut(&picture)
}

/// The smallest part that holds all that is at least half ink; a single pixel where nothing is.
fn cut(picture: &Picture) -> Ink {
    let byte = |v: f32| (v.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
    let w = picture.w;
    let inked = (0..picture.pixels.len()).filter(|&i| byte(picture.pixels[i]) >= super::Object::INK);
    let [low, high] = bounds(inked.map(|i| [(i % w) as f32, (i / w) as f32]));
    if low[0] > high[0] {
        return Ink { w: 1, h: 1, coverage: vec![255] };
    }
    let ([x, y], [right, bottom]) = (low.map(|v| v as usize), high.map(|v| v as usize + 1));
    let rows = picture.pixels.chunks_exact(w).skip(y).take(bottom - y);
    let coverage = rows.flat_map(|row| row[x..right].iter().map(|v| byte(*v))).collect();
    Ink { w: right - x, h: bottom - y, coverage }
}
