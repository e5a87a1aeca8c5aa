//! Optimisers over the arena: which rule, its settings, and what it remembers between steps.

use super::options::within;
use crate::error::{Error, Result};
use crate::kernel::Level;
pub use crate::kernel::update::Rule;
use crate::kernel::update::{self, Adam, Keep};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// A rule and its settings. As JSON `{"rule": "adam"}`, where any setting that is not given is PyTorch's default.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Given")]
pub struct Optimiser {
    /// The rule.
    pub rule: Rule,
    /// Part of the velocity that is kept each step; Adam's β₁.
    pub momentum: f64,
    /// Part of the mean of squared gradients that is kept each step: RMSProp's α, Adadelta's ρ, Adam's β₂.
    pub smoothing: f64,
    /// Keeps the rules that divide by a root from dividing by zero.
    pub eps: f64,
    /// Weight decay of every parameter as PyTorch has it: AdamW's apart from the gradient, the others' in it.
    pub decay: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Given {
    rule: Rule,
    #[serde(alias = "beta1")]
    momentum: Option<f64>,
    #[serde(alias = "alpha", alias = "rho", alias = "beta2")]
    smoothing: Option<f64>,
    eps: Option<f64>,
    decay: Option<f64>,
}

impl From<Given> for Optimiser {
    fn from(given: Given) -> Self {
        let own = Self::new(given.rule);
        Self {
            rule: given.rule,
            momentum: given.momentum.unwrap_or(own.momentum),
            smoothing: given.smoothing.unwrap_or(own.smoothing),
            eps: given.eps.unwrap_or(own.eps),
            decay: given.decay.unwrap_or(own.decay),
        }
    }
}

/// What an optimiser remembers: one number for each parameter in each slice, and how many steps it took.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Memory {
    /// Velocity, Adam's mean of the gradient, or Adadelta's mean of its squared steps. Empty if the rule has none.
    pub first: Vec<f32>,
    /// Sum or mean of the squared gradient. Empty if the rule has none.
    pub second: Vec<f32>,
    /// Steps taken.
    pub steps: u64,
}

impl Optimiser {
    /// A rule with PyTorch's settings; momentum 0.9 where there it must be given.
    pub const fn new(rule: Rule) -> Self {
        let (smoothing, eps) = match rule {
            Rule::Sgd | Rule::Momentum | Rule::Nesterov => (0.0, 0.0),
            Rule::AdaGrad => (0.0, 1e-10),
            Rule::Adadelta => (0.9, 1e-6),
            Rule::RmsProp => (0.99, 1e-8),
            Rule::Adam | Rule::AdamW => (0.999, 1e-8),
        };
        let momentum = match rule {
            Rule::Momentum | Rule::Nesterov | Rule::Adam | Rule::AdamW => 0.9,
            _ => 0.0,
        };
        let decay = match rule {
            Rule::AdamW => 0.01,
            _ => 0.0,
        };
        Self { rule, momentum, smoothing, eps, decay }
    }

    /// The same with this weight decay.
    pub const fn decay(self, decay: f64) -> Self {
        Self { decay, ..self }
    }

    /// Refuses settings that cannot work.
    pub(super) fn check(&self) -> Result<()> {
        within("momentum", self.momentum, 0.0..1.0)?;
        within("smoothing", self.smoothing, 0.0..1.0)?;
        within("eps", self.eps, 0.0..1.0)?;
        within("weight decay", self.decay, 0.0..1e3)
    }

    /// The memory of no step at all, for an arena of `len` parameters.
    pub fn memory(&self, len: usize) -> Memory {
        let (first, second) = self.rule.remembers();
        let arena = |remembered| if remembered { vec![0.0; len] } else { Vec::new() };
        Memory { first: arena(first), second: arena(second), steps: 0 }
    }

    /// Takes one step at this learning rate in the parts `trained` of the arena and leaves the rest as it is.
    pub fn step(
        &self,
        level: Level,
        params: &mut [f32],
        gradient: &[f32],
        memory: &mut Memory,
        rate: f32,
        trained: &[Range<usize>],
    ) {
        memory.steps += 1;
        for part in trained {
            let first = memory.first.get_mut(part.clone()).unwrap_or_default();
            let second = memory.second.get_mut(part.clone()).unwrap_or_default();
            let (p, g) = (&mut params[part.clone()], &gradient[part.clone()]);
            self.update(level, p, g, [first, second], f64::from(rate), memory.steps);
        }
    }

    fn update(&self, level: Level, p: &mut [f32], g: &[f32], memory: [&mut [f32]; 2], lr: f64, step: u64) {
        let Self { rule, momentum, smoothing, eps, decay } = *self;
        let (rate, mu, wd, keep) = (lr as f32, momentum as f32, decay as f32, Keep::new(smoothing, eps));
        let decoupled = rule == Rule::AdamW;
        let adam = Adam { lr, beta1: momentum, beta2: smoothing, eps, decay, decoupled };
        match rule {
            Rule::Sgd => update::sgd(level, p, g, rate, wd),
            Rule::Momentum => update::momentum(level, p, g, memory[0], rate, mu, wd),
            Rule::Nesterov => update::nesterov(level, p, g, memory[0], rate, mu, wd),
            Rule::AdaGrad => update::adagrad(level, p, g, memory[1], rate, keep.eps, wd),
            Rule::RmsProp => update::rmsprop(level, p, g, memory[1], rate, keep, wd),
            Rule::Adadelta => update::adadelta(level, p, g, memory, rate, keep, wd),
            Rule::Adam | Rule::AdamW => update::adam(level, p, g, memory, &adam, step),
        }
    }
}

impl std::str::FromStr for Optimiser {
    type Err = Error;

    /// A rule by its name, with the settings of [`Optimiser::new`].
    fn from_str(name: &str) -> Result<Self> {
        let named = |rule: &Rule| format!("{rule:?}").eq_ignore_ascii_case(name);
        Rule::ALL.into_iter().find(named).map(Self::new).ok_or_else(|| {
            let names = Rule::ALL.map(|rule| format!("{rule:?}").to_lowercase());
            Error::missing("optimiser", format!("one of {}", names.join(", ")), name)
        })
    }
}
