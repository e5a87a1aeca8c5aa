//! A training on a GPU: it takes the steps, some at a time, and after each lot the CPU's trainer has the state, so that
//! validation, checkpoints and all else are what they were. Where the device fails, the CPU takes the steps since anew.

use super::training::{Settings, Training};
use crate::error::{Error, Result};
use crate::gpu::{self, Device};
use crate::train::{GpuTrainer, Progress, on_gpu::STEPS};

/// Steps of a trial on either side, behind one that warms up.
const TRIED: u64 = 3;

/// Where the steps are taken: on the CPU, unless there is a trainer here.
#[derive(Default)]
pub struct Moved {
    trainer: Option<GpuTrainer>,
    lost: Option<Error>,
}

/// Seconds of a step on both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trial {
    /// On the GPU, samples and read-back included.
    pub gpu: f64,
    /// On the CPU, with all its threads.
    pub cpu: f64,
}

impl Training {
    /// Takes the next steps on this device. Errors: those of [`GpuTrainer::new`]; the training then stays where it was.
    pub fn move_to(&mut self, device: &Device) -> Result<()> {
        let (recipe, state) = (self.recipe, self.trainer.state());
        let made = GpuTrainer::new(device, self.network(), &state, recipe.batch, recipe.shard, &recipe.options);
        self.moved = Moved { trainer: Some(gpu::wait(made)?), lost: None };
        Ok(())
    }

    /// Takes the next steps on the CPU.
    pub fn move_back(&mut self) {
        self.moved.trainer = None;
    }

    /// Whether the next steps are taken on a GPU.
    pub fn is_moved(&self) -> bool {
        self.moved.trainer.is_some()
    }

    /// Why a GPU has stopped taking steps, once: the CPU has gone on from the same one.
    pub fn lost(&mut self) -> Option<Error> {
        self.moved.lost.take()
    }

    /// Takes some steps of the next epoch on the GPU and on the CPU and goes back to where it was. `now` tells the seconds.
    ///
    /// Errors: [`Error::Missing`] where the training has not moved; those of the steps.
    pub fn trial(&mut self, now: impl Fn() -> f64) -> Result<Trial> {
        let before = self.trainer.state();
        self.feed.begin(self.seed, self.epoch);
        let steps = self.steps();
        let Some(mut own) = self.moved.trainer.take() else {
            return Err(Error::missing("trial", "a training that has moved to a GPU", "none"));
        };
        let hand = |training: &Self, own: &mut GpuTrainer, count: u64| -> Result<f64> {
            let begun = now();
            (0..count).try_for_each(|step| training.hand_over(own, step % steps))?;
            gpu::wait(own.come()).map(|_| (now() - begun) / count as f64)
        };
        hand(self, &mut own, 1)?;
        let gpu = hand(self, &mut own, TRIED)?;
        let mut here = || -> Result<f64> {
            self.step_here(0)?;
            let begun = now();
            (0..TRIED).try_for_each(|step| self.step_here(step % steps).map(|_| ()))?;
            Ok((now() - begun) / TRIED as f64)
        };
        let cpu = here();
        self.trainer.restore(before.clone())?;
        own.restore(&before)?;
        self.moved.trainer = Some(own);
        Ok(Trial { gpu, cpu: cpu? })
    }

    /// Takes steps from this one on together, if the training has moved; `None` leaves them to the CPU. A device that fails is
    /// given up: the trainer still has the state before them.
    pub(super) fn burst(&mut self, step: u64) -> Result<Option<Vec<Progress>>> {
        let Some(mut own) = self.moved.trainer.take() else { return Ok(None) };
        let end = self.steps().min(step + STEPS as u64);
        let taken = (step..end).try_for_each(|step| self.hand_over(&mut own, step));
        match taken.and_then(|()| gpu::wait(own.come())) {
            Ok(arrived) => {
                self.trainer.restore(arrived.state)?;
                self.moved.trainer = Some(own);
                match arrived.refused {
                    Some(error) => Err(error),
                    None => Ok(Some(arrived.progress)),
                }
            }
            Err(error) => {
                self.moved.lost = Some(error);
                Ok(None)
            }
        }
    }

    fn hand_over(&self, own: &mut GpuTrainer, step: u64) -> Result<()> {
        let (Settings { n, first, rate, seed }, feed) = (self.settings(step), &self.feed);
        own.step(n, rate, seed, |i, image, target| feed.sample(first + i, image, target))
    }
}
