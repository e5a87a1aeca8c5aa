//! The rules of each game, one file each, written from the rules of the originals and matched with their episodes.

mod breakout;
pub(super) mod catch;
mod space_invaders;

pub use breakout::Breakout;
pub use catch::Catch;
pub use space_invaders::SpaceInvaders;
