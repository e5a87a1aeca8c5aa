//! Floor 3: optimisers, schedules, the training step over shards, evaluation and calibration.

pub mod batch;
pub mod calibrate;
pub mod descent;
pub mod detection;
pub mod evaluate;
pub mod group;
pub mod lbfgs;
pub mod metrics;
#[cfg(feature = "gpu")]
pub mod on_gpu;
pub mod optimiser;
pub mod options;
#[cfg(feature = "mpi")]
pub mod ranks;
pub mod regularise;
pub mod replica;
pub mod ring;
pub mod schedule;
pub mod trainer;

pub use batch::Batch;
pub use descent::{Descent, State};
pub use group::{Alone, Group};
pub use lbfgs::{Lbfgs, Objective};
#[cfg(feature = "gpu")]
pub use on_gpu::GpuTrainer;
pub use optimiser::{Optimiser, Rule};
pub use options::Options;
pub use regularise::EarlyStopping;
pub use replica::{Progress, Replica};
pub use ring::Ring;
pub use schedule::{Curve, Schedule};
pub use trainer::Trainer;
