//! What a training sees: images, made digits, people's pen strokes and scribbles, shuffled and varied by the seed.

use super::recipe::Recipe;
use crate::data::augment::{Augment, vary};
use crate::data::idx::{Images, Labelled};
use crate::data::ink::{self, SIDE};
use crate::data::scribble::scribble;
use crate::data::strokes::{Drawing, split_by_writer};
use crate::data::synth;
use crate::error::{Error, Result};
use crate::rng::Rng;
use std::collections::BTreeMap;

/// Images kept from training to choose by: a shuffled twelfth of MNIST's 60,000.
pub const VALIDATION_IMAGES: usize = 5000;
/// Digits made anew for each epoch of a training without images: as many as MNIST has.
pub const MADE: usize = 60_000;
/// Part of the drawings whose writers are kept from training to choose by.
pub const VALIDATION_DRAWINGS: f32 = 0.08;
/// Part of the drawings whose writers are kept to be judged by, once.
pub const TEST_DRAWINGS: f32 = 0.12;
/// The splits of images and of writers are the same in every training, whatever its seed.
const IMAGE_SPLIT: u64 = 20_161_005;
const WRITER_SPLIT: u64 = 2;

/// The pen strokes of three groups of writers that share none.
#[derive(Debug, Clone, Default)]
pub struct Drawings {
    /// To learn from.
    pub train: Vec<Drawing>,
    /// To choose by.
    pub validation: Vec<Drawing>,
    /// To be judged by.
    pub test: Vec<Drawing>,
}

impl Drawings {
    /// Splits drawings by their writers.
    pub fn split(drawings: &[Drawing]) -> Self {
        let pick = |from: &[Drawing], at: &[usize]| -> Vec<Drawing> { at.iter().map(|&i| from[i].clone()).collect() };
        let (rest, test) = split_by_writer(drawings, WRITER_SPLIT, TEST_DRAWINGS);
        let (rest, test) = (pick(drawings, &rest), pick(drawings, &test));
        let (train, validation) = split_by_writer(&rest, WRITER_SPLIT + 1, VALIDATION_DRAWINGS / (1.0 - TEST_DRAWINGS));
        Self { train: pick(&rest, &train), validation: pick(&rest, &validation), test }
    }
}

/// Where the images come from.
#[derive(Debug)]
pub enum Source {
    /// A data set: MNIST's training part.
    Images(Labelled),
    /// [`synth`]: digits made anew for each epoch.
    Made,
}

/// One thing to look at.
#[derive(Debug, Clone, Copy)]
enum Sample {
    Image(usize),
    Made,
    Drawing(usize),
    Scribble,
}

/// Everything a recipe trains on and chooses by.
#[derive(Debug)]
pub struct Feed {
    recipe: &'static Recipe,
    images: Labelled,
    /// Digits made anew for each epoch.
    made: usize,
    /// Numbers of the images: first those to learn from, then [`VALIDATION_IMAGES`] to choose by.
    order: Vec<usize>,
    drawings: Drawings,
    /// How often each drawing to learn from comes in an epoch.
    copies: Vec<usize>,
    epoch: Vec<Sample>,
    seed: u64,
}

impl Feed {
    /// Prepares images and, for a recipe with ink, drawings; those to learn from that cannot be rendered are left out.
    pub fn new(recipe: &'static Recipe, source: Source, mut drawings: Drawings) -> Result<Self> {
        let mut page = [0.0; SIDE * SIDE];
        drawings.train.retain(|d| ink::render(&d.strokes, ink::PEN, &mut page).is_ok());
        let (images, made) = match source {
            Source::Images(images) => (images, 0),
            Source::Made => (synth::digits(IMAGE_SPLIT, VALIDATION_IMAGES), MADE),
        };
        if images.images.n + made <= VALIDATION_IMAGES || (images.images.h, images.images.w) != (SIDE, SIDE) {
            let got = format!("{} of {} × {}", images.images.n, images.images.h, images.images.w);
            return Err(Error::shape("training images", format!("more than {VALIDATION_IMAGES} of 28 × 28"), got));
        }
        if recipe.ink.is_some() && (drawings.train.is_empty() || drawings.validation.is_empty()) {
            return Err(Error::missing("drawings", format!("pen strokes for the recipe {}", recipe.name), "none"));
        }
        let order = image_order(images.images.n);
        let copies = copies(&drawings.train, recipe.ink.map_or(0, |ink| ink.repeats));
        Ok(Self { recipe, images, made, order, drawings, copies, epoch: Vec::new(), seed: 0 })
    }

    /// Samples in an epoch.
    pub fn len(&self) -> usize {
        let ink = self.recipe.ink.map_or(0, |ink| self.copies.iter().sum::<usize>() + ink.scribbles);
        self.order.len() - VALIDATION_IMAGES + self.made + ink
    }

    /// Whether an epoch has no sample; it never has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Shuffles the samples of this epoch under this seed.
    pub fn begin(&mut self, seed: u64, epoch: u32) {
        self.seed = Rng::mix(seed, u64::from(epoch));
        self.epoch.clear();
        self.epoch.extend((0..self.order.len() - VALIDATION_IMAGES).map(Sample::Image));
        self.epoch.extend((0..self.made).map(|_| Sample::Made));
        if let Some(ink) = self.recipe.ink {
            let drawings = self.copies.iter().enumerate();
            self.epoch.extend(drawings.flat_map(|(i, &n)| std::iter::repeat_n(Sample::Drawing(i), n)));
            self.epoch.extend((0..ink.scribbles).map(|_| Sample::Scribble));
        }
        Rng::new(self.seed).shuffle(&mut self.epoch);
    }

    /// Writes sample `at` of the epoch: 28 × 28 numbers, and the distribution it should be read as.
    pub fn sample(&self, at: usize, image: &mut [f32], target: &mut [f32]) {
        let mut rng = Rng::part(self.seed, at as u64);
        let mut still = [0.0; SIDE * SIDE];
        let digit = match self.epoch[at] {
            Sample::Image(i) => {
                let (pixels, label) = self.image(i);
                to_unit(pixels, &mut still);
                self.bend(&mut rng, &still, image);
                Some(label)
            }
            Sample::Made => {
                let label = rng.below(10) as u8;
                synth::render(&mut rng, label, &mut still);
                self.bend(&mut rng, &still, image);
                Some(label)
            }
            Sample::Drawing(i) => {
                let drawing = &self.drawings.train[i];
                let ink = self.recipe.ink.expect("a recipe with ink");
                if rng.uniform() < ink.shapes {
                    let varied = vary(&mut rng, drawing.digit, &drawing.strokes);
                    varied.and_then(|strokes| ink.hand.render(&mut rng, &strokes, image))
                } else {
                    ink.hand.render(&mut rng, &drawing.strokes, image)
                }
                .expect("only drawings that render are learnt from");
                Some(drawing.digit)
            }
            Sample::Scribble => {
                let hand = self.recipe.ink.expect("a recipe with ink").hand;
                let strokes = scribble(&mut rng);
                hand.render(&mut rng, &strokes, image).expect("a scribble has ink");
                None
            }
        };
        match digit {
            Some(digit) => {
                target.fill(0.0);
                target[usize::from(digit)] = 1.0;
            }
            None => target.fill(1.0 / target.len() as f32),
        }
    }

    /// Varies an image as the recipe says.
    fn bend(&self, rng: &mut Rng, still: &[f32], image: &mut [f32]) {
        let plain = self.recipe.plain > 0.0 && rng.uniform() < self.recipe.plain;
        let bend = if plain { Augment::NONE } else { self.recipe.images };
        bend.apply(rng, still, image, SIDE, SIDE);
    }

    fn image(&self, i: usize) -> (&[u8], u8) {
        let at = self.order[i];
        (self.images.images.image(at), self.images.labels[at])
    }

    /// The labels of the MNIST images to choose by.
    pub fn validation_labels(&self) -> Vec<u8> {
        (self.order.len() - VALIDATION_IMAGES..self.order.len()).map(|i| self.image(i).1).collect()
    }

    /// Writes MNIST image `i` of those to choose by.
    pub fn validation_image(&self, i: usize, out: &mut [f32]) {
        to_unit(self.image(self.order.len() - VALIDATION_IMAGES + i).0, out);
    }

    /// The drawings to choose by.
    pub fn validation_drawings(&self) -> &[Drawing] {
        &self.drawings.validation
    }
}

/// How often each drawing comes in an epoch: `repeats` times on average, and each writer in proportion to the root of
/// their drawings. Five of `pen-digits`' 318 writers drew a third of it, and it is other writers that must be read.
fn copies(drawings: &[Drawing], repeats: usize) -> Vec<usize> {
    let mut theirs: BTreeMap<&str, usize> = BTreeMap::new();
    for d in drawings {
        *theirs.entry(&d.writer).or_default() += 1;
    }
    let share = |d: &Drawing| 1.0 / libm::sqrt(theirs[d.writer.as_str()] as f64);
    let mean = drawings.iter().map(share).sum::<f64>() / drawings.len().max(1) as f64;
    drawings.iter().map(|d| libm::round(repeats as f64 * share(d) / mean).max(1.0) as usize).collect()
}

/// Of MNIST's training part, the images that trainings learn from.
pub fn learning(train: &Labelled) -> Labelled {
    part(train, 0..train.images.n.saturating_sub(VALIDATION_IMAGES))
}

/// Of MNIST's training part, the images that every training keeps to choose by.
pub fn validation(train: &Labelled) -> Labelled {
    part(train, train.images.n.saturating_sub(VALIDATION_IMAGES)..train.images.n)
}

/// Images by their places in the order that trainings have.
fn part(train: &Labelled, places: std::ops::Range<usize>) -> Labelled {
    let order = image_order(train.images.n);
    let kept = &order[places];
    let pixels = kept.iter().flat_map(|&i| train.images.image(i)).copied().collect();
    let Images { h, w, .. } = train.images;
    let images = Images { n: kept.len(), h, w, pixels };
    Labelled { images, labels: kept.iter().map(|&i| train.labels[i]).collect() }
}

/// The numbers of `n` images, those to choose by last.
fn image_order(n: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    Rng::new(IMAGE_SPLIT).shuffle(&mut order);
    order
}

/// Grey levels 0..255 as numbers 0..1.
pub fn to_unit(pixels: &[u8], out: &mut [f32]) {
    for (v, p) in out.iter_mut().zip(pixels) {
        *v = f32::from(*p) / 255.0;
    }
}

/// A drawing as the network sees it; blank if it has no ink.
pub fn picture(drawing: &Drawing, out: &mut [f32]) {
    if ink::render(&drawing.strokes, ink::PEN, out).is_err() {
        out.fill(0.0);
    }
}
