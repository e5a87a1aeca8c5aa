//! Learning-rate schedules: a function from the part of the training that is done to the rate.

use super::options::within;
use crate::error::Result;
use serde::{Deserialize, Serialize};

/// How the rate goes once it is warm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Curve {
    /// The same throughout.
    Constant,
    /// Times [`Schedule::factor`] after every [`Schedule::every`] of the training.
    Step,
    /// Down evenly, by the same part each step, to [`Schedule::factor`] of the peak.
    Exponential,
    /// Down half a cosine to zero. Loshchilov and Hutter 2017.
    Cosine,
    /// Up half a cosine from a 25th of the peak while it warms up, then down another to next to nothing. Smith 2018, as
    /// PyTorch has it; the momentum stays.
    OneCycle,
}

/// How the learning rate goes. As JSON `{"curve": "cosine", "warmup": 0.05}`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// How it goes.
    pub curve: Curve,
    /// Part of the training, in `0..1`, during which the rate grows to its peak: linearly, for a one-cycle by its curve.
    pub warmup: f32,
    /// What a step multiplies the rate by, and what an exponential ends at; above 0, at most 1.
    pub factor: f32,
    /// Part of the training between the steps.
    pub every: f32,
}

/// The first and the last rate of a one-cycle, as parts of its peak.
const CYCLE: [f32; 2] = [1.0 / 25.0, 1.0 / 25.0e4];

impl Default for Schedule {
    fn default() -> Self {
        Self::CONSTANT
    }
}

impl Schedule {
    /// The same rate throughout.
    pub const CONSTANT: Self = Self { curve: Curve::Constant, warmup: 0.0, factor: 0.1, every: 1.0 / 3.0 };

    /// A curve behind a warm-up.
    pub const fn new(curve: Curve, warmup: f32) -> Self {
        Self { curve, warmup, ..Self::CONSTANT }
    }

    /// Refuses settings that cannot work.
    pub(super) fn check(&self) -> Result<()> {
        within("warm-up", self.warmup.into(), 0.0..1.0)?;
        within("factor of the schedule", self.factor.into(), 1e-9..1.000_001)?;
        within("part between the schedule's steps", self.every.into(), 1e-6..1.000_001)
    }

    /// The rate of step `step` of `steps`, given the peak.
    pub fn rate(self, peak: f32, step: u64, steps: u64) -> f32 {
        let done = (step as f32 + 0.5) / steps.max(1) as f32;
        if done < self.warmup {
            let part = done / self.warmup;
            return match self.curve {
                Curve::OneCycle => between(peak * CYCLE[0], peak, part),
                _ => peak * part,
            };
        }
        let part = ((done - self.warmup) / (1.0 - self.warmup)).min(1.0);
        match self.curve {
            Curve::Constant => peak,
            Curve::Step => peak * libm::powf(self.factor, libm::floorf(part / self.every)),
            Curve::Exponential => peak * libm::powf(self.factor, part),
            Curve::Cosine => between(peak, 0.0, part),
            Curve::OneCycle => between(peak, peak * CYCLE[1], part),
        }
    }
}

/// Half a cosine from one rate to another.
fn between(from: f32, to: f32, part: f32) -> f32 {
    to + (from - to) * 0.5 * (1.0 + libm::cosf(std::f32::consts::PI * part))
}
