//! An experiment: any network on any data, as a person sets it up, trained by one worker or by several.
//!
//! A [`Coach`] has the parameters and takes the steps; each [`Learner`] has the data and computes gradients of shards.
//! They share no memory: numbers go to and fro as slices. Everything random comes from the setup's seed and the step, and
//! gradients are summed in the order of their shards, so the weights do not depend on who computed what.

mod coach;
mod inspect;
mod learner;
#[cfg(feature = "gpu")]
mod on_gpu;
mod outline;
mod samples;
mod setup;

pub use coach::Coach;
pub use inspect::{Histogram, Inspected};
pub use learner::{Classified, Learner};
#[cfg(feature = "gpu")]
pub use on_gpu::GpuCoach;
pub use outline::{Outline, Row};
pub use samples::{Part, Samples};
pub use setup::Setup;
