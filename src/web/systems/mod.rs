//! The module for systems whose networks do more than classify. Each has its own file here, with its handles and, beside
//! it, their types.

mod play;

use super::{Outcome, give, numbers as take};

pub use play::{GameLearner, GamePlayer, GameSeat, games};
