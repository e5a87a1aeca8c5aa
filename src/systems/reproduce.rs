//! The sources' experiments as presets: their networks, starts, optimisers, steps and data, and what they measured.
//!
//! `sources/003` (a course report) prints accuracies and leaves out sizes and rates. Those here are of the kind its
//! exercises use (after Saitoh 2016, chapters 6 and 8; MNIST in batches of 100 drawn with replacement); with them the
//! figures come out as printed, which is what speaks for them. The page lists the same presets.

mod claims;
mod presets;

pub use claims::{Arm, CLAIMS, Claim, Outcome};
pub use presets::{PRESETS, Preset, Start};

use crate::data::idx::Labelled;
use crate::error::{Error, Result};
use crate::nn::{Init, Network, Params, description};
use crate::rng::Rng;
use crate::train::{Progress, Trainer, evaluate};
use serde::Serialize;

/// Images in a batch.
pub const BATCH: usize = 100;

/// Accuracies at the end of a training, from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Accuracy {
    /// On the images learnt from; on the last batch of them where the source measures so.
    pub train: f64,
    /// On the test images.
    pub test: f64,
}

impl Preset {
    /// The preset of that name.
    pub fn named(name: &str) -> Result<&'static Self> {
        PRESETS.iter().find(|p| p.name == name).ok_or_else(|| {
            let names: Vec<&str> = PRESETS.iter().map(|p| p.name).collect();
            Error::missing("preset", format!("one of {}", names.join(", ")), name)
        })
    }

    /// The network, wired.
    pub fn build(&self) -> Result<Network> {
        description::read(&self.network())
    }

    /// Its first parameters under this seed.
    pub fn begin(&self, net: &Network, seed: u64) -> Result<Params> {
        let mut params = net.zeros();
        match self.start {
            Start::Gaussian => Init::Gaussian(0.01),
            Start::Xavier => Init::Xavier,
            Start::He => Init::He,
        }
        .fill(&mut params, seed)?;
        Ok(params)
    }

    /// Trains with this seed and measures. `report` hears each step's number and sums.
    pub fn run(
        &self,
        train: &Labelled,
        test: &Labelled,
        seed: u64,
        mut report: impl FnMut(u64, Progress),
    ) -> Result<Accuracy> {
        let (n, judged) = (self.train_images.min(train.images.n), self.test_images.min(test.images.n));
        if n == 0 || judged == 0 {
            return Err(Error::missing("images", "some to learn from and some to be judged by", "none"));
        }
        let net = self.build()?;
        let mut trainer = Trainer::new(&net, self.begin(&net, seed)?, BATCH, self.shard(), &self.options)?;
        let mut rng = Rng::part(seed, u64::MAX);
        let mut batch = vec![0; BATCH];
        for step in 0..self.steps {
            batch.fill_with(|| rng.below(n));
            let rate = self.options.schedule.rate(self.options.rate, step, self.steps);
            let fill = |i: usize, image: &mut [f32], target: &mut [f32]| {
                to_unit(train.images.image(batch[i]), image);
                target.fill(0.0);
                target[usize::from(train.labels[batch[i]])] = 1.0;
            };
            report(step, trainer.step(BATCH, rate, Rng::mix(seed, step), fill)?);
        }
        let right = |set: &Labelled, numbers: &[usize]| -> Result<f64> {
            let fill = |i: usize, out: &mut [f32]| to_unit(set.images.image(numbers[i]), out);
            let scores = evaluate::scores(&net, trainer.result(), numbers.len(), fill)?;
            let labels: Vec<u8> = numbers.iter().map(|&i| set.labels[i]).collect();
            Ok(1.0 - evaluate::misclassified(&scores, &labels).len() as f64 / numbers.len() as f64)
        };
        let learnt: Vec<usize> = if n <= 1000 { (0..n).collect() } else { batch.clone() };
        Ok(Accuracy { train: right(train, &learnt)?, test: right(test, &(0..judged).collect::<Vec<_>>())? })
    }

    /// A small network is not worth cutting its batch.
    fn shard(&self) -> usize {
        if self.hidden.is_empty() { 25 } else { BATCH }
    }
}

fn to_unit(pixels: &[u8], out: &mut [f32]) {
    out.iter_mut().zip(pixels).for_each(|(v, p)| *v = f32::from(*p) / 255.0);
}
