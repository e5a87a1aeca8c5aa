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
//! | 3 device | `gpu` | the same plans on a GPU (feature `gpu`) |
//! | 4 rooms | [`zoo`] [`train`] [`data`] [`mod@file`] | one subject each |
//! | 5 systems | [`systems`] | how rooms work together |
//! | 6 doors | `web`, `bin/hitofude.rs` | JavaScript; the terminal |
//!
//! A network is a function that appends layers to a graph; it is trained in shards of a batch, and answers in a run:
//!
//! ```
//! use hitofude::nn::layers::{act::Activation::Relu, affine::Affine, flatten::Flatten, pool::Pool};
//! use hitofude::nn::{Conv, Graph, Init, Mode, Run, Want};
//! use hitofude::shape::{Shape, Window};
//! use hitofude::train::{Options, Trainer};
//!
//! # fn main() -> hitofude::Result<()> {
//! let mut graph = Graph::new();
//! let image = graph.input("image", Shape::new(1, 8, 8))?;
//! let maps = graph.add("conv", Conv::new(4, 3).pad(1), &[image])?;
//! let maps = graph.add("relu", Relu, &[maps])?;
//! let maps = graph.add("pool", Pool::Max(Window::square(2).stride(2)), &[maps])?;
//! let flat = graph.add("flatten", Flatten, &[maps])?;
//! let scores = graph.add("scores", Affine::new(2), &[flat])?;
//! let net = graph.finish(scores);
//!
//! // Class 1 is a bright left half, class 0 a bright right one.
//! let draw = |class: usize, image: &mut [f32]| {
//!     image.iter_mut().enumerate().for_each(|(i, v)| *v = f32::from((i % 8 < 4) == (class == 1)));
//! };
//! let mut params = net.zeros();
//! Init::He.fill(&mut params, 1)?;
//! let mut trainer = Trainer::new(&net, params, 8, 4, &Options::DEFAULT)?;
//! for step in 0..50 {
//!     trainer.step(8, 1e-2, step, |i, image, target| {
//!         draw(i % 2, image);
//!         target.fill(0.0);
//!         target[i % 2] = 1.0;
//!     })?;
//! }
//!
//! let mut image = vec![0.0; 64];
//! draw(1, &mut image);
//! let mut run = Run::new(&net, 1, &Want::outputs());
//! run.forward(trainer.params(), &image, 1, Mode::Infer)?;
//! assert!(run.output()[1] > run.output()[0]);
//! # Ok(())
//! # }
//! ```
//!
//! Public shapes are NCHW for activations and OIHW for convolution weights; inside a run activations
//! are NHWC.

pub mod error;
pub mod rng;
pub mod shape;
pub mod tensor;

pub mod kernel;

pub mod nn;

#[cfg(feature = "gpu")]
pub mod gpu;

pub mod data;
pub mod file;
pub mod train;
pub mod zoo;

pub mod systems;

#[cfg(target_arch = "wasm32")]
pub mod web;

pub use error::{Error, Result};
