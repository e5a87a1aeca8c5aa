//! Flatten: an image as a vector. The public order of the vector is NCHW; inside a run it is NHWC like everything,
//! and the affine layer behind it keeps its columns accordingly (see [`crate::nn::params::Order::Affine`]).

use crate::error::Result;
use crate::nn::layer::{Backward, Forward, Io, Layer, Op};
use crate::shape::Shape;

/// `c × h × w` becomes `c·h·w × 1 × 1`.
#[derive(Debug, Clone, Copy)]
pub struct Flatten;

impl Layer for Flatten {
    fn kind(&self) -> &'static str {
        "flatten"
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(Shape::new(inputs[0].len(), 1, 1))
    }

    fn in_place(&self) -> bool {
        true
    }

    fn flat(&self, input: Shape) -> Option<Shape> {
        Some(input)
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        let x = inputs[0];
        format!("{} · {} · {} = {}", x.c, x.h, x.w, x.len())
    }

    fn op(&self, _io: &Io) -> Box<dyn Op> {
        Box::new(FlattenOp)
    }
}

struct FlattenOp;

impl Op for FlattenOp {
    fn forward(&mut self, _cx: Forward<'_>) {}

    fn backward(&mut self, _cx: Backward<'_>) {}
}
