//! Digits made from no data, and where each lies by what the network makes of it: the neighbours of a drawing.

use super::{Axes, Explainer, nearest, within};
use crate::data::{ink::SIDE, synth};
use crate::error::{Error, Result};
use crate::rng::Rng;
use crate::shape::Shape;

/// The most digits: their pictures take 6 MB.
const MOST: usize = 8000;

/// Made digits of 28 × 28 with their features, a row for each.
#[derive(Debug, Clone)]
pub struct Album {
    seed: u64,
    pixels: Vec<u8>,
    labels: Vec<u8>,
    rows: Vec<f32>,
    len: usize,
    axes: Option<Axes>,
}

impl Album {
    /// An empty album for what this network makes of digits; the seed decides them.
    pub fn new(explainer: &Explainer, seed: u64) -> Self {
        let len = explainer.feature_len();
        Self { seed, pixels: Vec::new(), labels: Vec::new(), rows: Vec::new(), len, axes: None }
    }

    /// Makes `count` more digits and looks at them.
    ///
    /// Errors, and nothing is added: [`Error::Value`] for more than 8000 in all, [`Error::Shape`] for a network that does
    /// not read grey pictures of 28 × 28.
    pub fn add(&mut self, explainer: &mut Explainer, count: usize) -> Result<()> {
        let before = self.labels.len();
        within("made digits", before.saturating_add(count), 0, MOST)?;
        let (digit, shape) = (Shape::new(1, SIDE, SIDE), explainer.network().input_shape());
        if shape != digit {
            return Err(Error::shape("network for made digits", digit, shape));
        }
        let mut pictures = vec![0.0; count * SIDE * SIDE];
        let mut labels = Vec::with_capacity(count);
        for (i, picture) in pictures.chunks_exact_mut(SIDE * SIDE).enumerate() {
            // Each has its own stream: which ones there are does not depend on how many came at once.
            let mut rng = Rng::part(self.seed, (before + i) as u64);
            let label = rng.below(10) as u8;
            synth::render(&mut rng, label, picture);
            labels.push(label);
        }
        self.rows.extend(explainer.features_of(&pictures)?);
        self.pixels.extend(pictures.iter().map(|v| (v * 255.0 + 0.5) as u8));
        self.labels.extend(labels);
        self.axes = None;
        Ok(())
    }

    /// What each digit was made as.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The features of all, a row of [`Explainer::feature_len`] numbers for each.
    pub fn rows(&self) -> &[f32] {
        &self.rows
    }

    /// A digit's picture, 0 paper to 1 ink. Errors: [`Error::Value`] for one that there is not.
    pub fn picture(&self, i: usize) -> Result<Vec<f32>> {
        let size = self.pixels.len() / self.labels.len().max(1);
        let found = self.pixels.chunks_exact(size.max(1)).nth(i);
        let pixels = found.ok_or_else(|| Error::value("made digit", format!("below {}", self.labels.len()), i))?;
        Ok(pixels.iter().map(|&p| f32::from(p) / 255.0).collect())
    }

    /// The two directions in which the digits differ most. Errors: [`Error::Shape`] for fewer than two.
    pub fn axes(&mut self) -> Result<&Axes> {
        if self.axes.is_none() {
            self.axes = Some(Axes::of(&self.rows, self.len)?);
        }
        Ok(self.axes.as_ref().expect("made above"))
    }

    /// The digits nearest to the picture by its features, and how far away, nearest first.
    pub fn nearest(&self, explainer: &Explainer, count: usize) -> Result<Vec<(usize, f32)>> {
        Ok(nearest(&self.rows, &explainer.features()?, count))
    }
}
