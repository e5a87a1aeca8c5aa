//! What is done to a gradient before the optimiser takes its step, and when to stop: penalties on the weights' size,
//! clipping, early stopping.

use super::options::Options;
use crate::kernel::{Level, act, reduce, update};
use std::ops::Range;

/// Adds the penalties' gradient in the parts `weights` of the arena, and returns what the penalties add to the loss.
pub fn penalise(
    options: &Options,
    level: Level,
    params: &[f32],
    gradient: &mut [f32],
    weights: &[Range<usize>],
) -> f64 {
    let (l1, l2) = (options.l1, options.l2);
    if (l1, l2) == (0.0, 0.0) {
        return 0.0;
    }
    let mut loss = 0.0;
    for part in weights {
        let p = &params[part.clone()];
        update::penalty(level, &mut gradient[part.clone()], p, l1, l2);
        loss += 0.5 * f64::from(l2) * reduce::sum_of_squares(level, p);
        loss += f64::from(l1) * p.iter().map(|v| f64::from(v.abs())).sum::<f64>();
    }
    loss
}

/// Clips the gradient, first each number and then its norm, and returns the norm that it had before.
///
/// By norm it is PyTorch's `clip_grad_norm_`: scaled by `most / (norm + 1e-6)` if that is below 1.
pub fn clip(options: &Options, level: Level, gradient: &mut [f32]) -> f64 {
    let norm = libm::sqrt(reduce::sum_of_squares(level, gradient));
    let mut clipped = norm;
    if options.clip_value > 0.0 {
        update::clamp(level, gradient, options.clip_value);
        clipped = libm::sqrt(reduce::sum_of_squares(level, gradient));
    }
    let scale = f64::from(options.clip_norm) / (clipped + 1e-6);
    if options.clip_norm > 0.0 && scale < 1.0 {
        act::scale(level, gradient, scale as f32);
    }
    norm
}

/// Moves this part of a target distribution evenly over the classes.
pub fn smooth(target: &mut [f32], part: f32) {
    if part > 0.0 {
        let even = part / target.len() as f32;
        target.iter_mut().for_each(|t| *t = (1.0 - part) * *t + even);
    }
}

/// Early stopping: remembers the best validation loss and how long ago it was. Prechelt 1998.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarlyStopping {
    patience: u32,
    /// The best loss so far; infinite before the first.
    pub best: f64,
    /// Validations since.
    pub waited: u32,
}

/// What a validation means for a training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The best so far: keep these weights.
    Best,
    /// Not the best; go on.
    GoOn,
    /// Too long without a better one: go back to the best weights.
    Stop,
}

impl EarlyStopping {
    /// Stops after `patience` validations without a better loss; never with 0.
    pub fn new(patience: u32) -> Self {
        Self { patience, best: f64::INFINITY, waited: 0 }
    }

    /// One that goes on from what another has seen.
    pub fn resumed(patience: u32, best: f64, waited: u32) -> Self {
        Self { patience, best, waited }
    }

    /// Judges the next validation. A loss that is not a number is no better than any.
    pub fn see(&mut self, loss: f64) -> Verdict {
        if loss < self.best {
            (self.best, self.waited) = (loss, 0);
            return Verdict::Best;
        }
        self.waited += 1;
        if self.stops() { Verdict::Stop } else { Verdict::GoOn }
    }

    /// Whether it has waited long enough.
    pub fn stops(&self) -> bool {
        self.patience > 0 && self.waited >= self.patience
    }
}
