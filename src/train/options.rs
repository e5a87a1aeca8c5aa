//! All that decides a training but its network, its data and its seed: one small object, the same in recipes, on the
//! command line and in the page's address.

use super::optimiser::{Optimiser, Rule};
use super::schedule::Schedule;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How a network is trained. As JSON every part may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Update rule.
    pub optimiser: Optimiser,
    /// Highest learning rate.
    pub rate: f32,
    /// How the rate goes.
    pub schedule: Schedule,
    /// Decay per step of the averaged weights that are kept in the end; 0 keeps the last. Polyak and Juditsky 1992.
    pub average: f32,
    /// Penalty on the absolute size of each weight, biases spared: `l1 Σ |w|` (lasso).
    pub l1: f32,
    /// Penalty on its square: `½ l2 Σ w²` (ridge), the sources' form.
    pub l2: f32,
    /// The longest gradient: a longer one is scaled down to this norm; 0 for any length. Pascanu et al. 2013.
    pub clip_norm: f32,
    /// The largest number in a gradient, either way; 0 for any.
    pub clip_value: f32,
    /// Part of each target that is spread evenly over the classes. Szegedy et al. 2016.
    pub label_smoothing: f32,
    /// Validations without a better loss after which the training stops and goes back to the best weights; 0 for never.
    pub patience: u32,
}

impl Default for Options {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl Options {
    /// Adam at 0.001, and nothing else.
    pub const DEFAULT: Self = Self {
        optimiser: Optimiser::new(Rule::Adam),
        rate: 1e-3,
        schedule: Schedule::CONSTANT,
        average: 0.0,
        l1: 0.0,
        l2: 0.0,
        clip_norm: 0.0,
        clip_value: 0.0,
        label_smoothing: 0.0,
        patience: 0,
    };

    /// A rule at a constant rate.
    pub const fn new(rule: Rule, rate: f32) -> Self {
        Self { optimiser: Optimiser::new(rule), rate, ..Self::DEFAULT }
    }

    /// Reads the JSON object; what it does not say is the default's. Errors name the word that is wrong.
    pub fn from_json(text: &str) -> Result<Self> {
        let options: Self =
            serde_json::from_str(text).map_err(|e| Error::format("options", "an object of training options", e))?;
        options.check().map(|()| options)
    }

    /// Refuses settings that cannot work, by name.
    pub fn check(&self) -> Result<()> {
        self.optimiser.check()?;
        self.schedule.check()?;
        within("learning rate", self.rate.into(), 0.0..1e3)?;
        within("averaging decay", self.average.into(), 0.0..1.0)?;
        within("L1 penalty", self.l1.into(), 0.0..1e3)?;
        within("L2 penalty", self.l2.into(), 0.0..1e3)?;
        within("clipping norm", self.clip_norm.into(), 0.0..1e9)?;
        within("clipping value", self.clip_value.into(), 0.0..1e9)?;
        within("label smoothing", self.label_smoothing.into(), 0.0..1.0)
    }
}

/// Refuses a number outside `range`, and NaN.
pub(super) fn within(what: &str, value: f64, range: Range<f64>) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(Error::value(what, format!("a number from {} to below {}", range.start, range.end), value))
}
