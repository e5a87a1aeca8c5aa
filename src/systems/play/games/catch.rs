//! Catch by the rules of bsuite 0.3.6 (Osband et al. 2020, "Behaviour suite for reinforcement learning"): ten rows, five
//! columns, a ball that falls one row a step, +1 if the paddle is below it in the end, else −1.

use super::super::game::{Outcome, Rules};

/// Rows and columns.
pub const SIZE: (usize, usize) = (10, 5);

/// A moment of the game.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Catch {
    /// The ball's row and column.
    pub ball: (usize, usize),
    /// The paddle's column, in the last row.
    pub paddle: usize,
}

impl Catch {
    /// The moment that a board shows; `None` where the ball has come down, or where the board is none of Catch.
    pub fn of_board(board: &[f32]) -> Option<Self> {
        let (above, below) = board.split_at_checked((SIZE.0 - 1) * SIZE.1)?;
        let ball = above.iter().position(|cell| *cell > 0.5)?;
        let paddle = below.iter().position(|cell| *cell > 0.5)?;
        (below.len() == SIZE.1).then_some(Self { ball: (ball / SIZE.1, ball % SIZE.1), paddle })
    }

    /// Every moment in which there is something to decide, from the first row down; [`Catch::number`] counts them.
    pub fn moments() -> impl Iterator<Item = Self> {
        let places = (0..SIZE.0 - 1).flat_map(|row| (0..SIZE.1).map(move |column| (row, column)));
        places.flat_map(|ball| (0..SIZE.1).map(move |paddle| Self { ball, paddle }))
    }

    /// The place of this moment among all.
    pub fn number(&self) -> usize {
        (self.ball.0 * SIZE.1 + self.ball.1) * SIZE.1 + self.paddle
    }
}

impl Rules for Catch {
    fn reset(&mut self, start: usize) {
        *self = Self { ball: (0, start.min(SIZE.1 - 1)), paddle: SIZE.1 / 2 };
    }

    fn act(&mut self, action: usize) -> Outcome {
        self.paddle = match action {
            2 => (self.paddle + 1).min(SIZE.1 - 1),
            1 => self.paddle,
            _ => self.paddle.saturating_sub(1),
        };
        self.ball.0 = (self.ball.0 + 1).min(SIZE.0 - 1);
        if self.ball.0 < SIZE.0 - 1 {
            return Outcome::default();
        }
        Outcome { reward: if self.ball.1 == self.paddle { 1.0 } else { -1.0 }, end: true }
    }

    fn draw(&self, board: &mut [f32]) {
        board.fill(0.0);
        board[self.ball.0 * SIZE.1 + self.ball.1] = 1.0;
        board[(SIZE.0 - 1) * SIZE.1 + self.paddle] = 1.0;
    }

    fn twin(&self) -> Box<dyn Rules> {
        Box::new(*self)
    }
}
