//! Breakout by the rules of MinAtar 1.0.15 (Young and Tian 2019, "MinAtar: an Atari-inspired testbed"): a ball on
//! diagonals, a paddle in the last row, three rows of bricks that come again when all are gone.

use super::super::game::{Outcome, Rules};

const SIDE: usize = 10;
/// Rows of bricks.
const BRICKS: std::ops::Range<usize> = 1..4;

/// A moment of the game.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breakout {
    paddle: usize,
    /// Row and column, now and one step ago.
    ball: (usize, usize),
    trail: (usize, usize),
    /// Which way the ball goes.
    down: bool,
    right: bool,
    bricks: [[bool; SIDE]; SIDE],
    /// The last step met a brick: the next brick is passed through.
    strike: bool,
    over: bool,
}

impl Default for Breakout {
    fn default() -> Self {
        let mut game = Self {
            paddle: 0,
            ball: (0, 0),
            trail: (0, 0),
            down: true,
            right: true,
            bricks: Default::default(),
            strike: false,
            over: false,
        };
        game.reset(0);
        game
    }
}

impl Breakout {
    fn wall(&mut self) {
        self.bricks[BRICKS].fill([true; SIDE]);
    }

    /// One cell on from `at`: where to, and whether a border was met instead, where it stays.
    fn next(at: usize, forward: bool) -> (usize, bool) {
        match (at, forward) {
            (0, false) => (0, true),
            (at, true) if at == SIDE - 1 => (at, true),
            (at, true) => (at + 1, false),
            (at, false) => (at - 1, false),
        }
    }

    /// The ball has come to the paddle's row: it bounces, or the episode is over.
    fn reach_floor(&mut self, row: &mut usize, column: usize) {
        if self.bricks.iter().flatten().all(|brick| !brick) {
            self.wall();
        }
        if self.ball.1 == self.paddle {
            (self.down, *row) = (false, self.ball.0);
        } else if column == self.paddle {
            (self.down, self.right, *row) = (false, !self.right, self.ball.0);
        } else {
            self.over = true;
        }
    }
}

impl Rules for Breakout {
    fn reset(&mut self, start: usize) {
        let right = start == 0;
        let ball = (3, if right { 0 } else { SIDE - 1 });
        *self = Self {
            paddle: 4,
            ball,
            trail: ball,
            down: true,
            right,
            bricks: Default::default(),
            strike: false,
            over: false,
        };
        self.wall();
    }

    fn act(&mut self, action: usize) -> Outcome {
        if self.over {
            return Outcome { reward: 0.0, end: true };
        }
        match action {
            1 => self.paddle = self.paddle.saturating_sub(1),
            2 => self.paddle = (self.paddle + 1).min(SIDE - 1),
            _ => {}
        }
        self.trail = self.ball;
        let (column, side) = Self::next(self.ball.1, self.right);
        self.right ^= side;
        let (mut row, ceiling) = Self::next(self.ball.0, self.down);
        let (mut reward, mut met) = (0.0, false);
        if ceiling {
            self.down = !self.down;
        } else if self.bricks[row][column] {
            met = true;
            if !self.strike {
                reward = 1.0;
                self.bricks[row][column] = false;
                (row, self.down) = (self.ball.0, !self.down);
            }
        } else if row == SIDE - 1 {
            self.reach_floor(&mut row, column);
        }
        self.strike = met;
        self.ball = (row, column);
        Outcome { reward, end: self.over }
    }

    fn draw(&self, board: &mut [f32]) {
        board.fill(0.0);
        let [paddle, ball, trail, bricks] = [0, 1, 2, 3].map(|plane| plane * SIDE * SIDE);
        board[paddle + (SIDE - 1) * SIDE + self.paddle] = 1.0;
        board[ball + self.ball.0 * SIDE + self.ball.1] = 1.0;
        board[trail + self.trail.0 * SIDE + self.trail.1] = 1.0;
        let there = self.bricks.iter().flatten().enumerate().filter(|(_, brick)| **brick);
        there.for_each(|(cell, _)| board[bricks + cell] = 1.0);
    }

    fn twin(&self) -> Box<dyn Rules> {
        Box::new(self.clone())
    }
}
