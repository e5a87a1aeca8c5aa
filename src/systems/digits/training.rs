//! A training from its first epoch to weights with their calibration, resumable after every epoch.

use super::feed::{Feed, VALIDATION_IMAGES, picture};
use super::recipe::Recipe;
use crate::data::scribble::scribble;
use crate::data::{ink, strokes::Drawing};
use crate::error::{Error, Result};
use crate::file::safetensors::Weights;
use crate::nn::Network;
use crate::nn::layers::quant_conv::fit_steps;
use crate::rng::Rng;
use crate::tensor::Tensor;
use crate::train::{Group, Options, Progress, State, Trainer, calibrate, evaluate};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Part of the real digits that the calibration lets the network be unsure about. The bound to keep is 3 %.
const UNSURE: f32 = 0.02;
/// Scribbles that the network's doubt is measured on.
const SCRIBBLES: usize = 2000;

/// A training under way.
pub struct Training {
    pub(super) recipe: &'static Recipe,
    pub(super) feed: Feed,
    pub(super) trainer: Trainer,
    pub(super) seed: u64,
    epochs: u32,
    pub(super) epoch: u32,
    /// What takes the steps in the trainer's place.
    #[cfg(all(feature = "gpu", not(target_arch = "wasm32")))]
    pub(super) moved: super::on_gpu::Moved,
}

/// What decides a step besides its samples: how many they are and which comes first, the rate, the seed of what is random.
pub(super) struct Settings {
    pub(super) n: usize,
    pub(super) first: usize,
    pub(super) rate: f32,
    pub(super) seed: u64,
}

/// What an epoch came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Epoch {
    /// Number, from 1.
    pub epoch: u32,
    /// Learning rate of its last step.
    pub rate: f32,
    /// Sums over the samples that were learnt from.
    pub train: Progress,
    /// Accuracy on the MNIST images to choose by.
    pub images: f64,
    /// Accuracy on the drawings to choose by; `None` without drawings.
    pub drawings: Option<f64>,
}

/// The scores of what is there to choose by.
struct Validation {
    images: Vec<f32>,
    drawings: Vec<f32>,
}

/// How sure the finished network may be; see [`calibrate`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// Scores are divided by this before the softmax.
    pub temperature: f32,
    /// Below this probability the answer is "not sure".
    pub threshold: f32,
    /// Part of fresh scribbles that this makes unsure.
    pub scribbles_unsure: f64,
}

impl Training {
    /// A training of `epochs` epochs from first weights drawn from `seed`.
    pub fn new(recipe: &'static Recipe, feed: Feed, seed: u64, epochs: u32) -> Result<Self> {
        Self::from(recipe, feed, seed, epochs, &[])
    }

    /// As [`Training::new`], with these parameters in the place of those that would be drawn.
    ///
    /// Errors: [`Error::Missing`] for one that the network has not, [`Error::Shape`] for one that does not fit.
    pub fn from(
        recipe: &'static Recipe,
        feed: Feed,
        seed: u64,
        epochs: u32,
        from: &[(String, Tensor)],
    ) -> Result<Self> {
        if epochs == 0 {
            return Err(Error::value("epochs", "at least 1", epochs));
        }
        let net = recipe.network()?;
        let mut params = net.zeros();
        recipe.init.fill(&mut params, seed)?;
        for (name, tensor) in from {
            params.set(name, tensor)?;
        }
        fit_steps(&net, &mut params)?;
        let trainer = Trainer::new(&net, params, recipe.batch, recipe.shard, &recipe.options)?;
        Ok(Self {
            recipe,
            feed,
            trainer,
            seed,
            epochs,
            epoch: 0,
            #[cfg(all(feature = "gpu", not(target_arch = "wasm32")))]
            moved: Default::default(),
        })
    }

    /// Shares steps and validations with the members of a group, all of which train the same.
    pub fn join(&mut self, group: Arc<dyn Group>) {
        self.trainer.join(group);
    }

    /// Epochs done.
    pub fn epochs_done(&self) -> u32 {
        self.epoch
    }

    /// Epochs in all.
    pub fn epochs(&self) -> u32 {
        self.epochs
    }

    /// Steps in an epoch.
    pub fn steps(&self) -> u64 {
        self.feed.len().div_ceil(self.recipe.batch) as u64
    }

    /// Samples in an epoch.
    pub fn samples(&self) -> usize {
        self.feed.len()
    }

    /// The network in training.
    pub fn network(&self) -> &Network {
        self.trainer.network()
    }

    /// Trains one epoch and validates. `report` hears the sums so far after every step.
    pub fn epoch(&mut self, mut report: impl FnMut(Progress)) -> Result<Epoch> {
        let steps = self.steps();
        let (mut train, mut step) = (Progress::default(), 0);
        self.feed.begin(self.seed, self.epoch);
        while step < steps {
            for part in self.advance(step)? {
                train.add(part);
                step += 1;
            }
            report(train);
        }
        let rate = self.settings(steps - 1).rate;
        self.epoch += 1;
        let validation = self.validate()?;
        let right = |scores: &[f32], labels: &[u8]| {
            1.0 - evaluate::misclassified(scores, labels).len() as f64 / labels.len() as f64
        };
        let labels = self.drawing_labels();
        Ok(Epoch {
            epoch: self.epoch,
            rate,
            train,
            images: right(&validation.images, &self.feed.validation_labels()),
            drawings: (!labels.is_empty()).then(|| right(&validation.drawings, &labels)),
        })
    }

    /// What decides this step of the epoch.
    pub(super) fn settings(&self, step: u64) -> Settings {
        let (samples, batch, steps) = (self.feed.len(), self.recipe.batch, self.steps());
        let (first, at) = (step as usize * batch, u64::from(self.epoch) * steps + step);
        let Options { schedule, rate: peak, .. } = self.recipe.options;
        let rate = schedule.rate(peak, at, u64::from(self.epochs) * steps);
        Settings { n: batch.min(samples - first), first, rate, seed: Rng::mix(self.seed ^ u64::MAX, at) }
    }

    /// Takes this step of the epoch, and on a GPU some more; returns what each came to.
    fn advance(&mut self, step: u64) -> Result<Vec<Progress>> {
        #[cfg(all(feature = "gpu", not(target_arch = "wasm32")))]
        if let Some(all) = self.burst(step)? {
            return Ok(all);
        }
        self.step_here(step).map(|progress| vec![progress])
    }

    /// Takes this step of the epoch on the CPU.
    pub(super) fn step_here(&mut self, step: u64) -> Result<Progress> {
        let Settings { n, first, rate, seed } = self.settings(step);
        let feed = &self.feed;
        self.trainer.step(n, rate, seed, |i, image, target| feed.sample(first + i, image, target))
    }

    fn drawing_labels(&self) -> Vec<u8> {
        self.feed.validation_drawings().iter().map(|d| d.digit).collect()
    }

    fn validate(&self) -> Result<Validation> {
        let (net, params, feed) = (self.trainer.network(), self.trainer.result(), &self.feed);
        let group = &**self.trainer.group();
        let drawings: &[Drawing] = feed.validation_drawings();
        Ok(Validation {
            images: evaluate::scores_in(group, net, params, VALIDATION_IMAGES, |i, out| feed.validation_image(i, out))?,
            drawings: evaluate::scores_in(group, net, params, drawings.len(), |i, out| picture(&drawings[i], out))?,
        })
    }

    /// Fits the calibration on what is there to choose by: drawings where there are any, else MNIST images.
    pub fn calibrate(&self) -> Result<Calibration> {
        let Validation { images, drawings } = self.validate()?;
        let mut labels = self.drawing_labels();
        let mut scores = drawings;
        if labels.is_empty() {
            (scores, labels) = (images, self.feed.validation_labels());
        }
        let classes = scores.len() / labels.len();
        let temperature = calibrate::temperature(&scores, &labels);
        let threshold = calibrate::threshold(&calibrate::confidences(&scores, classes, temperature), UNSURE);
        let seed = Rng::mix(self.seed, u64::from(u32::MAX));
        let fresh = |i: usize, out: &mut [f32]| {
            let strokes = scribble(&mut Rng::part(seed, i as u64));
            ink::render(&strokes, ink::PEN, out).expect("a scribble has ink");
        };
        let group = &**self.trainer.group();
        let scribbles = evaluate::scores_in(group, self.trainer.network(), self.trainer.result(), SCRIBBLES, fresh)?;
        let confidences = calibrate::confidences(&scribbles, classes, temperature);
        let unsure = confidences.iter().filter(|&&c| c < threshold).count();
        Ok(Calibration { temperature, threshold, scribbles_unsure: unsure as f64 / SCRIBBLES as f64 })
    }

    /// The weights to ship: the averaged parameters with all that a reader of them must know.
    pub fn weights(&self, calibration: &Calibration) -> Weights {
        let metadata = [
            ("name", self.recipe.name.to_string()),
            ("architecture", self.recipe.architecture.to_string()),
            ("temperature", calibration.temperature.to_string()),
            ("threshold", calibration.threshold.to_string()),
        ];
        let metadata = metadata.into_iter().map(|(k, v)| (k.to_string(), v)).collect();
        Weights { tensors: self.trainer.result().named(), metadata }
    }

    /// All that [`Training::resume`] needs, as named tensors of one row each.
    pub fn checkpoint(&self) -> Weights {
        let state = self.trainer.state();
        let mut metadata = self.identity();
        metadata.insert("epoch".into(), self.epoch.to_string());
        metadata.insert("steps".into(), state.memory.steps.to_string());
        Weights { tensors: state.rows(), metadata }
    }

    /// What a checkpoint must share with the training that goes on from it.
    fn identity(&self) -> BTreeMap<String, String> {
        let pairs = [
            ("recipe", self.recipe.name.to_string()),
            ("seed", self.seed.to_string()),
            ("epochs", self.epochs.to_string()),
            ("samples", self.feed.len().to_string()),
        ];
        pairs.into_iter().map(|(k, v)| (k.to_string(), v)).collect()
    }

    /// Goes on from a checkpoint of the same recipe, seed, epochs and data; the weights then end as if never stopped.
    pub fn resume(&mut self, checkpoint: &Weights) -> Result<()> {
        self.identity().iter().try_for_each(|(key, own)| checkpoint.agree(key, own))?;
        let epoch = checkpoint.number("epoch")?;
        if epoch > self.epochs {
            return Err(Error::value("checkpoint's epoch", format!("at most {}", self.epochs), epoch));
        }
        self.trainer.restore(State::from_rows(&checkpoint.tensors, checkpoint.number("steps")?)?)?;
        self.epoch = epoch;
        Ok(())
    }
}
