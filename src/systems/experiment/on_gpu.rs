//! The part of an experiment that a GPU takes: steps, some at a time, from a coach's state and back to it.

use super::coach::DIVERGED;
use super::learner::Epoch;
use super::samples::Samples;
use super::setup::Setup;
use crate::error::{Error, Result};
use crate::gpu::Device;
use crate::rng::Rng;
use crate::train::on_gpu::{Arrived, GpuTrainer};
use crate::train::{Descent, State};
use std::sync::Arc;

/// Takes the steps of a setup on a GPU: those that learners and a coach would take.
pub struct GpuCoach {
    setup: Setup,
    samples: Arc<Samples>,
    trainer: GpuTrainer,
    epoch: Epoch,
    /// Steps handed over.
    next: u64,
}

impl GpuCoach {
    /// Goes on from this state, or begins with the setup's first weights. Errors: those of the setup and of [`GpuTrainer::new`].
    pub async fn new(device: &Device, setup: Setup, samples: Arc<Samples>, state: Option<State>) -> Result<Self> {
        let net = setup.network(samples.shape(), samples.classes())?;
        let state = match state {
            Some(state) => state,
            None => Descent::new(&net, setup.first(&net)?, &setup.options)?.state(),
        };
        let trainer = GpuTrainer::new(device, &net, &state, setup.batch, setup.shard, &setup.options).await?;
        Ok(Self { next: state.memory.steps, setup, samples, trainer, epoch: Epoch::default() })
    }

    /// Whether no step is left, or none may be handed over before [`GpuCoach::come`].
    pub fn is_full(&self) -> bool {
        self.next >= self.setup.steps || self.trainer.is_full()
    }

    /// Hands the next step over. Errors: those of [`GpuTrainer::step`].
    pub fn step(&mut self) -> Result<()> {
        let Setup { batch, seed, augment, options, steps, .. } = &self.setup;
        let from = self.next * *batch as u64;
        let sources: Vec<(usize, Rng)> =
            (0..*batch as u64).map(|k| self.epoch.at(&self.samples, &self.setup, from + k)).collect();
        let samples = &self.samples;
        let fill = |k: usize, image: &mut [f32], target: &mut [f32]| {
            let (i, rng) = &sources[k];
            samples.learn_from(*i, augment, &mut rng.clone(), image, target);
        };
        let rate = options.schedule.rate(options.rate, self.next, *steps);
        self.trainer.step(*batch, rate, Rng::mix(seed ^ u64::MAX, self.next), fill)?;
        self.next += 1;
        Ok(())
    }

    /// The rate of the last step handed over.
    pub fn rate(&self) -> f32 {
        let options = &self.setup.options;
        options.schedule.rate(options.rate, self.next.saturating_sub(1), self.setup.steps)
    }

    /// What the steps since the last time came to, and the state behind them.
    ///
    /// Errors: those of [`GpuTrainer::come`]; [`Error::Value`], with the step, where a number was none or the loss has left all
    /// bounds. The state that came before is then the one to go on from.
    pub async fn come(&mut self) -> Result<Arrived> {
        let arrived = self.trainer.come().await?;
        let first = arrived.state.memory.steps - arrived.progress.len() as u64;
        let bound = DIVERGED * libm::log(self.samples.classes() as f64);
        for (step, progress) in (first + 1..).zip(&arrived.progress) {
            let loss = progress.loss / progress.images.max(1) as f64;
            if loss > bound {
                return Err(Error::value(format!("step {step}"), format!("a loss below {bound:.0}"), loss));
            }
        }
        match arrived.refused {
            Some(refused) => Err(refused),
            None => Ok(arrived),
        }
    }

    /// Goes on from another state. Errors: [`Error::Shape`] for one of another setup.
    pub fn restore(&mut self, state: &State) -> Result<()> {
        self.trainer.restore(state)?;
        self.next = state.memory.steps;
        Ok(())
    }
}
