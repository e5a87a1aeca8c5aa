//! All that decides how a game is learnt but the game and the seed.

use crate::error::{Error, Result};
use crate::train::{Optimiser, Options, Rule};
use serde::{Deserialize, Serialize};

/// How a player learns. As JSON every part may be left out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What a reward is worth one step later.
    pub gamma: f32,
    /// Steps that the replay memory holds. 1 is no replay: only the last step is learnt from, as often as a batch has rows.
    pub memory: usize,
    /// Steps of random play before the first is learnt from.
    pub warmup: usize,
    /// Steps learnt from at once.
    pub batch: usize,
    /// Steps of play for each step of learning.
    pub every: u64,
    /// Steps of learning after which the target network takes over the weights; 0 is no target network.
    pub target: u64,
    /// Whether the target's action is chosen by the network in training (van Hasselt et al. 2016).
    pub double: bool,
    /// Steps whose rewards are summed before the target network is asked (Sutton 1988).
    pub steps: usize,
    /// Part of the actions that is random, at first and at last.
    pub epsilon: [f32; 2],
    /// Steps of play over which the first becomes the last, evenly.
    pub decay: u64,
    /// Update rule, rate, clipping.
    pub options: Options,
}

impl Default for Settings {
    fn default() -> Self {
        Self::CATCH
    }
}

impl Settings {
    /// For Catch.
    pub const CATCH: Self = Self {
        gamma: 0.99,
        memory: 5000,
        warmup: 64,
        batch: 32,
        every: 1,
        target: 50,
        double: false,
        steps: 3,
        epsilon: [1.0, 0.05],
        decay: 600,
        options: Options { optimiser: Optimiser::new(Rule::Adam), rate: 2e-3, clip_norm: 10.0, ..Options::DEFAULT },
    };

    /// For the games of MinAtar.
    pub const MINATAR: Self = Self {
        memory: 100_000,
        double: true,
        warmup: 5000,
        every: 2,
        target: 500,
        epsilon: [1.0, 0.02],
        decay: 100_000,
        options: Options { rate: 3e-4, ..Self::CATCH.options },
        ..Self::CATCH
    };

    /// Those for the game of this name.
    pub fn of(game: &str) -> Self {
        if game == "catch" { Self::CATCH } else { Self::MINATAR }
    }

    /// Refuses settings that cannot work, by name.
    pub fn check(&self) -> Result<()> {
        self.options.check()?;
        let parts = [("gamma", self.gamma), ("epsilon", self.epsilon[0]), ("epsilon", self.epsilon[1])];
        for (what, value) in parts {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::value(what, "a number from 0 to 1", value));
            }
        }
        let whole = [("memory", self.memory, 1 << 20), ("batch", self.batch, 1 << 10), ("steps", self.steps, 64)];
        for (what, value, most) in whole {
            if !(1..=most).contains(&value) {
                return Err(Error::value(what, format!("1 to {most}"), value));
            }
        }
        if self.every == 0 {
            return Err(Error::value("steps of play for each step of learning", "at least 1", 0));
        }
        Ok(())
    }

    /// Part of the actions that is random at a step of play.
    pub fn epsilon_at(&self, step: u64) -> f32 {
        let [from, to] = self.epsilon;
        let done = (step as f32 / self.decay.max(1) as f32).min(1.0);
        from + (to - from) * done
    }
}
