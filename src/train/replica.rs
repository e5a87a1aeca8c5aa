//! A replica: the gradient of one shard of a batch, on buffers of its own.
//!
//! What comes out depends on the parameters, the shard and the seed alone, so it may run on any thread, or in another
//! worker that has been sent the parameters.

use super::options::Options;
use super::regularise::smooth;
use crate::error::Result;
use crate::kernel::reduce;
use crate::nn::{Mode, Network, Params, Purpose, Run};

/// One copy of a network, to learn from up to a shard of images at a time.
pub struct Replica {
    run: Run,
    images: Vec<f32>,
    targets: Vec<f32>,
    gradient: Vec<f32>,
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
    /// Buffers for shards of up to `size` images of `net`; of the options, it smooths the labels.
    pub fn new(net: &Network, size: usize, options: &Options) -> Self {
        let classes = net.node(net.output()).shape.len();
        Self {
            run: Run::new(net, size, &Purpose::Train { input_gradient: false }),
            images: vec![0.0; size * net.input_shape().len()],
            targets: vec![0.0; size * classes],
            gradient: vec![0.0; net.arena_len()],
            label_smoothing: options.label_smoothing,
        }
    }

    /// The most images in a shard.
    pub fn size(&self) -> usize {
        self.run.plan().batch
    }

    /// Computes the gradient of `scale` times the losses of `n` images, which [`Replica::gradient`] then gives.
    ///
    /// `fill(i, image, target)` writes image `i` as CHW and its target distribution over the classes. `seed` decides
    /// dropout. Fails if there are no images or more than [`Replica::size`].
    pub fn learn<F>(&mut self, params: &Params, n: usize, scale: f32, seed: u64, fill: F) -> Result<Progress>
    where
        F: Fn(usize, &mut [f32], &mut [f32]),
    {
        let (image, classes) = (self.images.len() / self.size(), self.targets.len() / self.size());
        let targets = self.targets.chunks_exact_mut(classes);
        for (i, (x, t)) in self.images.chunks_exact_mut(image).zip(targets).take(n).enumerate() {
            fill(i, x, t);
            smooth(t, self.label_smoothing);
        }
        let (images, targets) =
            (&self.images[..n.min(self.size()) * image], &self.targets[..n.min(self.size()) * classes]);
        self.gradient.fill(0.0);
        self.run.forward(params, images, n, Mode::Train { seed })?;
        let correct = matches(self.run.output(), targets, classes);
        let loss = self.run.classification_loss(targets, scale)?;
        self.run.backward(params, &mut self.gradient);
        Ok(Progress { images: n, loss, correct, gradient_norm: 0.0 })
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
