//! The value networks of DQN for small boards: what each action is worth, from the pixels. Mnih et al. 2015.
//!
//! The paper's network reads four frames of 84 × 84; boards of 10 × 5 and 10 × 10 cells want two and one convolution, the
//! latter with MinAtar's hidden layer (Young and Tian 2019).

use crate::error::Result;
use crate::nn::layers::act::Activation::Relu;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::flatten::Flatten;
use crate::nn::{Conv, Graph, Wire};

/// The value of each of `actions` on the board `x`: two 3 × 3 convolutions and a hidden layer where the board is narrow, one
/// convolution and a wide hidden layer where it is square.
pub fn dqn(g: &mut Graph, x: Wire, actions: usize) -> Result<Wire> {
    let board = g.shape(x);
    let (widths, hidden): (&[usize], usize) = if board.w < board.h { (&[8, 16], 32) } else { (&[16], 128) };
    let mut y = x;
    for (i, &width) in (1..).zip(widths) {
        y = g.add(&format!("conv{i}"), Conv::new(width, 3), &[y])?;
        y = g.add(&format!("relu{i}"), Relu, &[y])?;
    }
    let y = g.add("flatten", Flatten, &[y])?;
    let y = g.add("hidden", Affine::new(hidden), &[y])?;
    let y = g.add("hidden_relu", Relu, &[y])?;
    g.add("values", Affine::new(actions), &[y])
}
