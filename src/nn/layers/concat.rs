//! Concatenation of channels: where the branches of an Inception block meet. Szegedy et al. 2015.

use crate::error::{Error, Result};
use crate::nn::layer::{Backward, Forward, Io, Layer, MANY, Op};
use crate::shape::Shape;
use crate::tensor::Map;
use std::ops::RangeInclusive;

/// The channels of two or more wires of one height and width, one after another.
#[derive(Debug, Clone, Copy)]
pub struct Concat;

impl Layer for Concat {
    fn kind(&self) -> &'static str {
        "concat"
    }

    fn arity(&self) -> RangeInclusive<usize> {
        2..=MANY
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let Shape { h, w, .. } = inputs[0];
        if let Some(other) = inputs.iter().find(|x| (x.h, x.w) != (h, w)) {
            return Err(Error::shape("concatenation", format!("inputs of {h} × {w}"), other));
        }
        Ok(Shape::new(inputs.iter().map(|x| x.c).sum(), h, w))
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        let channels: Vec<String> = inputs.iter().map(|x| x.c.to_string()).collect();
        format!("{} = {} channels", channels.join(" + "), inputs.iter().map(|x| x.c).sum::<usize>())
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (dx, dy) = io.gradients.clone().unwrap_or_else(|| (io.x.clone(), io.y));
        Box::new(ConcatOp { x: io.x.clone(), y: io.y, dx, dy })
    }
}

struct ConcatOp {
    x: Vec<Map>,
    y: Map,
    dx: Vec<Map>,
    dy: Map,
}

impl Op for ConcatOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let mut channel = 0;
        for (i, map) in self.x.iter().enumerate() {
            let (x, c) = (cx.x(i), map.shape.c);
            for (row, from) in self.y.rows(cx.n).zip(map.rows(cx.n)) {
                let pixels = cx.y[row].chunks_exact_mut(self.y.shape.c);
                for (y, x) in pixels.zip(x[from].chunks_exact(c)) {
                    y[channel..channel + c].copy_from_slice(x);
                }
            }
            channel += c;
        }
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let mut channel = 0;
        for (i, map) in self.dx.iter().enumerate() {
            let (n, c) = (cx.n, map.shape.c);
            if let Some((_, _, dy, dx, first)) = cx.split(i) {
                for (row, from) in map.rows(n).zip(self.dy.rows(n)) {
                    let pixels = dy[from].chunks_exact(self.dy.shape.c).map(|pixel| &pixel[channel..channel + c]);
                    for (dx, dy) in dx[row].chunks_exact_mut(c).zip(pixels) {
                        if first {
                            dx.copy_from_slice(dy);
                        } else {
                            dx.iter_mut().zip(dy).for_each(|(dx, dy)| *dx += dy);
                        }
                    }
                }
            }
            channel += c;
        }
    }
}
