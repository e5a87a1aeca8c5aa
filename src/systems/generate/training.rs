//! The training of a pair on real digits: which images and which latent numbers a step sees, checkpoints, and the way back from
//! losses that are no numbers.

use super::generator::{Generator, latents};
use super::pair::{Batch, Pair, Progress, Whole, sigmoid};
use super::settings::{CLASSES, IMAGE, Settings};
use crate::data::idx::Labelled;
use crate::error::{Error, Result};
use crate::file::safetensors::Weights;
use crate::nn::{Mode, Network, Params, Run, Want};
use crate::rng::Rng;
use crate::train::State;
use std::collections::BTreeMap;

/// Steps between two states that [`Training::undo`] can go back to.
const KEEP: u64 = 100;

/// A training under way.
pub struct Training {
    data: Labelled,
    seed: u64,
    pair: Pair,
    step: u64,
    /// The order of the images in this round through them, and which round it is.
    order: (u64, Vec<u32>),
    /// To draw samples, and to ask the discriminator about an image.
    generator: Generator,
    asked: Run,
    good: (u64, Whole),
}

impl Training {
    /// Begins a training on these digits. Everything random follows from `seed`. Errors: those of [`Settings::check`];
    /// [`Error::Shape`] for images of another size, [`Error::Value`] for fewer than a step takes and for a class that is no digit.
    pub fn new(data: Labelled, settings: Settings, seed: u64) -> Result<Self> {
        settings.check()?;
        let images = &data.images;
        if (images.h, images.w) != (IMAGE.h, IMAGE.w) {
            return Err(Error::shape("digits", IMAGE, format!("{} × {}", images.h, images.w)));
        }
        if images.n < settings.batch || data.labels.iter().any(|label| usize::from(*label) >= CLASSES) {
            let expected = format!("at least {} images of classes below {CLASSES}", settings.batch);
            return Err(Error::value("digits", expected, images.n));
        }
        let pair = Pair::new(settings, seed)?;
        let (net, params) = pair.generator();
        let generator = Generator::new(net, params)?;
        let asked = Run::new(&settings.discriminator(false)?, 1, &Want::everything());
        let (order, good) = ((u64::MAX, vec![]), (0, pair.state()));
        Ok(Self { data, seed, pair, step: 0, order, generator, asked, good })
    }

    /// Goes on from a checkpoint of the same settings and seed; the weights then end as if never stopped. Errors: those of
    /// [`Training::new`], [`Weights::agree`] and [`State::from_rows`].
    pub fn resume(data: Labelled, settings: Settings, seed: u64, checkpoint: &Weights) -> Result<Self> {
        checkpoint.agree("settings", &described(&settings)?)?;
        checkpoint.agree("seed", &seed.to_string())?;
        let step = checkpoint.number("step")?;
        let mut training = Self::new(data, settings, seed)?;
        let part = |name: &str| {
            let prefix = format!("{name}.");
            let own = checkpoint.tensors.iter().filter_map(|(n, t)| Some((n.strip_prefix(&prefix)?.into(), t.clone())));
            own.collect::<Vec<_>>()
        };
        let taken = checkpoint.number("taken")?;
        let state = |name: &str| State::from_rows(&part(name), taken);
        let vectors = part("spectral").into_iter().next().map(|(_, row)| row.iter().copied().collect());
        let whole = Whole { generator: state("generator")?, discriminator: state("discriminator")?, vectors };
        training.pair.restore(whole)?;
        training.step = step;
        training.good = (step, training.pair.state());
        Ok(training)
    }

    /// All that a training needs to go on.
    pub fn checkpoint(&self) -> Result<Weights> {
        let Whole { generator, discriminator, vectors } = self.pair.state();
        // Fewer than the training's where its settings have changed.
        let taken = generator.memory.steps;
        let named = |name: &'static str, state: State| {
            state.rows().into_iter().map(move |(row, tensor)| (format!("{name}.{row}"), tensor))
        };
        let vectors = vectors.map(|vectors| crate::train::descent::row("spectral.vectors", vectors));
        let sides = named("generator", generator).chain(named("discriminator", discriminator));
        let tensors = sides.chain(vectors).collect();
        let metadata = [
            ("settings", described(self.pair.settings())?),
            ("seed", self.seed.to_string()),
            ("step", self.step.to_string()),
            ("taken", taken.to_string()),
        ];
        let metadata = metadata.into_iter().map(|(key, value)| (key.to_string(), value)).collect();
        Ok(Weights { tensors, metadata })
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.step
    }

    /// Whether all steps are taken.
    pub fn finished(&self) -> bool {
        let steps = self.pair.settings().steps;
        steps > 0 && self.step >= steps
    }

    /// The two networks.
    pub fn pair(&self) -> &Pair {
        &self.pair
    }

    /// One step of both networks.
    ///
    /// Errors: [`Error::Value`] for a loss or a gradient that is not finite; [`Training::undo`] then goes back to weights from
    /// before.
    pub fn step(&mut self) -> Result<Progress> {
        let Settings { batch, latent, .. } = *self.pair.settings();
        let n = self.data.images.n;
        let (mut real, mut labels) = (Vec::with_capacity(batch * IMAGE.len()), Vec::with_capacity(batch));
        for k in 0..batch as u64 {
            let at = self.step * batch as u64 + k;
            let i = self.image_at(at / n as u64, (at % n as u64) as usize);
            real.extend(self.data.images.image(i).iter().map(|&ink| f32::from(ink) / 255.0));
            labels.push(self.data.labels[i]);
        }
        // Digits are asked for as often as the data have them.
        let mut rng = Rng::part(self.seed, 2 * self.step);
        let digits: Vec<u8> = (0..batch).map(|_| self.data.labels[rng.below(n)]).collect();
        let latents = latents(batch, latent, Rng::mix(self.seed, 2 * self.step + 1));
        let rates = self.pair.settings().rates_at(self.step);
        let batch = Batch { real: &real, labels: &labels, latents: &latents, digits: &digits };
        let progress = self.pair.step(&batch, rates)?;
        self.step += 1;
        if self.step.is_multiple_of(KEEP) {
            self.good = (self.step, self.pair.state());
        }
        Ok(progress)
    }

    /// The image at a place of a round through all of them, each round in an order of its own.
    fn image_at(&mut self, round: u64, place: usize) -> usize {
        if self.order.0 != round {
            let mut order: Vec<u32> = (0..self.data.images.n as u32).collect();
            Rng::part(Rng::mix(self.seed, 0x726f_756e), round).shuffle(&mut order);
            self.order = (round, order);
        }
        self.order.1[place] as usize
    }

    /// Goes back to the weights of up to a hundred steps ago. What a step sees depends on its number alone, so the same losses
    /// come again unless the settings change.
    pub fn undo(&mut self) -> Result<()> {
        let (step, state) = self.good.clone();
        self.pair.restore(state)?;
        self.step = step;
        Ok(())
    }

    /// Learns on by other settings, from the weights as they are; the optimisers forget what they remember, and the average begins
    /// here. Checkpoints are then those of the new settings: [`Training::resume`] ends with the same bits from one written since.
    ///
    /// Errors, and nothing has changed: those of [`Settings::check`], and of [`Network::params_from`] for settings of other
    /// networks; [`Error::Value`] for another number of images in a step.
    pub fn change(&mut self, settings: Settings) -> Result<()> {
        let own = self.pair.settings();
        if settings.batch != own.batch {
            return Err(Error::value("images in a step", own.batch, settings.batch));
        }
        let [generator, discriminator] = self.pair.params();
        let pair = Pair::with(settings, generator, discriminator, self.seed)?;
        self.asked = Run::new(&settings.discriminator(false)?, 1, &Want::everything());
        self.pair = pair;
        self.good = (self.step, self.pair.state());
        Ok(())
    }

    /// Drawings by the generator as it is now; see [`Generator::generate`].
    pub fn samples(&mut self, latents: &[f32], digits: &[u8]) -> Result<Vec<f32>> {
        self.generator.take(self.pair.generator().1)?;
        self.generator.generate(latents, digits)
    }

    /// How sure the discriminator is that an image, 28 × 28 numbers from 0 to 1, is a real digit: for each digit that it might be,
    /// or one number where none is asked for. Errors: those of [`Run::forward`].
    pub fn judge(&mut self, image: &[f32]) -> Result<Vec<f32>> {
        // Batch norms take what they have seen of both kinds.
        self.asked.forward(self.pair.used(), image, 1, Mode::Infer)?;
        Ok(self.asked.output().iter().map(|score| sigmoid(*score)).collect())
    }

    /// The run behind the last [`Training::judge`]: what every layer made of the image.
    pub fn judged(&self) -> &Run {
        &self.asked
    }

    /// The generator as it ships, and what its file says of it.
    pub fn trained(&self) -> Result<(Network, Params, BTreeMap<String, String>)> {
        let (net, params) = self.pair.generator();
        let metadata = [("name", "dcgan".to_string()), ("settings", described(self.pair.settings())?)];
        Ok((net.clone(), params.clone(), metadata.into_iter().map(|(k, v)| (k.to_string(), v)).collect()))
    }
}

/// Settings as a file has them.
fn described(settings: &Settings) -> Result<String> {
    serde_json::to_string(settings).map_err(|e| Error::format("settings", "numbers that JSON can hold", e))
}
