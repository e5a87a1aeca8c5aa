//! Play: a network learns a game from its pixels and its score alone.
//!
//! [`Learner`] is the way of Mnih et al. 2015 ("Human-level control through deep reinforcement learning"), with switches
//! for what keeps it steady, and for PQN (Gallici et al. 2024), which needs none of it. [`Table`] is Q-learning without a
//! network, beside the exact answer, where a game has few enough states.

pub mod game;
mod games;
mod memory;
mod seat;

pub use game::{GAMES, Game, Outcome, Rules};
pub use memory::Memory;
pub use seat::Seat;
