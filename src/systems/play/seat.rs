//! A seat at a game: who sits there sees the board and acts. Chance (starts, repeated actions) comes in here, seeded.

use super::game::{Game, Outcome, Rules};
use crate::rng::Rng;

/// A game in play, one episode after another.
pub struct Seat {
    game: &'static Game,
    rules: Box<dyn Rules>,
    rng: Rng,
    last: usize,
    steps: usize,
    sum: f32,
    outcome: Outcome,
}

impl Clone for Seat {
    fn clone(&self) -> Self {
        Self { rules: self.rules.twin(), rng: self.rng.clone(), ..*self }
    }
}

impl Seat {
    /// At the beginning of the first episode. Everything random follows from `seed`.
    pub fn new(game: &'static Game, seed: u64) -> Self {
        let (rng, outcome) = (Rng::new(seed), Outcome::default());
        let mut seat = Self { game, rules: (game.rules)(), rng, last: 0, steps: 0, sum: 0.0, outcome };
        seat.reset();
        seat
    }

    /// Begins the next episode.
    pub fn reset(&mut self) {
        let start = self.rng.below(self.game.starts);
        self.rules.reset(start);
        (self.last, self.steps, self.sum, self.outcome) = (0, 0, 0.0, Outcome::default());
    }

    /// One step. The last action is repeated instead with the game's probability. After an end it changes nothing.
    pub fn act(&mut self, action: usize) -> Outcome {
        if self.outcome.end {
            return Outcome { reward: 0.0, end: true };
        }
        let repeat = self.game.sticky > 0.0 && self.rng.uniform() < self.game.sticky;
        self.last = if repeat { self.last } else { action };
        self.outcome = self.rules.act(self.last);
        self.steps += 1;
        self.sum += self.outcome.reward;
        self.outcome
    }

    /// Writes the board, CHW.
    pub fn draw(&self, board: &mut [f32]) {
        self.rules.draw(board);
    }

    /// Whether the episode is over, or as long as it may be.
    pub fn done(&self) -> bool {
        self.outcome.end || self.steps >= self.game.longest
    }

    /// What is played.
    pub fn game(&self) -> &'static Game {
        self.game
    }

    /// Steps of this episode.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Points of this episode.
    pub fn points(&self) -> f32 {
        self.sum
    }

    /// The action that the last step took: the chosen one, or the one before it.
    pub fn last(&self) -> usize {
        self.last
    }
}
