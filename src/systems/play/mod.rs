//! Play: a network learns a game from its pixels and its score alone.
//!
//! [`Learner`] is the way of Mnih et al. 2015 ("Human-level control through deep reinforcement learning"), with switches
//! for what keeps it steady. [`Table`] is Q-learning without a
//! network, beside the exact answer, where a game has few enough states.

mod episode;
pub mod game;
mod games;
mod learner;
mod memory;
mod player;
mod seat;
mod settings;
mod table;

pub use episode::Recorded;
pub use game::{GAMES, Game, Outcome, Rules};
pub use games::Catch;
pub use learner::{Checkpoint, Learner, Step};
pub use memory::Memory;
pub use player::{Player, network};
pub use seat::Seat;
pub use settings::Settings;
pub use table::Table;
