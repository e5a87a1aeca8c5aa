//! A replica: the gradient of one shard of a batch, on buffers of its own.
//!
//! What comes out depends on the parameters, the shard and the seed alone, so it may run on any thread, or in another
//! worker that has been sent the parameters.

use super::batch::Batch;
use super::options::Options;
use super::regularise::smooth;
use crate::error::{Error, Result};
use crate::kernel::reduce;
use crate::nn::plan::affordable;
use crate::nn::{Feed, Mode, Network, Params, Run, Want, Wire};

/// One copy of a network, to learn from up to a shard of images at a time.
pub struct Replica {
    run: Run,
    batch: Batch,
    gradient: Vec<f32>,
    /// Classes, where the losses are those of [`Network::classifier`].
    classes: Option<usize>,
    label_smoothing: f32,
}

/// What a shard, a step, or several came to. Sums over images.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Progress {
    /// Images.
    pub images: usize,
    /// Sum of the losses, each with the penalties on the weights once a [`super::Descent`] has added them.
    pub loss: f64,
    /// Images whose highest score was their target's highest.
    pub correct: usize,
    /// Norm of the last step's gradient before it was clipped; 0 of a shard alone.
    pub gradient_norm: f64,
}

impl Progress {
    /// Adds another's sums.
    pub fn add(&mut self, other: Self) {
        self.images += other.images;
        self.loss += other.loss;
        self.correct += other.correct;
        self.gradient_norm = other.gradient_norm;
    }
}

impl Replica {
    /// Buffers for shards of up to `size` images of `net`, with its losses, or with those of a classifier if it has none; of
    /// the options, it smooths a classifier's labels. Errors: those of [`Network::classifier`] and [`affordable`].
    pub fn new(net: &Network, size: usize, options: &Options) -> Result<Self> {
        let classes =
            (net.losses().is_empty() && net.inputs().count() == 1).then(|| net.node(net.output()).shape.len());
        let net = if classes.is_some() { net.classifier()? } else { net.clone() };
        affordable(&net, size, &Want::training())?;
        Ok(Self {
            run: Run::new(&net, size, &Want::training()),
            batch: Batch::new(&net),
            gradient: vec![0.0; net.arena_len()],
            classes,
            label_smoothing: options.label_smoothing,
        })
    }

    /// The most images in a shard.
    pub fn size(&self) -> usize {
        self.run.plan().batch
    }

    /// Computes the gradient of `scale` times the losses of `n` images, which [`Replica::gradient`] then gives.
    ///
    /// `fill(i, image, target)` writes image `i` as CHW and its target distribution over the classes. `seed` decides
    /// dropout. Fails if there are no images or more than [`Replica::size`], and for a network with losses of its own.
    pub fn learn<F>(&mut self, params: &Params, n: usize, scale: f32, seed: u64, fill: F) -> Result<Progress>
    where
        F: Fn(usize, &mut [f32], &mut [f32]),
    {
        let progress = self.forward(params, n, seed, fill)?;
        self.backward(params, scale, &mut |_, _| ());
        Ok(progress)
    }

    /// The forward half of [`Replica::learn`], with its errors; [`Replica::backward`] is the other.
    pub fn forward<F>(&mut self, params: &Params, n: usize, seed: u64, fill: F) -> Result<Progress>
    where
        F: Fn(usize, &mut [f32], &mut [f32]),
    {
        let Some(classes) = self.classes else {
            return Err(Error::value(
                "training on classes",
                "a network of one input without losses of its own",
                "another",
            ));
        };
        let image = self.run.network().input_shape().len();
        if n > self.size() {
            return Err(Error::value("images in a shard", format!("1 to {}", self.size()), n));
        }
        self.batch.at(0).resize(n * image, 0.0);
        self.batch.at(1).resize(n * classes, 0.0);
        for i in 0..n {
            let mut target = std::mem::take(self.batch.at(1));
            let row = &mut target[i * classes..][..classes];
            fill(i, &mut self.batch.at(0)[i * image..][..image], row);
            smooth(row, self.label_smoothing);
            *self.batch.at(1) = target;
        }
        self.run.forward_feeds(params, &self.batch.feeds(), Mode::Train { seed })?;
        let (loss, correct) = (self.run.last_loss(), matches(self.run.output(), self.batch.at(1), classes));
        Ok(Progress { images: n, loss, correct, gradient_norm: 0.0 })
    }

    /// As [`Replica::learn`] for any losses: `fill` adds rows for every input. The loss reported is that of all losses, each
    /// times its weight. Errors: those of `fill` and of [`Run::forward_feeds`].
    pub fn learn_feeds<F>(&mut self, params: &Params, scale: f32, seed: u64, fill: F) -> Result<Progress>
    where
        F: FnOnce(&mut Batch) -> Result<()>,
    {
        let progress = self.forward_staged(params, seed, Wire::FIRST, fill, |_, _| Ok(()))?;
        self.backward(params, scale, &mut |_, _| ());
        Ok(progress)
    }

    /// The forward half of [`Replica::learn_feeds`] in two stages: once the wires before `until` are computed, `propose` adds
    /// rows to the inputs from there on, which `fill` left empty; they have rows of their own. Errors besides: those of
    /// `propose` and of [`Run::feed`].
    pub fn forward_staged<F, P>(
        &mut self,
        params: &Params,
        seed: u64,
        until: Wire,
        fill: F,
        propose: P,
    ) -> Result<Progress>
    where
        F: FnOnce(&mut Batch) -> Result<()>,
        P: FnOnce(&Run, &mut Batch) -> Result<()>,
    {
        self.batch.clear();
        fill(&mut self.batch)?;
        self.run.load_feeds(params, &self.batch.feeds(), Mode::Train { seed })?;
        self.run.forward_before(params, until);
        if until != Wire::FIRST {
            propose(&self.run, &mut self.batch)?;
            let net = self.run.network().clone();
            let late: Vec<&str> = net.inputs().filter(|w| *w >= until).map(|w| net.node(w).name.as_str()).collect();
            let feeds = self.batch.feeds();
            let feeds: Vec<Feed> = feeds.into_iter().filter(|feed| late.contains(&feed.input)).collect();
            self.run.feed(&feeds)?;
        }
        self.run.forward_from(params, until);
        Ok(Progress { images: self.run.images(), loss: self.run.total_loss(), correct: 0, gradient_norm: 0.0 })
    }

    /// The backward half: computes the gradient of `scale` times the losses of the last forward half. `ready` hears, behind
    /// each layer, the gradient and the place from which on it is final, and at last, once, 0.
    pub fn backward(&mut self, params: &Params, scale: f32, ready: &mut dyn FnMut(&[f32], usize)) {
        self.gradient.fill(0.0);
        self.run.backward_telling(params, &mut self.gradient, scale, ready);
    }

    /// The gradient that the last [`Replica::learn`] computed, in the arena's order.
    pub fn gradient(&self) -> &[f32] {
        &self.gradient
    }

    /// The run behind it: what every layer made of the last shard.
    pub fn run(&self) -> &Run {
        &self.run
    }
}

/// Rows whose largest score is at their largest target.
fn matches(scores: &[f32], targets: &[f32], classes: usize) -> usize {
    let rows = scores.chunks_exact(classes).zip(targets.chunks_exact(classes));
    rows.filter(|(s, t)| reduce::argmax(s) == reduce::argmax(t)).count()
}
