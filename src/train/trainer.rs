//! The training step on this machine: a batch cut into shards, a [`Replica`] for each, one [`Descent`].
//!
//! How a batch is cut depends on the batch alone, and each shard may run on any thread.

use super::batch::Batch;
use super::descent::{Descent, State};
use super::options::Options;
use super::replica::{Progress, Replica};
use crate::error::{Error, Result};
use crate::nn::{Network, Params, Run, Wire};
use crate::rng::Rng;
#[cfg(feature = "cli")]
use rayon::prelude::*;
use std::ops::Range;

/// A network in training.
pub struct Trainer {
    net: Network,
    descent: Descent,
    replicas: Vec<Replica>,
}

impl Trainer {
    /// Trains `net` from `params` in batches of up to `batch` images, each cut into shards of up to `shard` images.
    ///
    /// The options' schedule is the caller's to follow: each step is given its rate.
    pub fn new(net: &Network, params: Params, batch: usize, shard: usize, options: &Options) -> Result<Self> {
        if batch == 0 || shard == 0 {
            return Err(Error::value("batch", "at least 1 image in a batch and a shard", format!("{batch}, {shard}")));
        }
        let replicas = (0..batch.div_ceil(shard)).map(|_| Replica::new(net, shard, options)).collect::<Result<_>>()?;
        Ok(Self { net: net.clone(), descent: Descent::new(net, params, options)?, replicas })
    }

    /// One step on `n` images at this learning rate.
    ///
    /// `fill(i, image, target)` writes image `i` as CHW and its target distribution over the classes; it may run on
    /// any thread. `seed` decides dropout. Fails, and changes nothing, if a loss is not finite.
    pub fn step<F>(&mut self, n: usize, rate: f32, seed: u64, fill: F) -> Result<Progress>
    where
        F: Fn(usize, &mut [f32], &mut [f32]) + Sync,
    {
        let scale = 1.0 / n as f32;
        self.shards(n, rate, |i, images, replica, params| {
            let seed = Rng::mix(seed, i as u64);
            replica.learn(params, images.len(), scale, seed, |k, x, t| fill(images.start + k, x, t))
        })
    }

    /// As [`Trainer::step`] for a network with losses of its own: `fill(images, batch)` adds the rows of these images, and
    /// whatever other rows go with them, to every input. The gradient is that of the losses' sum over `n`.
    pub fn step_feeds<F>(&mut self, n: usize, rate: f32, seed: u64, fill: F) -> Result<Progress>
    where
        F: Fn(Range<usize>, &mut Batch) -> Result<()> + Sync,
    {
        let scale = 1.0 / n as f32;
        self.shards(n, rate, |i, images, replica, params| {
            replica.learn_feeds(params, scale, Rng::mix(seed, i as u64), |batch| fill(images, batch))
        })
    }

    /// As [`Trainer::step_feeds`] in two stages: once a shard has computed the wires before `until`, `propose(images, run, batch)`
    /// adds the rows of the inputs from there on. See [`Replica::learn_staged`].
    pub fn step_staged<F, P>(
        &mut self,
        n: usize,
        rate: f32,
        seed: u64,
        until: Wire,
        fill: F,
        propose: P,
    ) -> Result<Progress>
    where
        F: Fn(Range<usize>, &mut Batch) -> Result<()> + Sync,
        P: Fn(Range<usize>, &Run, &mut Batch) -> Result<()> + Sync,
    {
        let scale = 1.0 / n as f32;
        self.shards(n, rate, |i, images, replica, params| {
            let seed = Rng::mix(seed, i as u64);
            let propose = |run: &Run, batch: &mut Batch| propose(images.clone(), run, batch);
            replica.learn_staged(params, scale, seed, until, |batch| fill(images.clone(), batch), propose)
        })
    }

    /// Computes the gradient of every shard of `n` images, given its number and its images, and takes the step.
    fn shards<F>(&mut self, n: usize, rate: f32, learn: F) -> Result<Progress>
    where
        F: Fn(usize, Range<usize>, &mut Replica, &Params) -> Result<Progress> + Sync,
    {
        let size = self.replicas.first().map_or(0, Replica::size);
        if n == 0 || n > size * self.replicas.len() {
            return Err(Error::value("batch", format!("1 to {} images", size * self.replicas.len()), n));
        }
        let (replicas, params) = (&mut self.replicas[..n.div_ceil(size)], self.descent.params());
        let work = |(i, replica): (usize, &mut Replica)| learn(i, i * size..n.min((i + 1) * size), replica, params);
        #[cfg(feature = "cli")]
        let parts: Result<Vec<Progress>> = replicas.par_iter_mut().enumerate().map(work).collect();
        #[cfg(not(feature = "cli"))]
        let parts: Result<Vec<Progress>> = replicas.iter_mut().enumerate().map(work).collect();
        let parts = parts?;
        self.descent.apply(replicas.iter().map(Replica::gradient).zip(parts), rate)
    }

    /// The network in training.
    pub fn network(&self) -> &Network {
        &self.net
    }

    /// The parameters as the last step left them.
    pub fn params(&self) -> &Params {
        self.descent.params()
    }

    /// The parameters to use: the moving average if one is kept.
    pub fn result(&self) -> &Params {
        self.descent.result()
    }

    /// The summed gradient of the last step, in the arena's order.
    pub fn gradient(&self) -> &[f32] {
        self.descent.gradient()
    }

    /// Everything to go on from here with the same bits.
    pub fn state(&self) -> State {
        self.descent.state()
    }

    /// Goes on from a state. Refuses one of another network or optimiser and is then as it was.
    pub fn restore(&mut self, state: State) -> Result<()> {
        self.descent.restore(state)
    }
}
