//! Activations, each working in place on what the layer before wrote; their gradients need the output only.

use super::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::error::Result;
use crate::kernel::{Level, act};
use crate::shape::Shape;
use crate::tensor::Map;

/// An elementwise activation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `max(0, x)`. Nair and Hinton 2010.
    Relu,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// `tanh x`.
    Tanh,
    /// `x`: the output layer of a regression.
    Identity,
}

impl Layer for Activation {
    fn kind(&self) -> &'static str {
        match self {
            Self::Relu => "relu",
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Identity => "identity",
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0])
    }

    fn in_place(&self) -> bool {
        true
    }

    fn flat(&self, input: Shape) -> Option<Shape> {
        Some(input)
    }

    fn reads(&self) -> Reads {
        Reads { input: false, output: !matches!(self, Self::Identity) }
    }

    fn formula(&self, _inputs: &[Shape]) -> String {
        match self {
            Self::Relu => "max(0, x)",
            Self::Sigmoid => "1 / (1 + e⁻ˣ)",
            Self::Tanh => "tanh x",
            Self::Identity => "x",
        }
        .into()
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let dy = io.gradients.as_ref().map_or(io.y, |(_, dy)| *dy);
        let (forward, backward): (InPlace, Gradient) = match self {
            Self::Relu => (act::relu, act::relu_backward),
            Self::Sigmoid => (act::sigmoid, act::sigmoid_backward),
            Self::Tanh => (act::tanh, act::tanh_backward),
            Self::Identity => (|_, _| (), |_, _, _| ()),
        };
        Box::new(ActivationOp { forward, backward, y: io.y, dy })
    }
}

type InPlace = fn(Level, &mut [f32]);
type Gradient = fn(Level, &[f32], &mut [f32]);

struct ActivationOp {
    forward: InPlace,
    backward: Gradient,
    y: Map,
    dy: Map,
}

impl Op for ActivationOp {
    fn forward(&mut self, cx: Forward<'_>) {
        for row in self.y.rows(cx.n) {
            (self.forward)(cx.level, &mut cx.y[row]);
        }
    }

    fn backward(&mut self, cx: Backward<'_>) {
        let y = cx.output.of(cx.slots, cx.n);
        for (row, drow) in self.y.rows(cx.n).zip(self.dy.rows(cx.n)) {
            (self.backward)(cx.level, &y[row], &mut cx.dy[drow]);
        }
    }
}
