//! **hitofude** (一筆): a CNN engine that trains and runs inside a web page.
//!
//! The crate is built in floors; a file imports from the floors below it and from its own folder,
//! never upward, never sideways (`tests/floors.rs` checks it):
//!
//! | floor | modules | knows |
//! |---|---|---|
//! | 0 ground | [`error`] [`shape`] [`tensor`] [`rng`] | shapes, layouts, errors, seeded randomness |
//! | 1 kernels | [`kernel`] | loops over slices, SIMD lanes |
//! | 2 networks | [`nn`] | layers, gradients, plans, runs |
//! | 3 rooms | [`zoo`] [`train`] [`data`] [`mod@file`] | one subject each |
//! | 4 systems | [`systems`] | how rooms work together |
//! | 5 doors | `web`, `bin/hitofude.rs` | JavaScript; the terminal |
//!
//! Public shapes are NCHW for activations and OIHW for convolution weights; inside a run activations
//! are NHWC.

pub mod error;
pub mod rng;
pub mod shape;
pub mod tensor;

pub mod kernel;

pub mod nn;

pub mod data;
pub mod file;
pub mod train;
pub mod zoo;

pub mod systems;

#[cfg(target_arch = "wasm32")]
pub mod web;

pub use error::{Error, Result};
