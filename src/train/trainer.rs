//! The training step on this machine: a batch cut into shards, a [`Replica`] for each, one [`Descent`].
//!
//! How a batch is cut depends on the batch alone; each shard may run on any thread, and on any member of a [`Group`].

use super::batch::Batch;
use super::descent::{Descent, State};
use super::group::{Alone, Group, Ready, share};
use super::options::Options;
use super::replica::{Progress, Replica};
use crate::error::{Error, Result};
use crate::nn::plan::affordable;
use crate::nn::{Network, Params, Run, Want, Wire};
use crate::rng::Rng;
#[cfg(feature = "cli")]
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// A network in training.
pub struct Trainer {
    net: Network,
    descent: Descent,
    replicas: Vec<Replica>,
    /// Shards of a whole batch.
    shards: usize,
    group: Arc<dyn Group>,
}

impl Trainer {
    /// Trains `net` from `params` in batches of up to `batch` images, each cut into shards of up to `shard` images.
    ///
    /// The options' schedule is the caller's to follow: each step is given its rate. Errors: [`Error::Value`] for an empty batch or
    /// shard, and those of [`affordable`].
    pub fn new(net: &Network, params: Params, batch: usize, shard: usize, options: &Options) -> Result<Self> {
        if batch == 0 || shard == 0 {
            return Err(Error::value("batch", "at least 1 image in a batch and a shard", format!("{batch}, {shard}")));
        }
        affordable(net, batch.div_ceil(shard).saturating_mul(shard), &Want::training())?;
        let replicas: Vec<Replica> =
            (0..batch.div_ceil(shard)).map(|_| Replica::new(net, shard, options)).collect::<Result<_>>()?;
        let (descent, shards) = (Descent::new(net, params, options)?, replicas.len());
        Ok(Self { net: net.clone(), descent, replicas, shards, group: Arc::new(Alone) })
    }

    /// Shares each step's shards with the members of a group, all of which take the same steps.
    pub fn join(&mut self, group: Arc<dyn Group>) {
        self.replicas.truncate(self.shards.div_ceil(group.size()));
        self.group = group;
    }

    /// The group that it shares its steps with.
    pub fn group(&self) -> &Arc<dyn Group> {
        &self.group
    }

    /// One step on `n` images at this learning rate.
    ///
    /// `fill(i, image, target)` writes image `i` as CHW and its target distribution over the classes; it may run on
    /// any thread. `seed` decides dropout. Fails, and changes nothing, if a loss is not finite.
    pub fn step<F>(&mut self, n: usize, rate: f32, seed: u64, fill: F) -> Result<Progress>
    where
        F: Fn(usize, &mut [f32], &mut [f32]) + Sync,
    {
        self.shards(n, rate, |i, images, replica, params| {
            let seed = Rng::mix(seed, i as u64);
            replica.forward(params, images.len(), seed, |k, x, t| fill(images.start + k, x, t))
        })
    }

    /// As [`Trainer::step`] for a network with losses of its own: `fill(images, batch)` adds the rows of these images, and
    /// whatever other rows go with them, to every input. The gradient is that of the losses' sum over `n`.
    pub fn step_feeds<F>(&mut self, n: usize, rate: f32, seed: u64, fill: F) -> Result<Progress>
    where
        F: Fn(Range<usize>, &mut Batch) -> Result<()> + Sync,
    {
        self.step_staged(n, rate, seed, Wire::FIRST, fill, |_, _, _| Ok(()))
    }

    /// As [`Trainer::step_feeds`] in two stages: once a shard has computed the wires before `until`, `propose(images, run, batch)`
    /// adds the rows of the inputs from there on. See [`Replica::forward_staged`].
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
        self.shards(n, rate, |i, images, replica, params| {
            let seed = Rng::mix(seed, i as u64);
            let propose = |run: &Run, batch: &mut Batch| propose(images.clone(), run, batch);
            replica.forward_staged(params, seed, until, |batch| fill(images.clone(), batch), propose)
        })
    }

    /// Computes the gradients of this member's shards of `n` images, whose forward half `see` is, given their number and their
    /// images, and takes the step.
    fn shards<F>(&mut self, n: usize, rate: f32, see: F) -> Result<Progress>
    where
        F: Fn(usize, Range<usize>, &mut Replica, &Params) -> Result<Progress> + Sync,
    {
        let size = self.replicas.first().map_or(0, Replica::size);
        if n == 0 || n > size * self.shards {
            return Err(Error::value("batch", format!("1 to {} images", size * self.shards), n));
        }
        let own = share(n.div_ceil(size), self.group.rank(), self.group.size());
        let (first, replicas, scale) = (own.start, &mut self.replicas[..own.len()], 1.0 / n as f32);
        let look = |i: usize, replica: &mut Replica, params: &Params| {
            let shard = first + i;
            see(shard, shard * size..n.min((shard + 1) * size), replica, params)
        };
        let alone = self.group.size() == 1;
        let progress = self.descent.sum_in(&*self.group, |params, ready| {
            let work = if alone || threads() > 1 { at_once } else { in_turn };
            work(replicas, params, scale, &look, ready)
        })?;
        self.descent.update(progress, rate)
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

/// The forward half of one of this member's shards.
type See<'a> = dyn Fn(usize, &mut Replica, &Params) -> Result<Progress> + Sync + 'a;

/// Computes shards on all threads.
fn at_once(
    replicas: &mut [Replica],
    params: &Params,
    scale: f32,
    see: &See<'_>,
    ready: &mut Ready<'_>,
) -> Result<Vec<Progress>> {
    let work = |(i, replica): (usize, &mut Replica)| {
        let progress = see(i, replica, params)?;
        replica.backward(params, scale, &mut |_, _| ());
        Ok(progress)
    };
    #[cfg(feature = "cli")]
    let parts: Result<Vec<Progress>> = replicas.par_iter_mut().enumerate().map(work).collect();
    #[cfg(not(feature = "cli"))]
    let parts: Result<Vec<Progress>> = replicas.iter_mut().enumerate().map(work).collect();
    let parts = parts?;
    ready(&replicas.iter().map(Replica::gradient).collect::<Vec<_>>(), 0);
    Ok(parts)
}

/// Computes shards one after the other; the sum sets off while the last one goes backward.
fn in_turn(
    replicas: &mut [Replica],
    params: &Params,
    scale: f32,
    see: &See<'_>,
    ready: &mut Ready<'_>,
) -> Result<Vec<Progress>> {
    let Some((last, others)) = replicas.split_last_mut() else {
        ready(&[], 0);
        return Ok(Vec::new());
    };
    let mut parts = Vec::with_capacity(others.len() + 1);
    for (i, replica) in others.iter_mut().enumerate() {
        parts.push(see(i, replica, params)?);
        replica.backward(params, scale, &mut |_, _| ());
    }
    parts.push(see(others.len(), last, params)?);
    last.backward(params, scale, &mut |gradient, from| {
        let all: Vec<&[f32]> = others.iter().map(Replica::gradient).chain([gradient]).collect();
        ready(&all, from);
    });
    Ok(parts)
}

/// Threads that shards may run on.
fn threads() -> usize {
    #[cfg(feature = "cli")]
    return rayon::current_num_threads();
    #[cfg(not(feature = "cli"))]
    1
}
