//! A player: a value network that acts.

use super::game::Game;
use super::seat::Seat;
use crate::error::Result;
use crate::kernel::reduce;
use crate::nn::{Graph, Mode, Network, Params, Run, Want};
use crate::rng::Rng;
use crate::zoo::dqn::dqn;

/// The value network for a game.
pub fn network(game: &Game) -> Result<Network> {
    let mut g = Graph::new();
    let board = g.input("input", game.shape())?;
    let values = dqn(&mut g, board, game.actions.len())?;
    Ok(g.finish(values))
}

/// A value network at a game.
pub struct Player {
    run: Run,
    board: Vec<f32>,
}

impl Player {
    /// For this network, which reads the game's boards.
    pub fn new(net: &Network) -> Self {
        Self { run: Run::new(net, 1, &Want::outputs()), board: vec![0.0; net.input_shape().len()] }
    }

    /// The value of each action at a seat. Errors: those of [`Run::forward`], for parameters of another network.
    pub fn values(&mut self, params: &Params, seat: &Seat) -> Result<&[f32]> {
        seat.draw(&mut self.board);
        self.run.forward(params, &self.board, 1, Mode::Infer)?;
        Ok(self.run.output())
    }

    /// The action of the highest value; of equals the first.
    pub fn best(&mut self, params: &Params, seat: &Seat) -> Result<usize> {
        Ok(reduce::argmax(self.values(params, seat)?).unwrap_or(0))
    }

    /// The points of `episodes` episodes by the best actions alone.
    pub fn returns(&mut self, params: &Params, game: &'static Game, episodes: usize, seed: u64) -> Result<Vec<f32>> {
        let mut seat = Seat::new(game, Rng::mix(seed, 0x6772_6565));
        let mut all = Vec::with_capacity(episodes);
        while all.len() < episodes {
            while !seat.done() {
                let action = self.best(params, &seat)?;
                seat.act(action);
            }
            all.push(seat.points());
            seat.reset();
        }
        Ok(all)
    }
}
