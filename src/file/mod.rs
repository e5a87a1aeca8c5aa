//! Floor 3: weights and whole models in files.

pub mod array;
#[cfg(feature = "convert")]
pub mod convert;
pub mod npz;
mod number;
mod numpy;
pub mod onnx;
pub mod pickle;
pub mod safetensors;
mod zip;
