//! A seat whose episodes are written down, to be looked at again frame by frame.

use super::game::{Game, Outcome};
use super::memory::Memory;
use super::seat::Seat;

/// A seat with the record of its episode, and of the one that ended before.
pub struct Recorded {
    seat: Seat,
    board: Vec<f32>,
    now: Memory,
    last: Memory,
    /// Points of the episode that ended last.
    points: f32,
}

impl Recorded {
    /// At the beginning of the first episode. Everything random follows from `seed`.
    pub fn new(game: &'static Game, seed: u64) -> Self {
        let cells = game.shape().len();
        let [now, last] = [(); 2].map(|()| Memory::new(game.longest + 1, cells));
        Self { seat: Seat::new(game, seed), board: vec![0.0; cells], now, last, points: 0.0 }
    }

    /// One step of [`Seat::act`], written down: the board before it, what was done and paid. The board that an episode ends
    /// with is written down behind its last step, with nothing done on it.
    pub fn act(&mut self, action: usize) -> Outcome {
        if self.seat.done() {
            return self.seat.act(action);
        }
        self.seat.draw(&mut self.board);
        let outcome = self.seat.act(action);
        self.now.push(&self.board, self.seat.last(), outcome.reward, outcome.end, false);
        if self.seat.done() {
            self.seat.draw(&mut self.board);
            self.now.push(&self.board, 0, 0.0, true, false);
            self.points = self.seat.points();
        }
        outcome
    }

    /// Begins the next episode.
    pub fn reset(&mut self) {
        self.seat.reset();
        if !self.now.is_empty() {
            let fresh = Memory::new(self.seat.game().longest + 1, self.board.len());
            self.last = std::mem::replace(&mut self.now, fresh);
        }
    }

    /// The seat.
    pub fn seat(&self) -> &Seat {
        &self.seat
    }

    /// The episode that ended last, oldest board first, and its points; `None` before the first has ended.
    pub fn ended(&self) -> Option<(&Memory, f32)> {
        let episode = if self.seat.done() { &self.now } else { &self.last };
        (!episode.is_empty()).then_some((episode, self.points))
    }
}
