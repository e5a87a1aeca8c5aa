//! Space Invaders by the rules of MinAtar 1.0.15 (Young and Tian 2019): a block of aliens goes to and fro and comes down,
//! faster with each wave and the fewer are left; the nearest shoots.

use super::super::game::{Outcome, Rules};

const SIDE: usize = 10;
/// Steps between a player's shots, between an alien's, and between two moves of the first wave.
const COOL_DOWN: u32 = 5;
const SHOT_EVERY: u32 = 10;
const MOVE_EVERY: usize = 12;
/// The last waves move this fast.
const FASTEST: usize = 6;

type Cells = [[bool; SIDE]; SIDE];

/// A moment of the game.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpaceInvaders {
    cannon: usize,
    aliens: Cells,
    right: bool,
    own: Cells,
    theirs: Cells,
    /// Steps until the player may shoot, an alien shoots, and they move; between moves while all are there.
    shot: u32,
    alien_shot: u32,
    alien_move: usize,
    interval: usize,
    over: bool,
}

impl Default for SpaceInvaders {
    fn default() -> Self {
        Self {
            cannon: 5,
            aliens: block(),
            right: false,
            own: Cells::default(),
            theirs: Cells::default(),
            shot: 0,
            alien_shot: SHOT_EVERY,
            alien_move: MOVE_EVERY,
            interval: MOVE_EVERY,
            over: false,
        }
    }
}

/// The aliens of a new wave.
fn block() -> Cells {
    std::array::from_fn(|row| std::array::from_fn(|column| row < 4 && (2..8).contains(&column)))
}

fn count(cells: &Cells) -> usize {
    cells.iter().flatten().filter(|cell| **cell).count()
}

impl SpaceInvaders {
    /// Bullets go on by a cell, and leave the board at its end.
    fn fly(&mut self) {
        self.own.rotate_left(1);
        self.own[SIDE - 1] = [false; SIDE];
        self.theirs.rotate_right(1);
        self.theirs[0] = [false; SIDE];
        self.over |= self.theirs[SIDE - 1][self.cannon];
    }

    /// The aliens go sideways, or at the border down and back.
    fn march(&mut self) {
        self.alien_move = count(&self.aliens).min(self.interval);
        let border = if self.right { SIDE - 1 } else { 0 };
        if self.aliens.iter().any(|row| row[border]) {
            self.right = !self.right;
            self.over |= self.aliens[SIDE - 1].contains(&true);
            self.aliens.rotate_right(1);
        } else if self.right {
            self.aliens.iter_mut().for_each(|row| row.rotate_right(1));
        } else {
            self.aliens.iter_mut().for_each(|row| row.rotate_left(1));
        }
        self.over |= self.aliens[SIDE - 1][self.cannon];
    }

    /// The lowest alien of the column nearest to the cannon shoots; of two as near, the left one.
    fn shoot_back(&mut self) {
        self.alien_shot = SHOT_EVERY;
        let lowest = |column: usize| (0..SIDE).rev().find(|row| self.aliens[*row][column]);
        let columns = (0..SIDE).filter_map(|column| Some((column.abs_diff(self.cannon), column, lowest(column)?)));
        if let Some((_, column, row)) = columns.min() {
            self.theirs[row][column] = true;
        }
    }

    /// Bullets take the aliens that they have met: how many.
    fn hit(&mut self) -> usize {
        let mut hits = 0;
        for (alien, bullet) in self.aliens.iter_mut().flatten().zip(self.own.iter_mut().flatten()) {
            if *alien && *bullet {
                (*alien, *bullet, hits) = (false, false, hits + 1);
            }
        }
        hits
    }
}

impl Rules for SpaceInvaders {
    fn reset(&mut self, _start: usize) {
        *self = Self::default();
    }

    fn act(&mut self, action: usize) -> Outcome {
        if self.over {
            return Outcome { reward: 0.0, end: true };
        }
        match action {
            1 => self.cannon = self.cannon.saturating_sub(1),
            2 => self.cannon = (self.cannon + 1).min(SIDE - 1),
            3 if self.shot == 0 => {
                self.own[SIDE - 1][self.cannon] = true;
                self.shot = COOL_DOWN;
            }
            _ => {}
        }
        self.fly();
        self.over |= self.aliens[SIDE - 1][self.cannon];
        if self.alien_move == 0 {
            self.march();
        }
        if self.alien_shot == 0 {
            self.shoot_back();
        }
        let reward = self.hit() as f32;
        self.shot = self.shot.saturating_sub(1);
        self.alien_move = self.alien_move.saturating_sub(1);
        self.alien_shot -= 1;
        if count(&self.aliens) == 0 {
            self.interval = FASTEST.max(self.interval - 1);
            self.aliens = block();
        }
        Outcome { reward, end: self.over }
    }

    fn draw(&self, board: &mut [f32]) {
        board.fill(0.0);
        let heading = if self.right { 3 } else { 2 };
        let planes = [(1, &self.aliens), (heading, &self.aliens), (4, &self.own), (5, &self.theirs)];
        board[(SIDE - 1) * SIDE + self.cannon] = 1.0;
        for (plane, cells) in planes {
            let there = cells.iter().flatten().enumerate().filter(|(_, cell)| **cell);
            there.for_each(|(cell, _)| board[plane * SIDE * SIDE + cell] = 1.0);
        }
    }

    fn twin(&self) -> Box<dyn Rules> {
        Box::new(self.clone())
    }
}
