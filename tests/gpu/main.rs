//! A GPU against the CPU: every layer, loss and optimiser within 10⁻⁴, ten steps, counts of kernels, and what happens where it
//! fails. Runs where there is an adapter (lavapipe is one: `mesa-vulkan-drivers`); elsewhere each test says that it is skipped,
//! and with `HITOFUDE_GPU=required` fails.
#![cfg(not(target_arch = "wasm32"))]

mod common;
mod experiment;
mod layers;
mod training;
mod trouble;
