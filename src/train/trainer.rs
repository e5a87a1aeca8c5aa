//! The training step: a batch in shards, gradients summed in a fixed order, one update.
//!
//! Each shard is a replica with buffers of its own and may run on any thread; how a batch is cut depends on the batch
//! alone. So the weights are the same to the bit for any number of threads. (Data-parallel SGD; Goyal et al. 2017.)

use super::optimiser::{Memory, Optimiser};
use crate::error::{Error, Result};
use crate::kernel::{act, reduce, update};
use crate::nn::{Mode, Network, Params, Purpose, Run};
use crate::rng::Rng;
#[cfg(feature = "cli")]
use rayon::prelude::*;

/// A network in training.
pub struct Trainer {
    net: Network,
    params: Params,
    optimiser: Optimiser,
    memory: Memory,
    /// Exponential moving average of the parameters and its decay per step. Polyak and Juditsky 1992.
    average: Option<(Params, f32)>,
    shards: Vec<Shard>,
    gradient: Vec<f32>,
}

struct Shard {
    run: Run,
    images: Vec<f32>,
    targets: Vec<f32>,
    gradient: Vec<f32>,
    progress: Progress,
    error: Option<Error>,
}

/// What a step, or several, came to. Sums over images.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Progress {
    /// Images.
    pub images: usize,
    /// Sum of the losses.
    pub loss: f64,
    /// Images whose highest score was their target's highest.
    pub correct: usize,
}

impl Progress {
    /// Adds another's sums.
    pub fn add(&mut self, other: Self) {
        self.images += other.images;
        self.loss += other.loss;
        self.correct += other.correct;
    }
}

/// All that a training needs to go on with the same bits.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The parameter arena.
    pub params: Vec<f32>,
    /// The optimiser's memory.
    pub memory: Memory,
    /// The arena of the averaged parameters, if there is one.
    pub average: Option<Vec<f32>>,
}

impl Trainer {
    /// Trains `net` from `params` in batches of up to `batch` images, each cut into shards of up to `shard` images.
    ///
    /// With `average`, a moving average of the parameters with that decay per step is kept as well.
    pub fn new(
        net: &Network,
        params: Params,
        batch: usize,
        shard: usize,
        optimiser: Optimiser,
        average: Option<f32>,
    ) -> Result<Self> {
        if batch == 0 || shard == 0 {
            return Err(Error::value("batch", "at least 1 image in a batch and a shard", format!("{batch}, {shard}")));
        }
        let len = params.values().len();
        let shards = (0..batch.div_ceil(shard)).map(|_| Shard::new(net, shard, len)).collect();
        let average = average.map(|decay| (params.clone(), decay));
        let memory = optimiser.memory(len);
        Ok(Self { net: net.clone(), params, optimiser, memory, average, shards, gradient: vec![0.0; len] })
    }

    /// One step on `n` images at this learning rate.
    ///
    /// `fill(i, image, target)` writes image `i` as CHW and its target distribution over the classes; it may run on
    /// any thread. `seed` decides dropout. Fails, and changes nothing, if a loss is not finite.
    pub fn step<F>(&mut self, n: usize, rate: f32, seed: u64, fill: F) -> Result<Progress>
    where
        F: Fn(usize, &mut [f32], &mut [f32]) + Sync,
    {
        let size = self.shards.first().map_or(0, Shard::size);
        if n == 0 || n > size * self.shards.len() {
            return Err(Error::value("batch", format!("1 to {} images", size * self.shards.len()), n));
        }
        let used = n.div_ceil(size);
        let (params, scale) = (&self.params, 1.0 / n as f32);
        let work = |(i, shard): (usize, &mut Shard)| {
            let images = size.min(n - i * size);
            shard.learn(params, images, scale, Rng::mix(seed, i as u64), |k, x, t| fill(i * size + k, x, t));
        };
        #[cfg(feature = "cli")]
        self.shards[..used].par_iter_mut().enumerate().for_each(work);
        #[cfg(not(feature = "cli"))]
        self.shards[..used].iter_mut().enumerate().for_each(work);
        self.update(used, rate)
    }

    fn update(&mut self, used: usize, rate: f32) -> Result<Progress> {
        let mut progress = Progress::default();
        self.gradient.fill(0.0);
        let level = self.shards[0].run.level();
        for shard in &mut self.shards[..used] {
            if let Some(error) = shard.error.take() {
                return Err(error);
            }
            act::add_assign(level, &mut self.gradient, &shard.gradient);
            progress.add(shard.progress);
        }
        if !progress.loss.is_finite() || !reduce::sum(level, &self.gradient).is_finite() {
            let step = self.memory.steps + 1;
            return Err(Error::value(
                format!("loss of step {step}"),
                "a finite number (try a lower rate)",
                progress.loss,
            ));
        }
        self.optimiser.step(level, self.params.values_mut(), &self.gradient, &mut self.memory, rate);
        if let Some((average, decay)) = &mut self.average {
            // A young average would remember the first weights too long.
            let young = self.memory.steps as f32 / (self.memory.steps as f32 + 10.0);
            update::ema(level, average.values_mut(), self.params.values(), decay.min(young));
        }
        Ok(progress)
    }

    /// The network in training.
    pub fn network(&self) -> &Network {
        &self.net
    }

    /// The parameters as the last step left them.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The parameters to use: the moving average if one is kept.
    pub fn result(&self) -> &Params {
        self.average.as_ref().map_or(&self.params, |(average, _)| average)
    }

    /// Everything to go on from here with the same bits.
    pub fn state(&self) -> State {
        State {
            params: self.params.values().to_vec(),
            memory: self.memory.clone(),
            average: self.average.as_ref().map(|(p, _)| p.values().to_vec()),
        }
    }

    /// Goes on from a state. Refuses one of another network or optimiser and is then as it was.
    pub fn restore(&mut self, state: State) -> Result<()> {
        let own = self.state();
        let sizes =
            |s: &State| (s.params.len(), s.memory.first.len(), s.memory.second.len(), s.average.as_ref().map(Vec::len));
        if sizes(&own) != sizes(&state) {
            return Err(Error::shape(
                "checkpoint",
                format!("{:?} numbers", sizes(&own)),
                format!("{:?}", sizes(&state)),
            ));
        }
        self.params.values_mut().copy_from_slice(&state.params);
        if let (Some((average, _)), Some(values)) = (&mut self.average, &state.average) {
            average.values_mut().copy_from_slice(values);
        }
        self.memory = state.memory;
        Ok(())
    }
}

impl Shard {
    fn new(net: &Network, size: usize, params: usize) -> Self {
        let classes = net.node(net.output()).shape.len();
        Self {
            run: Run::new(net, size, &Purpose::Train { input_gradient: false }),
            images: vec![0.0; size * net.input_shape().len()],
            targets: vec![0.0; size * classes],
            gradient: vec![0.0; params],
            progress: Progress::default(),
            error: None,
        }
    }

    fn size(&self) -> usize {
        self.run.plan().batch
    }

    fn learn(
        &mut self,
        params: &Params,
        n: usize,
        scale: f32,
        seed: u64,
        fill: impl Fn(usize, &mut [f32], &mut [f32]),
    ) {
        let (image, classes) = (self.images.len() / self.size(), self.targets.len() / self.size());
        let targets = self.targets.chunks_exact_mut(classes);
        for (i, (x, t)) in self.images.chunks_exact_mut(image).zip(targets).take(n).enumerate() {
            fill(i, x, t);
        }
        self.error = self.backpropagate(params, n, n * image, n * classes, scale, seed).err();
    }

    fn backpropagate(&mut self, params: &Params, n: usize, x: usize, t: usize, scale: f32, seed: u64) -> Result<()> {
        let output = self.run.network().output();
        self.gradient.fill(0.0);
        self.run.forward(params, &self.images[..x], n, Mode::Train { seed })?;
        let correct = matches(self.run.output(), &self.targets[..t], t / n);
        let loss = self.run.soft_cross_entropy(output, &self.targets[..t], scale)?;
        self.run.backward(params, &mut self.gradient);
        self.progress = Progress { images: n, loss, correct };
        Ok(())
    }
}

/// Rows whose largest score is at their largest target.
fn matches(scores: &[f32], targets: &[f32], classes: usize) -> usize {
    let rows = scores.chunks_exact(classes).zip(targets.chunks_exact(classes));
    rows.filter(|(s, t)| reduce::argmax(s) == reduce::argmax(t)).count()
}
