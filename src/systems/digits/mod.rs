//! Training digit readers: recipes, the pictures they are fed, and checkpoints to go on from.
//!
//! Everything random comes from one seed, the epoch and the place in it; so a training can stop after any epoch and go on
//! to the same bits, on any number of threads.

pub mod feed;
#[cfg(all(feature = "gpu", not(target_arch = "wasm32")))]
pub mod on_gpu;
pub mod recipe;
pub mod training;

pub use feed::Feed;
pub use recipe::Recipe;
pub use training::Training;
