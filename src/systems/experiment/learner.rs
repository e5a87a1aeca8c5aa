//! A learner: the data and a replica. Given parameters, it computes gradients of shards and classifies pictures.

use super::inspect::{self, Inspected};
use super::samples::{Part, Samples};
use super::setup::Setup;
use crate::error::{Error, Result};
use crate::kernel::{Level, reduce, softmax};
use crate::nn::plan::affordable;
use crate::nn::{Mode, Params, Run, Want};
use crate::rng::Rng;
use crate::train::{Progress, Replica};
use std::sync::Arc;

/// Pictures classified in one run: few enough to stay in the second-level cache.
const CLASSIFIED: usize = 25;

/// One worker's half of a training.
pub struct Learner {
    setup: Setup,
    samples: Arc<Samples>,
    params: Params,
    replica: Replica,
    judge: Run,
    epoch: Epoch,
}

/// What the network makes of some pictures.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Classified {
    /// The most probable class of each.
    pub classes: Vec<u8>,
    /// Its probability.
    pub confidences: Vec<f32>,
    /// Sum of the losses.
    pub loss: f64,
}

/// The order of the pictures in one epoch.
#[derive(Debug, Default)]
pub(super) struct Epoch {
    number: Option<u64>,
    seed: u64,
    order: Vec<usize>,
}

impl Learner {
    /// A learner of this setup on these samples, with the setup's first weights. Errors: those of the setup's network, and of
    /// [`affordable`] where memory cannot hold its runs.
    pub fn new(setup: Setup, samples: Arc<Samples>) -> Result<Self> {
        let net = setup.network(samples.shape(), samples.classes())?;
        let params = setup.first(&net)?;
        let replica = Replica::new(&net, setup.shard, &setup.options)?;
        affordable(&net, CLASSIFIED, &Want::outputs())?;
        let judge = Run::new(&net, CLASSIFIED, &Want::outputs());
        Ok(Self { setup, samples, params, replica, judge, epoch: Epoch::default() })
    }

    /// The pictures it learns from.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// The replica, as the last shard left it.
    pub fn replica(&self) -> &Replica {
        &self.replica
    }

    /// Takes over parameters, in the arena's order.
    pub fn receive(&mut self, params: &[f32]) -> Result<()> {
        let own = self.params.values_mut();
        if own.len() != params.len() {
            return Err(Error::shape("parameters", own.len(), params.len()));
        }
        own.copy_from_slice(params);
        Ok(())
    }

    /// Computes the gradient of shard `shard` of step `step`, counted from 0, which [`Learner::gradient`] then gives.
    ///
    /// Where the loss is no number, the error names the first layer whose values are none.
    pub fn learn(&mut self, step: u64, shard: usize) -> Result<Progress> {
        self.learn_telling(step, shard, &mut |_, _| ())
    }

    /// As [`Learner::learn`]; `ready` hears of the gradient as [`Replica::backward`] says. It hears nothing of a step that
    /// is refused.
    pub fn learn_telling(&mut self, step: u64, shard: usize, ready: &mut dyn FnMut(&[f32], usize)) -> Result<Progress> {
        let Setup { batch, shard: size, seed, augment, .. } = self.setup;
        let shards = self.setup.shards();
        if shard >= shards {
            return Err(Error::value("shard", format!("below {shards}"), shard));
        }
        let (first, n) = (shard * size, size.min(batch - shard * size));
        let sources: Vec<(usize, Rng)> = (0..n)
            .map(|k| self.epoch.at(&self.samples, &self.setup, step * batch as u64 + (first + k) as u64))
            .collect();
        let samples = &self.samples;
        let fill = |k: usize, image: &mut [f32], target: &mut [f32]| {
            let (i, rng) = &sources[k];
            samples.learn_from(*i, &augment, &mut rng.clone(), image, target);
        };
        let random = Rng::mix(Rng::mix(seed ^ u64::MAX, step), shard as u64);
        let progress = self.replica.forward(&self.params, n, random, fill)?;
        if progress.loss.is_finite() {
            self.replica.backward(&self.params, 1.0 / batch as f32, ready);
            return Ok(progress);
        }
        let layer = inspect::culprit(self.replica.run()).unwrap_or("the loss");
        Err(Error::value(format!("step {}", step + 1), "finite numbers", format!("{} in {layer}", progress.loss)))
    }

    /// Refuses the gradient of step `step`, counted from 0, where it has a number that is none; the error names the layer.
    pub fn check(&self, step: u64) -> Result<()> {
        inspect::finite(self.replica.run().network().views(), self.gradient(), step)
    }

    /// The gradient that the last [`Learner::learn`] computed, in the arena's order.
    pub fn gradient(&self) -> &[f32] {
        self.replica.gradient()
    }

    /// Classifies pictures `from..to` of a part.
    pub fn classify(&mut self, part: Part, from: usize, to: usize) -> Result<Classified> {
        let there = self.samples.len(part);
        if from > to || to > there {
            return Err(Error::value("pictures", format!("a range up to {there}"), format!("{from} to {to}")));
        }
        let (size, classes) = (self.samples.shape().len(), self.samples.classes());
        let mut images = vec![0.0; CLASSIFIED * size];
        let mut all = Classified::default();
        for start in (from..to).step_by(CLASSIFIED) {
            let n = CLASSIFIED.min(to - start);
            for (k, image) in images.chunks_exact_mut(size).take(n).enumerate() {
                self.samples.picture(part, start + k, image);
            }
            self.judge.forward(&self.params, &images[..n * size], n, Mode::Infer)?;
            for (k, scores) in self.judge.output().chunks_exact(classes).enumerate() {
                let mut p = scores.to_vec();
                softmax::log_softmax(Level::new(), &mut p, classes);
                let best = reduce::argmax(&p).unwrap_or(0);
                all.classes.push(best as u8);
                all.confidences.push(libm::expf(p[best]));
                all.loss -= f64::from(p[usize::from(self.samples.label(part, start + k))]);
            }
        }
        Ok(all)
    }

    /// Picture `i` to learn from as it is, and `variants` of it as the augmentation bends it.
    pub fn preview(&self, i: usize, variants: usize) -> Result<Vec<Vec<f32>>> {
        let there = self.samples.len(Part::Train);
        if i >= there {
            return Err(Error::value("picture", format!("below {there}"), i));
        }
        let shape = self.samples.shape();
        let mut still = vec![0.0; shape.len()];
        self.samples.picture(Part::Train, i, &mut still);
        let bent = |k: usize| {
            let mut out = still.clone();
            let mut rng = Rng::part(Rng::mix(self.setup.seed, i as u64), k as u64);
            self.setup.augment.apply(&mut rng, &still, &mut out, shape.w, shape.h);
            out
        };
        let all = (0..variants).map(bent);
        Ok(std::iter::once(still.clone()).chain(all).collect())
    }

    /// What every layer made of the last shard.
    pub fn activations(&self) -> Vec<Inspected> {
        inspect::activations(self.replica.run())
    }
}

impl Epoch {
    /// The picture at this position in the endless row of epochs, and its randomness.
    pub(super) fn at(&mut self, samples: &Samples, setup: &Setup, position: u64) -> (usize, Rng) {
        let all = samples.len(Part::Train);
        let n = if setup.limit == 0 { all } else { setup.limit.min(all) };
        let (number, place) = (position / n as u64, (position % n as u64) as usize);
        if self.number != Some(number) {
            self.seed = Rng::mix(setup.seed, number);
            self.order.clear();
            self.order.extend(0..n);
            Rng::new(self.seed).shuffle(&mut self.order);
            self.number = Some(number);
        }
        (self.order[place], Rng::part(self.seed, place as u64))
    }
}
