//! Affine (fully connected) layer: `y = W·x + b`. To the kernels it is a 1 × 1 convolution over an image of one pixel.

use super::conv::{ConvOp, weight_and_bias};
use crate::error::{Error, Result};
use crate::nn::description::Setting;
use crate::nn::layer::{Io, Layer, Op};
use crate::nn::params::{Order, View};
use crate::shape::{Shape, Window};

/// An affine layer with `out` outputs.
///
/// Parameters: `weight` (out × in, columns in NCHW order of the image that was flattened) and, if asked, `bias` (out).
#[derive(Debug, Clone, Copy)]
pub struct Affine {
    /// Outputs.
    pub out: usize,
    /// Whether a bias is added.
    pub bias: bool,
}

impl Affine {
    /// `out` outputs, with bias.
    pub const fn new(out: usize) -> Self {
        Self { out, bias: true }
    }
}

impl Layer for Affine {
    fn kind(&self) -> &'static str {
        "affine"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        vec![("out", Setting::Size(self.out)), ("bias", Setting::Flag(self.bias))]
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let x = inputs[0];
        if self.out == 0 || (x.h, x.w) != (1, 1) {
            let got = format!("{} outputs behind {x}", self.out);
            return Err(Error::shape("affine layer", "at least one output behind a vector (flatten first)", got));
        }
        Ok(Shape::new(self.out, 1, 1))
    }

    fn params(&self, inputs: &[Shape], flat: Shape) -> Vec<View> {
        let n = inputs[0].len();
        weight_and_bias(vec![self.out, n], n, self.out, Order::Affine { flat }, self.bias)
    }

    fn reads_flat(&self) -> bool {
        true
    }

    fn fuses_relu(&self) -> bool {
        true
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        format!("{} × {} + {}", self.out, inputs[0].len(), self.out)
    }

    fn multiply_adds(&self, inputs: &[Shape]) -> u64 {
        inputs[0].len() as u64 * self.out as u64
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        Box::new(ConvOp::new(Window::square(1), 1, io))
    }
}
