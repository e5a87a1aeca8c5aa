//! Generate: a network draws digits that another cannot tell from real ones. DCGAN (Radford et al. 2015).
//!
//! [`Pair`] is the game of Goodfellow et al. 2014 with the loss that does not saturate: the two networks meet at slices, for
//! what the discriminator's gradient is at its image is the gradient of what the generator drew. [`Training`] feeds it with
//! real digits, [`Generator`] draws, and [`Judge`] measures how good the drawings are.

pub mod fid;
mod generator;
mod judge;
mod pair;
mod settings;
mod spectral;
mod training;

pub use generator::{Generator, latents};
pub use judge::{Judge, Nearest, learnt_from, nearest, shares};
pub use pair::{Batch, Pair, Progress};
pub use settings::{CLASSES, Settings};
pub use spectral::Spectral;
pub use training::Training;
