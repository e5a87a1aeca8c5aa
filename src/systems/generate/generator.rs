//! A generator at work.

use super::pair::one_hot;
use super::settings::CLASSES;
use crate::data::idx::{Images, Labelled};
use crate::error::{Error, Result};
use crate::nn::{Feed, Mode, Network, Params, Run, Want};
use crate::rng::Rng;
use crate::shape::Shape;

/// Images in one run: few enough to stay in the second-level cache.
const BATCH: usize = 16;

/// `n` rows of `latent` numbers to start drawings from: standard normal, from `seed`. Row after row: the first rows of more are
/// those of fewer.
pub fn latents(n: usize, latent: usize, seed: u64) -> Vec<f32> {
    let mut rng = Rng::new(seed);
    (0..n * latent).map(|_| rng.normal()).collect()
}

/// A network that draws digits.
pub struct Generator {
    net: Network,
    params: Params,
    run: Run,
    latent: usize,
    conditional: bool,
}

impl Generator {
    /// From a network of [`super::Settings::generator`] and its parameters. Errors: [`Error::Shape`] for a network that has no
    /// numbers to start from, no weight for each of ten digits, or answers no grey image.
    pub fn new(net: &Network, params: &Params) -> Result<Self> {
        let shapes: Vec<Shape> = net.inputs().map(|wire| net.node(wire).shape).collect();
        let (answer, digit) = (net.node(net.output()).shape, Shape::new(CLASSES, 1, 1));
        let fits = shapes[0].len() == shapes[0].c && shapes.len() <= 2 && shapes[1..].iter().all(|s| *s == digit);
        if !fits || answer.c != 1 || params.values().len() != net.arena_len() {
            let got = format!("{shapes:?} in, {answer} out, {} numbers", params.values().len());
            return Err(Error::shape("generator", "numbers and 10 weights in, one grey image out", got));
        }
        let (latent, conditional) = (shapes[0].c, shapes.len() == 2);
        Ok(Self {
            run: Run::new(net, BATCH, &Want::outputs()),
            net: net.clone(),
            params: params.clone(),
            latent,
            conditional,
        })
    }

    /// Takes other parameters of the same network. Errors: [`Error::Shape`] for another's.
    pub fn take(&mut self, params: &Params) -> Result<()> {
        if params.values().len() != self.params.values().len() {
            return Err(Error::shape("parameters", self.params.values().len(), params.values().len()));
        }
        self.params.values_mut().copy_from_slice(params.values());
        Ok(())
    }

    /// Numbers that a drawing starts from.
    pub fn latent(&self) -> usize {
        self.latent
    }

    /// Whether a digit is asked for.
    pub fn conditional(&self) -> bool {
        self.conditional
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.net
    }

    /// The shape of a drawing.
    pub fn shape(&self) -> Shape {
        self.net.node(self.net.output()).shape
    }

    /// A drawing for each row of [`Generator::latent`] numbers and each digit that is asked for, in grey from 0 (paper) to 1 (ink),
    /// row after row. A network that takes no digits leaves them aside.
    ///
    /// Errors: [`Error::Shape`] for other numbers, [`Error::Value`] for a digit above 9 and for numbers that are not finite.
    pub fn generate(&mut self, latents: &[f32], digits: &[u8]) -> Result<Vec<f32>> {
        if let Some(bad) = digits.iter().find(|digit| usize::from(**digit) >= CLASSES) {
            return Err(Error::value("digit", format!("below {CLASSES}"), bad));
        }
        self.blend(latents, &one_hot(digits))
    }

    /// As [`Generator::generate`] for rows of ten weights in place of digits: half of one and half of another is something between.
    pub fn blend(&mut self, latents: &[f32], weights: &[f32]) -> Result<Vec<f32>> {
        let n = weights.len() / CLASSES;
        if weights.len() != n * CLASSES || latents.len() != n * self.latent {
            let expected = format!("{} numbers and {CLASSES} weights for each drawing", self.latent);
            return Err(Error::shape("drawings", expected, format!("{} and {}", latents.len(), weights.len())));
        }
        if let Some(bad) = latents.iter().chain(weights).find(|v| !v.is_finite()) {
            return Err(Error::value("latent numbers and weights", "finite numbers", bad));
        }
        let size = self.shape().len();
        let mut images = vec![0.0; n * size];
        let rows = latents.chunks(BATCH * self.latent).zip(weights.chunks(BATCH * CLASSES));
        for ((latents, weights), images) in rows.zip(images.chunks_mut(BATCH * size)) {
            let names: Vec<&str> = self.net.inputs().map(|wire| self.net.node(wire).name.as_str()).collect();
            let feeds = names.into_iter().zip([latents, weights]).map(|(name, rows)| Feed::new(name, rows));
            let feeds: Vec<Feed> = feeds.collect();
            self.run.forward_feeds(&self.params, &feeds, Mode::Infer)?;
            for (i, image) in images.chunks_exact_mut(size).enumerate() {
                self.run.read(self.net.output(), i, image)?;
            }
        }
        Ok(images)
    }

    /// Drawings of these digits as images of bytes with their labels, to learn from: everything random follows from `seed`. Errors:
    /// those of [`Generator::generate`].
    pub fn labelled(&mut self, digits: &[u8], seed: u64) -> Result<Labelled> {
        let (shape, mut pixels) = (self.shape(), Vec::with_capacity(digits.len() * self.shape().len()));
        let all = latents(digits.len(), self.latent, seed);
        for (latents, digits) in all.chunks(BATCH * self.latent).zip(digits.chunks(BATCH)) {
            pixels.extend(self.generate(latents, digits)?.into_iter().map(|v| (v * 255.0).round() as u8));
        }
        let images = Images { n: digits.len(), h: shape.h, w: shape.w, pixels };
        Labelled::new(images, digits.to_vec(), CLASSES as u8)
    }
}
