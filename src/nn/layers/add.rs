//! Addition: where a skip comes back to the path it left. He et al. 2016.
//!
//! It works in place on its first input, so a residual sum costs no buffer; a ReLU behind it is done in the same pass.

use crate::error::{Error, Result};
use crate::kernel::act;
use crate::nn::layer::{Backward, Forward, Io, Layer, MANY, Op};
use crate::shape::Shape;
use crate::tensor::{Map, add_rows, copy_rows};
use std::ops::RangeInclusive;

/// The sum of two or more wires of one shape.
#[derive(Debug, Clone, Copy)]
pub struct Add;

impl Layer for Add {
    fn kind(&self) -> &'static str {
        "add"
    }

    fn arity(&self) -> RangeInclusive<usize> {
        2..=MANY
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        match inputs.iter().find(|x| **x != inputs[0]) {
            Some(other) => Err(Error::shape("addition", format!("inputs of one shape, {}", inputs[0]), other)),
            None => Ok(inputs[0]),
        }
    }

    fn in_place(&self) -> bool {
        true
    }

    fn flat(&self, input: Shape) -> Option<Shape> {
        Some(input)
    }

    fn fuses_relu(&self) -> bool {
        true
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        format!("the sum of {} inputs", inputs.len())
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (dx, dy) = io.gradients.clone().unwrap_or_else(|| (io.x.clone(), io.y));
        Box::new(AddOp { x: io.x.clone(), y: io.y, dx, dy, relu: io.relu })
    }
}

struct AddOp {
    x: Vec<Map>,
    y: Map,
    dx: Vec<Map>,
    dy: Map,
    relu: bool,
}

impl Op for AddOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let last = self.x.len() - 1;
        for (i, map) in self.x.iter().enumerate().skip(1) {
            let (x, add) = (cx.x(i), if self.relu && i == last { act::add_relu } else { act::add_assign });
            for (row, from) in self.y.rows(cx.n).zip(map.rows(cx.n)) {
                add(cx.level, &mut cx.y[row], &x[from]);
            }
        }
    }

    /// The gradient of every input is that of the output; the first one's buffer holds it already.
    fn backward(&mut self, mut cx: Backward<'_>) {
        for (i, map) in self.dx.iter().enumerate().skip(1) {
            let n = cx.n;
            if let Some((_, _, dy, dx, first)) = cx.split(i) {
                (if first { copy_rows } else { add_rows })(dy, &self.dy, dx, map, n);
            }
        }
    }
}
