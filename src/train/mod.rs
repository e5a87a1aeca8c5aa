//! Floor 3: optimisers, schedules, the training step over shards, evaluation and calibration.

pub mod calibrate;
pub mod evaluate;
pub mod optimiser;
pub mod schedule;
pub mod trainer;

pub use optimiser::Optimiser;
pub use schedule::Schedule;
pub use trainer::{Progress, Trainer};
