//! Embedding: a learnt vector for each token. Bengio et al. 2003, "A Neural Probabilistic Language Model", section 2.

use crate::error::{Error, Result};
use crate::nn::description::Setting;
use crate::nn::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::nn::params::{Order, View};
use crate::shape::Shape;
use crate::tensor::Map;
use std::ops::Range;

/// The vector of the token at every pixel: from `1 × h × w` numbers of tokens to `out × h × w`.
///
/// Parameters: `weight` (tokens × out), as PyTorch's. Its input is a port of [`crate::nn::Port::Indices`], which refuses what
/// is no token; what another wire brings is rounded down and kept below the number of tokens.
#[derive(Debug, Clone, Copy)]
pub struct Embedding {
    /// How many tokens there are.
    pub tokens: usize,
    /// Numbers in the vector of one.
    pub out: usize,
}

impl Layer for Embedding {
    fn kind(&self) -> &'static str {
        "embedding"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        vec![("tokens", Setting::Size(self.tokens)), ("out", Setting::Size(self.out))]
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let x = inputs[0];
        if x.c != 1 || self.tokens == 0 || self.out == 0 {
            let got = format!("{} tokens, {} numbers each, behind {x}", self.tokens, self.out);
            return Err(Error::shape("embedding", "at least one token and number behind one channel", got));
        }
        Ok(Shape::new(self.out, x.h, x.w))
    }

    fn params(&self, _inputs: &[Shape], _flat: Shape) -> Vec<View> {
        vec![View::weight(vec![self.tokens, self.out], self.out, self.out, Order::Plain)]
    }

    /// Which token it is has no slope.
    fn passes(&self, _input: usize, _of: usize) -> bool {
        false
    }

    fn reads(&self) -> Reads {
        Reads { input: true, output: false }
    }

    fn formula(&self, _inputs: &[Shape]) -> String {
        format!("one of {} rows of {}", self.tokens, self.out)
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (x, y, gradients) = (io.x[0], io.y, io.gradients.as_ref());
        let dy = gradients.map_or(y, |(_, dy)| *dy);
        Box::new(EmbeddingOp { layer: *self, x, y, dy, weight: io.params[0].clone(), learns: io.learns })
    }
}

struct EmbeddingOp {
    layer: Embedding,
    x: Map,
    y: Map,
    dy: Map,
    weight: Range<usize>,
    learns: bool,
}

impl EmbeddingOp {
    /// Where the row of a token lies in the arena.
    fn row(&self, token: f32) -> Range<usize> {
        let start = self.weight.start + (token as usize).min(self.layer.tokens - 1) * self.layer.out;
        start..start + self.layer.out
    }
}

impl Op for EmbeddingOp {
    fn forward(&mut self, cx: Forward<'_>) {
        for (from, to) in self.x.rows(cx.n).zip(self.y.rows(cx.n)) {
            for (token, out) in cx.x(0)[from].iter().zip(cx.y[to].chunks_exact_mut(self.layer.out)) {
                out.copy_from_slice(&cx.params.0[self.row(*token)]);
            }
        }
    }

    fn backward(&mut self, cx: Backward<'_>) {
        if self.learns {
            for (from, to) in self.x.rows(cx.n).zip(self.dy.rows(cx.n)) {
                for (k, dy) in from.zip(cx.dy[to].chunks_exact(self.layer.out)) {
                    let row = self.row(cx.x(0)[k]);
                    cx.dparams[row].iter_mut().zip(dy).for_each(|(dw, dy)| *dw += dy);
                }
            }
        }
    }
}
