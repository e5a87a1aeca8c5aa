//! LeNet-5 (LeCun et al. 1998, figure 2), as it is built today: the third layer sees all maps of the second, pooling has
//! no weights, the activation is `tanh`, the output is a layer of class scores. Images of 28 × 28 are padded to the paper's
//! 32 × 32. 61,706 parameters.
//!
//! # Adding a model
//!
//! A model is one file that reads like its paper, and a row in the catalogue. Nothing else. This one as the example:
//!
//! 1. **A function from wire to wire.** It takes a [`Graph`] and the wire of the images, appends the paper's layers in
//!    their order and returns the wire of the class scores. Every layer has a name of its own; parameters are called
//!    after it (`c1.weight`, `c1.bias`), in files of weights, too, so take the names of the weights that you want to load.
//! 2. **A row in [`super::CATALOGUE`]**, or in [`super::IMAGENET`] for photographs: name, one line for people, the shape of
//!    one input image, and the function.
//! 3. **Its figures in `tests/zoo.rs`:** parameters and multiply-adds as the paper or a reference implementation gives
//!    them. That it builds, overfits a batch, plans, runs at every lane level and survives the way to JSON and back is
//!    tested for every row already.
//!
//! Shapes are inferred while wiring and a mistake is an error that names the layer, so there is nothing to compute by
//! hand. A branch is a wire that is used twice, see `resnet.rs`; where branches meet there is [`crate::nn::layers::add`] or
//! [`crate::nn::layers::concat`]. A loss on the way, for training only, is [`Graph::auxiliary`], see `googlenet.rs`. To train it
//! and ship weights, give it a recipe in `src/systems/digits/recipe.rs`.

use crate::error::Result;
use crate::nn::layers::act::Activation::Tanh;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::flatten::Flatten;
use crate::nn::layers::pool::Pool;
use crate::nn::{Conv, Graph, Wire};
use crate::shape::Window;

/// Wires LeNet-5 behind `x`, images of 1 × 28 × 28, and returns its 10 class scores.
pub fn lenet5(g: &mut Graph, x: Wire) -> Result<Wire> {
    let half = Pool::Average(Window::square(2).stride(2));
    let x = g.add("c1", Conv::new(6, 5).pad(2), &[x])?;
    let x = g.add("tanh1", Tanh, &[x])?;
    let x = g.add("s2", half, &[x])?;
    let x = g.add("c3", Conv::new(16, 5), &[x])?;
    let x = g.add("tanh3", Tanh, &[x])?;
    let x = g.add("s4", half, &[x])?;
    let x = g.add("flatten", Flatten, &[x])?;
    let x = g.add("c5", Affine::new(120), &[x])?;
    let x = g.add("tanh5", Tanh, &[x])?;
    let x = g.add("f6", Affine::new(84), &[x])?;
    let x = g.add("tanh6", Tanh, &[x])?;
    g.add("output", Affine::new(10), &[x])
}
