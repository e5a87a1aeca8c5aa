//! Long short-term memory over a sequence. Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000.
//!
//! A sequence is a map: channels are its features, rows its steps, and it is one pixel wide. So a convolution of one pixel reads
//! every step, and losses over the pixels of a mask are losses over the steps.

use super::lstm_op::LstmOp;
use crate::error::{Error, Result};
use crate::kernel::recurrent::GATES;
use crate::nn::description::Setting;
use crate::nn::layer::{Io, Layer, Op, Reads};
use crate::nn::params::{Order, Role, View};
use crate::shape::Shape;
use std::ops::RangeInclusive;

/// A long short-term memory: from `c × steps × 1` to the hidden state after each step, `hidden × steps × 1`.
///
/// Inputs, by their number: 1, a sequence; 2, with its length, `1 × 1 × 1`; 3, the sequence, the first hidden state and the first
/// cell, `hidden × 1 × 1`; 4, these and the length. States that are not given are 0. Behind its length a sequence is not read and
/// its output is 0, as that of PyTorch's packed sequences; a length beyond the steps counts as all of them.
///
/// Parameters, names and orders are those of PyTorch's `LSTM` of one layer: `weight_ih_l0` (4 hidden × c), `weight_hh_l0`
/// (4 hidden × hidden), `bias_ih_l0`, `bias_hh_l0`, gates in the order input, forget, cell, output.
#[derive(Debug, Clone, Copy)]
pub struct Lstm {
    /// Numbers in the hidden state.
    pub hidden: usize,
    /// Whether the cell follows the hidden state in the output's channels, to go on from.
    pub cells: bool,
}

impl Lstm {
    /// A layer that gives its hidden states.
    pub const fn new(hidden: usize) -> Self {
        Self { hidden, cells: false }
    }
}

/// Whether so many inputs have first states, and which one is the length.
pub(super) fn roles(inputs: usize) -> (bool, Option<usize>) {
    (inputs > 2, (inputs.is_multiple_of(2)).then(|| inputs - 1))
}

impl Layer for Lstm {
    fn kind(&self) -> &'static str {
        "lstm"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        vec![("hidden", Setting::Size(self.hidden)), ("cells", Setting::Flag(self.cells))]
    }

    fn arity(&self) -> RangeInclusive<usize> {
        1..=4
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let (x, state) = (inputs[0], Shape::new(self.hidden, 1, 1));
        if self.hidden == 0 || x.w != 1 {
            let got = format!("{} numbers behind {x}", self.hidden);
            return Err(Error::shape("LSTM", "at least one number behind a sequence, one pixel wide", got));
        }
        let (states, length) = roles(inputs.len());
        let given = if states { &inputs[1..3] } else { &[] };
        if let Some(bad) = given.iter().find(|shape| **shape != state) {
            return Err(Error::shape("LSTM: first state", state, bad));
        }
        let one = Shape::new(1, 1, 1);
        if let Some(bad) = length.map(|k| inputs[k]).filter(|shape| *shape != one) {
            return Err(Error::shape("LSTM: length", one, bad));
        }
        Ok(Shape::new(if self.cells { 2 * self.hidden } else { self.hidden }, x.h, 1))
    }

    fn params(&self, inputs: &[Shape], _flat: Shape) -> Vec<View> {
        let (h, gates) = (self.hidden, GATES * self.hidden);
        let weight = |name: &str, c: usize| View {
            name: name.into(),
            ..View::weight(vec![gates, c], c, h, Order::Affine { flat: Shape::new(c, 1, 1) })
        };
        let bias = |name: &str| View::constant(name, vec![gates], Role::Bias, 0.0);
        let weights = [weight("weight_ih_l0", inputs[0].c), weight("weight_hh_l0", h)];
        weights.into_iter().chain([bias("bias_ih_l0"), bias("bias_hh_l0")]).collect()
    }

    fn passes(&self, input: usize, of: usize) -> bool {
        roles(of).1 != Some(input)
    }

    fn reads(&self) -> Reads {
        Reads { input: true, output: true }
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        format!("{} steps of 4 · {} × ({} + {})", inputs[0].h, self.hidden, inputs[0].c, self.hidden)
    }

    fn multiply_adds(&self, inputs: &[Shape]) -> u64 {
        (inputs[0].h * GATES * self.hidden * (inputs[0].c + self.hidden)) as u64
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        Box::new(LstmOp::new(*self, io))
    }
}
