//! Optimisers over the arena: which rule, its settings, and what it remembers between steps.

use crate::error::{Error, Result};
use crate::kernel::Level;
use crate::kernel::update::{self, Adam};

/// The rule and its settings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Optimiser {
    /// Gradient descent.
    Sgd,
    /// Momentum (Polyak 1964) with this coefficient.
    Momentum(f32),
    /// Adam (Kingma and Ba 2015); the rate in it is replaced by each step's.
    Adam(Adam),
}

/// What an optimiser remembers: one number for each parameter in each slice, and how many steps it took.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Memory {
    /// Velocity, or Adam's mean of the gradient. Empty if the rule has none.
    pub first: Vec<f32>,
    /// Adam's mean of the squared gradient. Empty if the rule has none.
    pub second: Vec<f32>,
    /// Steps taken.
    pub steps: u64,
}

impl Optimiser {
    /// The memory of no step at all, for an arena of `len` parameters.
    pub fn memory(&self, len: usize) -> Memory {
        let (first, second) = match self {
            Self::Sgd => (0, 0),
            Self::Momentum(_) => (len, 0),
            Self::Adam(_) => (len, len),
        };
        Memory { first: vec![0.0; first], second: vec![0.0; second], steps: 0 }
    }

    /// Takes one step at this learning rate.
    pub fn step(&self, level: Level, params: &mut [f32], gradient: &[f32], memory: &mut Memory, rate: f32) {
        memory.steps += 1;
        match self {
            Self::Sgd => update::sgd(level, params, gradient, rate, 0.0),
            Self::Momentum(mu) => update::momentum(level, params, gradient, &mut memory.first, rate, *mu, 0.0),
            Self::Adam(adam) => {
                let adam = Adam { lr: f64::from(rate), ..*adam };
                update::adam(level, params, gradient, &mut memory.first, &mut memory.second, &adam, memory.steps);
            }
        }
    }
}

impl std::str::FromStr for Optimiser {
    type Err = Error;

    /// `sgd`, `momentum` (0.9) or `adam`, with the sources' settings.
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "sgd" => Ok(Self::Sgd),
            "momentum" => Ok(Self::Momentum(0.9)),
            "adam" => Ok(Self::Adam(Adam::default())),
            _ => Err(Error::missing("optimiser", "one of sgd, momentum, adam", name)),
        }
    }
}
