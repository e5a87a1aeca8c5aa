//! Catch without a network: Q-learning in a table (Watkins 1989), and the exact values by value iteration (Bellman 1957), to
//! hold what a network has learnt against.

use super::game::Rules;
use super::games::Catch;
use super::games::catch::SIZE;
use crate::rng::Rng;

const ACTIONS: usize = 3;
const STATES: usize = SIZE.0 * SIZE.1 * SIZE.1;

/// The value of each action in each state of Catch.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    values: Vec<[f32; ACTIONS]>,
}

/// The number of a state.
fn state(game: &Catch) -> usize {
    (game.ball.0 * SIZE.1 + game.ball.1) * SIZE.1 + game.paddle
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
                table.values[state(&before)] = [0, 1, 2].map(|action| {
                    let mut after = before;
                    let outcome = after.act(action);
                    outcome.reward + if outcome.end { 0.0 } else { gamma * greatest(table.values[state(&after)]) }
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
                let here = state(&game);
                let best = (0..ACTIONS).max_by(|a, b| table.values[here][*a].total_cmp(&table.values[here][*b]));
                let action = if rng.uniform() < epsilon { rng.below(ACTIONS) } else { best.unwrap_or(0) };
                let outcome = game.act(action);
                let after = if outcome.end { 0.0 } else { greatest(table.values[state(&game)]) };
                let value = &mut table.values[here][action];
                *value += rate * (outcome.reward + gamma * after - *value);
                if outcome.end {
                    break;
                }
            }
        }
        table
    }

    /// The value of each action at a moment of the game.
    pub fn values(&self, game: &Catch) -> [f32; ACTIONS] {
        self.values[state(game)]
    }
}
