//! The module for systems whose networks do more than classify. Each has its own file here, with its handles and, beside
//! it, their types.

mod play;
mod scenes;
mod streets;

use super::{Outcome, colour, give, numbers as take};

pub use play::{GameLearner, GamePlayer, GameSeat, games};
pub use scenes::{DetectorLearner, DigitDetector, draw_scene};
pub use streets::{PixelReader, StreetDrive, street_classes, weathers};
