//! The module for systems whose networks do more than classify. Each has its own file here, with its handles and, beside
//! it, their types.

mod captions;
mod generate;
mod play;
mod scenes;
mod streets;

use super::{Outcome, colour, give, numbers as take};

pub use captions::{SceneCaptioner, told_scene};
pub use generate::{DigitGenerator, GanLearner, latent_rows, made_digits};
pub use play::{GameLearner, GamePlayer, GameSeat, games};
pub use scenes::{DetectorLearner, DigitDetector, draw_scene, written_sheet};
pub use streets::{PixelReader, StreetDrive, street_classes, weathers};
