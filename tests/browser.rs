//! All tests that run in a browser too, as one crate: one link and one browser instead of twenty, each with the whole
//! engine in it; in a worker, where the page runs the engine too, and where a long test holds up no browser. `npm test` runs
//! it with `--test browser` for both wasm builds. A plain `wasm-pack test` and `cargo test`
//! leave it out (`test = false` in Cargo.toml) and run the same files one by one; tests/floors.rs sees that none is missing.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::duplicate_mod, reason = "each crate of tests has tests/common in it")]

#[path = "augment.rs"]
mod augment;
#[path = "door.rs"]
mod door;
#[path = "door_explain.rs"]
mod door_explain;
#[path = "door_formats.rs"]
mod door_formats;
#[path = "door_network.rs"]
mod door_network;
#[path = "door_play.rs"]
mod door_play;
#[path = "door_quantise.rs"]
mod door_quantise;
#[path = "door_style.rs"]
mod door_style;
#[path = "experiment.rs"]
mod experiment;
#[path = "explain.rs"]
mod explain;
#[path = "files/main.rs"]
mod files;
#[path = "goldens/main.rs"]
mod goldens;
#[path = "gradients.rs"]
mod gradients;
#[path = "idx.rs"]
mod idx;
#[path = "ink.rs"]
mod ink;
#[path = "kernels_conv.rs"]
mod kernels_conv;
#[path = "kernels_small/main.rs"]
mod kernels_small;
#[path = "kernels_words.rs"]
mod kernels_words;
#[path = "model.rs"]
mod model;
#[path = "plan.rs"]
mod plan;
#[path = "ports.rs"]
mod ports;
#[path = "recognise.rs"]
mod recognise;
#[path = "recurrent.rs"]
mod recurrent;
#[path = "scenes.rs"]
mod scenes;
#[path = "sources/main.rs"]
mod sources;
#[path = "streets.rs"]
mod streets;
#[path = "strokes.rs"]
mod strokes;
#[path = "synth.rs"]
mod synth;
#[path = "training.rs"]
mod training;
#[path = "transfer.rs"]
mod transfer;
