//! Floor 4: how rooms work together.

pub mod caption;
pub mod detect;
pub mod digits;
pub mod ensemble;
pub mod experiment;
pub mod explain;
pub mod formats;
pub mod generate;
pub mod model;
pub mod personalise;
pub mod play;
pub mod quantise;
pub mod recognise;
pub mod reproduce;
pub mod segment;
pub mod session;
pub mod style;
pub mod transfer;

pub use formats::{exported, imported, opened, saved};
