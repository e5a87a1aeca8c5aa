//! Floor 3: weights in files.

mod number;
mod numpy;
pub mod pickle;
pub mod safetensors;
