//! Activations. Most work in place on what the layer before wrote, and their gradients need the output only; the ones
//! that fall and rise again need their input, which is kept.

use crate::error::{Error, Result};
use crate::kernel::{Level, act};
use crate::nn::description::Setting;
use crate::nn::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::shape::Shape;
use crate::tensor::{Map, copy_rows};

/// An elementwise activation without parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// `max(0, x)`. Nair and Hinton 2010.
    Relu,
    /// `x` from 0 to 6. Howard et al. 2017.
    Relu6,
    /// `1 / (1 + e⁻ˣ)`.
    Sigmoid,
    /// `tanh x`.
    Tanh,
    /// `x`: the output layer of a regression.
    Identity,
    /// `x`, times this slope where negative. Maas et al. 2013.
    LeakyRelu(f32),
    /// `x`, or this α times `eˣ − 1` where negative. Clevert et al. 2016.
    Elu(f32),
    /// ELU with the scale and α that keep mean 0 and variance 1. Klambauer et al. 2017.
    Selu,
    /// `x Φ(x)` with the exact Φ. Hendrycks and Gimpel 2016.
    Gelu,
    /// `x σ(x)`, also called swish. Elfwing et al. 2018, Ramachandran et al. 2017.
    Silu,
    /// `x · hard_sigmoid(x)`. Howard et al. 2019.
    HardSwish,
    /// `(x + 3) / 6` from 0 to 1.
    HardSigmoid,
    /// `ln(1 + eˣ)`.
    Softplus,
}

use Activation::*;

/// SELU's scale and α.
const SELU: (f32, f32) = (1.050_701, 1.673_263_2);

impl Activation {
    /// Whether the gradient needs the input: the output does not tell it.
    fn needs_input(self) -> bool {
        matches!(self, Gelu | Silu | HardSwish)
    }

    fn apply(self, level: Level, y: &mut [f32]) {
        match self {
            Relu => act::relu(level, y),
            Relu6 => act::relu6(level, y),
            Sigmoid => act::sigmoid(level, y),
            Tanh => act::tanh(level, y),
            Identity => (),
            LeakyRelu(slope) => act::leaky_relu(level, slope, y),
            Elu(alpha) => act::elu(level, 1.0, alpha, y),
            Selu => act::elu(level, SELU.0, SELU.1, y),
            Gelu => act::gelu(level, y),
            Silu => act::silu(level, y),
            HardSwish => act::hard_swish(level, y),
            HardSigmoid => act::hard_sigmoid(level, y),
            Softplus => act::softplus(level, y),
        }
    }

    /// Turns the gradient of the output into that of the input, from the output.
    fn backward_of_output(self, level: Level, y: &[f32], dy: &mut [f32]) {
        match self {
            Relu => act::relu_backward(level, y, dy),
            Relu6 => act::relu6_backward(level, y, dy),
            Sigmoid => act::sigmoid_backward(level, y, dy),
            Tanh => act::tanh_backward(level, y, dy),
            LeakyRelu(slope) => act::leaky_relu_backward(level, slope, y, dy),
            Elu(alpha) => act::elu_backward(level, 1.0, alpha, y, dy),
            Selu => act::elu_backward(level, SELU.0, SELU.1, y, dy),
            HardSigmoid => act::hard_sigmoid_backward(level, y, dy),
            Softplus => act::softplus_backward(level, y, dy),
            Identity | Gelu | Silu | HardSwish => (),
        }
    }

    /// Adds to the gradient of the input, from the input.
    fn backward_of_input(self, level: Level, x: &[f32], dy: &[f32], dx: &mut [f32]) {
        match self {
            Gelu => act::gelu_backward(level, x, dy, dx),
            Silu => act::silu_backward(level, x, dy, dx),
            HardSwish => act::hard_swish_backward(level, x, dy, dx),
            // Their output tells their gradient.
            Relu | Relu6 | Sigmoid | Tanh | Identity | LeakyRelu(_) | Elu(_) | Selu | HardSigmoid | Softplus => (),
        }
    }
}

impl Layer for Activation {
    fn kind(&self) -> &'static str {
        match self {
            Relu => "relu",
            Relu6 => "relu6",
            Sigmoid => "sigmoid",
            Tanh => "tanh",
            Identity => "identity",
            LeakyRelu(_) => "leaky_relu",
            Elu(_) => "elu",
            Selu => "selu",
            Gelu => "gelu",
            Silu => "silu",
            HardSwish => "hard_swish",
            HardSigmoid => "hard_sigmoid",
            Softplus => "softplus",
        }
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        match *self {
            LeakyRelu(slope) => vec![("slope", Setting::Number(slope))],
            Elu(alpha) => vec![("alpha", Setting::Number(alpha))],
            _ => vec![],
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        match *self {
            LeakyRelu(number) | Elu(number) if number < 0.0 => {
                Err(Error::value(self.kind(), "a number of at least 0", number))
            }
            _ => Ok(inputs[0]),
        }
    }

    fn in_place(&self) -> bool {
        !self.needs_input()
    }

    fn flat(&self, input: Shape) -> Option<Shape> {
        Some(input)
    }

    fn reads(&self) -> Reads {
        Reads { input: self.needs_input(), output: !self.needs_input() && *self != Identity }
    }

    fn formula(&self, _inputs: &[Shape]) -> String {
        match self {
            Relu => "max(0, x)".into(),
            Relu6 => "min(max(0, x), 6)".into(),
            Sigmoid => "1 / (1 + e⁻ˣ)".into(),
            Tanh => "tanh x".into(),
            Identity => "x".into(),
            LeakyRelu(slope) => format!("x, or {slope} x below 0"),
            Elu(alpha) => format!("x, or {alpha} (eˣ − 1) below 0"),
            Selu => "1.0507 x, or 1.7581 (eˣ − 1) below 0".into(),
            Gelu => "x Φ(x)".into(),
            Silu => "x / (1 + e⁻ˣ)".into(),
            HardSwish => "x · min(max(x + 3, 0), 6) / 6".into(),
            HardSigmoid => "min(max(x + 3, 0), 6) / 6".into(),
            Softplus => "ln(1 + eˣ)".into(),
        }
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (dx, dy) = io.gradients.as_ref().map_or((io.x[0], io.y), |(dx, dy)| (dx[0], *dy));
        Box::new(ActivationOp { function: *self, x: io.x[0], y: io.y, dx, dy })
    }
}

struct ActivationOp {
    function: Activation,
    x: Map,
    y: Map,
    dx: Map,
    dy: Map,
}

impl Op for ActivationOp {
    fn forward(&mut self, cx: Forward<'_>) {
        if self.function.needs_input() {
            copy_rows(cx.x(0), &self.x, cx.y, &self.y, cx.n);
        }
        for row in self.y.rows(cx.n) {
            self.function.apply(cx.level, &mut cx.y[row]);
        }
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let (level, n) = (cx.level, cx.n);
        if !self.function.needs_input() {
            let y = cx.output.of(cx.slots, n);
            for (row, drow) in self.y.rows(n).zip(self.dy.rows(n)) {
                self.function.backward_of_output(level, &y[row], &mut cx.dy[drow]);
            }
        } else if let Some((x, _, dy, dx)) = cx.split_zeroed(0) {
            for ((row, drow), dxrow) in self.x.rows(n).zip(self.dy.rows(n)).zip(self.dx.rows(n)) {
                self.function.backward_of_input(level, &x[row], &dy[drow], &mut dx[dxrow]);
            }
        }
    }
}
