//! Catch without a network: Q-learning in a table (Watkins 1989), and the exact values by value iteration (Bellman 1957), to
//! hold what a network has learnt against.

use super::game::Rules;
use super::games::Catch;
use super::games::catch::SIZE;
use crate::kernel::reduce;
use crate::rng::Rng;

const ACTIONS: usize = 3;
const STATES: usize = SIZE.0 * SIZE.1 * SIZE.1;

/// The value of each action in each state of Catch.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    values: Vec<[f32; ACTIONS]>,
}

fn greatest(values: [f32; ACTIONS]) -> f32 {
    values.into_iter().fold(f32::NEG_INFINITY, f32::max)
}

impl Table {
    /// The exact values, for rewards that count `gamma` one step later: from the last row up, each state once.
    pub fn exact(gamma: f32) -> Self {
        let mut table = Self { values: vec![[0.0; ACTIONS]; STATES] };
        for row in (0..SIZE.0 - 1).rev() {
            for (column, paddle) in (0..SIZE.1).flat_map(|c| (0..SIZE.1).map(move |p| (c, p))) {
                let before = Catch { ball: (row, column), paddle };
                table.values[before.number()] = [0, 1, 2].map(|action| {
                    let mut after = before;
                    let outcome = after.act(action);
                    outcome.reward + if outcome.end { 0.0 } else { gamma * greatest(table.values[after.number()]) }
                });
            }
        }
        table
    }

    /// Values learnt by playing `episodes` episodes: each moved by `rate` towards what was paid and what the next state is
    /// worth; `epsilon` of the actions are random.
    pub fn learnt(episodes: usize, rate: f32, gamma: f32, epsilon: f32, seed: u64) -> Self {
        let mut table = Self { values: vec![[0.0; ACTIONS]; STATES] };
        let (mut rng, mut game) = (Rng::new(seed), Catch::default());
        for _ in 0..episodes {
            game.reset(rng.below(SIZE.1));
            loop {
                let here = game.number();
                let best = (0..ACTIONS).max_by(|a, b| table.values[here][*a].total_cmp(&table.values[here][*b]));
                let action = if rng.uniform() < epsilon { rng.below(ACTIONS) } else { best.unwrap_or(0) };
                let outcome = game.act(action);
                let after = if outcome.end { 0.0 } else { greatest(table.values[game.number()]) };
                let value = &mut table.values[here][action];
                *value += rate * (outcome.reward + gamma * after - *value);
                if outcome.end {
                    break;
                }
            }
        }
        table
    }

    /// Values in the order of [`Catch::moments`], three for each: those that a network has learnt. Those that are left out are 0.
    pub fn of(values: &[f32]) -> Self {
        let mut table = Self { values: vec![[0.0; ACTIONS]; STATES] };
        for (own, given) in table.values.iter_mut().zip(values.as_chunks().0) {
            *own = *given;
        }
        table
    }

    /// For each of [`Catch::moments`], whether a player who always takes the action of the highest value gets into it.
    pub fn met(&self) -> Vec<bool> {
        let mut met = vec![false; STATES - SIZE.1 * SIZE.1];
        for start in 0..SIZE.1 {
            let mut game = Catch::default();
            game.reset(start);
            loop {
                met[game.number()] = true;
                let values = self.values(&game);
                if game.act(reduce::argmax(&values).unwrap_or(0)).end {
                    break;
                }
            }
        }
        met
    }

    /// The value of each action at a moment of the game.
    pub fn values(&self, game: &Catch) -> [f32; ACTIONS] {
        self.values[game.number()]
    }
}
