//! The training step on a GPU: the same network, options and seeds as a [`super::Trainer`]'s, batch normalisation over the same
//! shards, dropout with the same masks. Sums have another order, so the weights are near, not equal.
//!
//! Steps are handed over and come back several at a time, with the state that they left: whoever keeps that loses nothing where
//! the device fails, for the steps since can be taken again, here or by a [`super::Trainer`].

use super::batch::Batch;
use super::descent::State;
use super::optimiser::{Memory, Optimiser};
use super::options::Options;
use super::regularise::smooth;
use super::replica::Progress;
use crate::error::{Error, Result};
use crate::gpu::{self, Device, Learner, Update};
use crate::nn::{Feed, Network, Params, Want};
use crate::rng::Rng;
#[cfg(feature = "cli")]
use rayon::prelude::*;

/// Steps between two read-backs, at most. A read-back costs some milliseconds, in browsers up to a hundred.
pub const STEPS: usize = 50;
/// Images that are scored at a time.
const SCORED: usize = 200;

/// A network in training on a GPU.
pub struct GpuTrainer {
    learner: Learner,
    rows: Batch,
    /// Classes, where the losses are those of [`Network::classifier`].
    classes: Option<usize>,
    label_smoothing: f32,
}

/// What the steps since the last read-back came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrived {
    /// Of each step that was taken.
    pub progress: Vec<Progress>,
    /// Everything to go on from behind them.
    pub state: State,
    /// Why the next one was not taken: its loss or gradient was no finite number.
    pub refused: Option<Error>,
}

impl GpuTrainer {
    /// Goes on with `net` from this state, in batches of up to `batch` images, shards of up to `shard`.
    ///
    /// Errors: those of [`Network::classifier`], of the options, and of [`Learner::new`]: a layer without kernels by its name,
    /// a device without room.
    pub async fn new(
        device: &Device,
        net: &Network,
        state: &State,
        batch: usize,
        shard: usize,
        options: &Options,
    ) -> Result<Self> {
        options.check()?;
        let classes =
            (net.losses().is_empty() && net.inputs().count() == 1).then(|| net.node(net.output()).shape.len());
        let net = if classes.is_some() { net.classifier()? } else { net.clone() };
        let last = net.losses().len().saturating_sub(1);
        let counts = net.losses().iter().enumerate().map(|(i, (_, weight))| match classes {
            // A classifier reports its answer's loss, auxiliary ones left aside, as a Replica does.
            Some(_) => f32::from(u8::from(i == last)),
            None => *weight,
        });
        let counts: Vec<f32> = counts.collect();
        let params = net.zeros();
        let mut learner = Learner::new(device, &net, &params, [batch, shard], STEPS, update(options), &counts).await?;
        learner.restore(&memory_of(state))?;
        Ok(Self { learner, rows: Batch::new(&net), classes, label_smoothing: options.label_smoothing })
    }

    /// The kernels of its layers and how many update the parameters.
    pub fn learner(&self) -> &Learner {
        &self.learner
    }

    /// Steps handed over that have not come back.
    pub fn pending(&self) -> usize {
        self.learner.pending()
    }

    /// Whether no further step may be handed over before [`GpuTrainer::come`].
    pub fn is_full(&self) -> bool {
        self.learner.pending() == self.learner.most()
    }

    /// Hands a step on `n` images over, as [`super::Trainer::step`] takes one, and returns at once.
    ///
    /// Errors: those of [`Learner::step`]; [`Error::Value`] for a network with losses of its own.
    pub fn step<F>(&mut self, n: usize, rate: f32, seed: u64, fill: F) -> Result<()>
    where
        F: Fn(usize, &mut [f32], &mut [f32]) + Sync,
    {
        let Some(classes) = self.classes else {
            return Err(Error::value("training on classes", "a network without losses of its own", "another"));
        };
        let run = self.learner.run();
        if n == 0 || n > run.batch() {
            return Err(Error::value("batch", format!("1 to {} images", run.batch()), n));
        }
        let image = run.network().input_shape().len();
        let mut images = std::mem::take(self.rows.at(0));
        let mut targets = std::mem::take(self.rows.at(1));
        images.resize(n * image, 0.0);
        targets.resize(n * classes, 0.0);
        let part = self.label_smoothing;
        let make = |(i, (image, target)): (usize, (&mut [f32], &mut [f32]))| {
            fill(i, image, target);
            smooth(target, part);
        };
        #[cfg(feature = "cli")]
        images.par_chunks_exact_mut(image).zip(targets.par_chunks_exact_mut(classes)).enumerate().for_each(make);
        #[cfg(not(feature = "cli"))]
        images.chunks_exact_mut(image).zip(targets.chunks_exact_mut(classes)).enumerate().for_each(make);
        (*self.rows.at(0), *self.rows.at(1)) = (images, targets);
        self.hand_over(n, rate, seed)
    }

    /// As [`GpuTrainer::step`] for a network with losses of its own: `fill` adds the rows of `n` images to every input.
    pub fn step_feeds<F>(&mut self, n: usize, rate: f32, seed: u64, fill: F) -> Result<()>
    where
        F: FnOnce(&mut Batch) -> Result<()>,
    {
        self.rows.clear();
        fill(&mut self.rows)?;
        self.hand_over(n, rate, seed)
    }

    fn hand_over(&mut self, n: usize, rate: f32, seed: u64) -> Result<()> {
        let shards = n.div_ceil(self.learner.run().shard()) as u64;
        let seeds: Vec<u64> = (0..shards).map(|shard| Rng::mix(seed, shard)).collect();
        self.learner.step(&self.rows.feeds(), &seeds, rate)
    }

    /// What the steps since the last time came to, and the state behind them: one read-back. Errors: those of
    /// [`Learner::come`]; the state that came last is then the one to go on from.
    pub async fn come(&mut self) -> Result<Arrived> {
        let (all, failed, memory) = self.learner.come().await?;
        let progress = all.iter().map(|come| Progress {
            images: come.images,
            loss: come.loss + come.penalty * come.images as f64,
            correct: come.correct,
            gradient_norm: come.gradient_norm,
        });
        let step = memory.steps + 1;
        let refused =
            failed.map(|loss| Error::value(format!("loss of step {step}"), "a finite number (try a lower rate)", loss));
        let gpu::Memory { params, first, second, average, steps } = memory;
        let average = (!average.is_empty()).then_some(average);
        let state = State { params, memory: Memory { first, second, steps }, average };
        Ok(Arrived { progress: progress.collect(), state, refused })
    }

    /// Goes on from a state. Refuses one of another network or optimiser.
    pub fn restore(&mut self, state: &State) -> Result<()> {
        self.learner.restore(&memory_of(state))
    }
}

/// The output of `net` for `n` images, rows one after another, as [`super::evaluate::scores`] gives it; `fill(i, image)` writes image `i`.
///
/// Errors: those of [`gpu::Run::new`] and of a device that is lost.
pub async fn scores<F>(device: &Device, net: &Network, params: &Params, n: usize, fill: F) -> Result<Vec<f32>>
where
    F: Fn(usize, &mut [f32]),
{
    let mut run = gpu::Run::new(device, net, SCORED, SCORED, &Want::outputs()).await?;
    run.receive(params)?;
    let (name, len) = (net.nodes()[0].name.clone(), net.input_shape().len());
    let (mut images, mut all) = (vec![0.0; SCORED * len], Vec::new());
    for first in (0..n).step_by(SCORED) {
        let count = SCORED.min(n - first);
        images.chunks_exact_mut(len).take(count).enumerate().for_each(|(k, image)| fill(first + k, image));
        run.forward(&[Feed::new(&name, &images[..count * len])], &[])?;
        all.extend(run.read(net.output()).await?);
    }
    Ok(all)
}

fn memory_of(state: &State) -> gpu::Memory {
    let State { params, memory: Memory { first, second, steps }, average } = state.clone();
    gpu::Memory { params, first, second, average: average.unwrap_or_default(), steps }
}

fn update(options: &Options) -> Update {
    let Optimiser { rule, momentum, smoothing, eps, decay } = options.optimiser;
    let Options { l1, l2, clip_norm, clip_value, average, .. } = *options;
    Update { rule, momentum, smoothing, eps, decay, l1, l2, clip_norm, clip_value, average }
}
