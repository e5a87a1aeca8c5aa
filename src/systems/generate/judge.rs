//! How good drawings are: by a classifier that has seen real digits only, by one that has seen drawn digits only, and by what
//! of the real digits is nearest to each.

use super::fid::Moments;
use super::settings::CLASSES;
use crate::data::idx::{Images, Labelled};
use crate::error::{Error, Result};
use crate::kernel::reduce::argmax;
use crate::nn::{Init, Network, Params, Wire};
use crate::rng::Rng;
use crate::train::evaluate::scores;
use crate::train::{Curve, Options, Rule, Schedule, Trainer};
use crate::zoo;

/// A classifier of digits, and the layer whose numbers are its features.
pub struct Judge {
    net: Network,
    features: Network,
    params: Params,
    own: Params,
}

impl Judge {
    /// By this classifier and its layer of this name. Errors: [`Error::Missing`] for a name that no layer has, [`Error::Shape`] for a
    /// network that does not read 28 × 28 pixels and score ten classes.
    pub fn new(net: &Network, params: &Params, layer: &str) -> Result<Self> {
        let (x, y) = (net.input_shape(), net.node(net.output()).shape);
        if x != super::settings::IMAGE || y.len() != CLASSES {
            return Err(Error::shape("classifier", "28 × 28 pixels in, 10 scores out", format!("{x} in, {y} out")));
        }
        let last: Wire = net.wire(layer)?;
        let features = net.front(last, x, Clone::clone)?;
        let own = features.params_from(params)?;
        Ok(Self { net: net.clone(), features, params: params.clone(), own })
    }

    /// Mean and covariance of the features of images. Errors: those of [`Moments::of`].
    pub fn moments(&self, images: &Images) -> Result<Moments> {
        let width = self.features.node(self.features.output()).shape.len();
        Moments::of(&scores(&self.features, &self.own, images.n, |i, x| ink(images.image(i), x))?, width)
    }

    /// Which digit each image is read as.
    pub fn read(&self, images: &Images) -> Result<Vec<u8>> {
        let scores = scores(&self.net, &self.params, images.n, |i, x| ink(images.image(i), x))?;
        Ok(scores.chunks_exact(CLASSES).map(|row| argmax(row).unwrap_or(0) as u8).collect())
    }
}

fn ink(pixels: &[u8], x: &mut [f32]) {
    x.iter_mut().zip(pixels).for_each(|(x, ink)| *x = f32::from(*ink) / 255.0);
}

/// The part of the answers that each digit has: a generator whose modes have collapsed draws few of them.
pub fn shares(read: &[u8]) -> [f64; CLASSES] {
    let mut counts = [0; CLASSES];
    read.iter().for_each(|digit| counts[usize::from(*digit)] += 1);
    counts.map(|count| f64::from(count) / read.len().max(1) as f64)
}

/// Images in a step of [`learnt_from`].
const BATCH: usize = 100;

/// The part of `test` that a small network reads rightly after `epochs` rounds through `train` alone: the catalogue's `fast`, by
/// Adam and a one-cycle. Errors: [`Error::Value`] where there is not a batch to learn from.
pub fn learnt_from(train: &Labelled, test: &Labelled, epochs: usize, seed: u64) -> Result<f64> {
    let net = zoo::build("fast")?;
    let mut params = net.zeros();
    Init::He.fill(&mut params, seed)?;
    let options = Options { schedule: Schedule::new(Curve::OneCycle, 0.3), ..Options::new(Rule::Adam, 4e-3) };
    let (n, mut trainer) = (train.images.n, Trainer::new(&net, params, BATCH, BATCH, &options)?);
    let all = (n / BATCH * epochs) as u64;
    if all == 0 {
        return Err(Error::value("images to learn from", format!("at least {BATCH}, at least once"), n));
    }
    let (mut order, mut step): (Vec<usize>, u64) = ((0..n).collect(), 0);
    for epoch in 0..epochs {
        Rng::part(seed, epoch as u64).shuffle(&mut order);
        for chosen in order.chunks_exact(BATCH) {
            let rate = options.schedule.rate(options.rate, step, all);
            trainer.step(BATCH, rate, step, |i, x, target| {
                ink(train.images.image(chosen[i]), x);
                target.fill(0.0);
                target[usize::from(train.labels[chosen[i]])] = 1.0;
            })?;
            step += 1;
        }
    }
    let scores = scores(&net, trainer.result(), test.images.n, |i, x| ink(test.images.image(i), x))?;
    let right = scores.chunks_exact(CLASSES).zip(&test.labels).filter(|(row, l)| argmax(row) == Some(usize::from(**l)));
    Ok(right.count() as f64 / test.images.n.max(1) as f64)
}

/// What is nearest to an image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nearest {
    /// The number of the nearest image.
    pub image: usize,
    /// The root of the summed squares of their pixels' differences, ink being 1.
    pub distance: f64,
}

/// For each of `images`, the nearest among `all`, by every pixel. Errors: [`Error::Shape`] for images of two sizes and for none.
pub fn nearest(images: &Images, all: &Images) -> Result<Vec<Nearest>> {
    if (images.h, images.w) != (all.h, all.w) || all.n == 0 {
        let got = format!("{} of {} × {}", all.n, all.h, all.w);
        return Err(Error::shape("images to compare with", format!("some of {} × {}", images.h, images.w), got));
    }
    let apart = |a: &[u8], b: &[u8]| -> u32 {
        a.iter().zip(b).map(|(a, b)| (i32::from(*a) - i32::from(*b)).unsigned_abs().pow(2)).sum()
    };
    Ok((0..images.n)
        .map(|i| {
            let squares = (0..all.n).map(|k| (apart(images.image(i), all.image(k)), k));
            let (square, image) = squares.min().unwrap_or_default();
            Nearest { image, distance: f64::from(square).sqrt() / 255.0 }
        })
        .collect())
}
