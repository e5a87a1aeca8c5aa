//! Attention: each step of a sequence looks at the cells of a map, and gets their values weighed by how well their keys answer
//! its query. Bahdanau et al. 2015; over pictures: Xu et al. 2015, "Show, Attend and Tell", section 3.1.2 (soft attention).

use crate::error::{Error, Result};
use crate::kernel::attention::{dots, mix, spread};
use crate::kernel::softmax::softmax;
use crate::nn::description::Setting;
use crate::nn::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::shape::Shape;
use crate::tensor::Map;
use std::ops::RangeInclusive;

/// Attention by scaled dot products: from queries `d × steps × 1`, keys `d × h × w` and values `v × h × w` to what each step
/// sees, `v × steps × 1`: `Σ softmax(q · k / √d) · v` over the cells. It has no parameters.
#[derive(Debug, Clone, Copy)]
pub struct Attention {
    /// Whether the scores of the cells before the softmax, row after row, follow in the channels: `v + h·w` of them. A loss can
    /// then teach where to look.
    pub scores: bool,
}

impl Layer for Attention {
    fn kind(&self) -> &'static str {
        "attention"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        vec![("scores", Setting::Flag(self.scores))]
    }

    fn arity(&self) -> RangeInclusive<usize> {
        3..=3
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let (q, k, v) = (inputs[0], inputs[1], inputs[2]);
        if q.w != 1 || k.c != q.c || (k.h, k.w) != (v.h, v.w) {
            let expected = "queries one pixel wide, keys as long, values for the same cells";
            return Err(Error::shape("attention", expected, format!("{q}, {k}, {v}")));
        }
        Ok(Shape::new(v.c + if self.scores { v.h * v.w } else { 0 }, q.h, 1))
    }

    fn reads(&self) -> Reads {
        Reads { input: true, output: false }
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        format!("{} steps, softmax over {} cells", inputs[0].h, inputs[1].h * inputs[1].w)
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let cells = io.x[1].shape.h * io.x[1].shape.w;
        let (dx, dy) = io.gradients.clone().unwrap_or_else(|| (io.x.clone(), io.y));
        let weights = vec![0.0; io.batch * io.x[0].shape.h * cells];
        Box::new(AttentionOp {
            scores: self.scores,
            x: io.x.clone(),
            dx,
            dy,
            y: io.y,
            slopes: weights.clone(),
            weights,
        })
    }
}

struct AttentionOp {
    scores: bool,
    x: Vec<Map>,
    y: Map,
    dx: Vec<Map>,
    dy: Map,
    /// By image, then by step: the weight of every cell, and the slope at its score.
    weights: Vec<f32>,
    slopes: Vec<f32>,
}

impl AttentionOp {
    fn cells(&self) -> usize {
        self.x[1].shape.h * self.x[1].shape.w
    }

    fn scale(&self) -> f32 {
        1.0 / libm::sqrtf(self.x[0].shape.c as f32)
    }

    fn steps(&self) -> usize {
        self.x[0].shape.h
    }
}

impl Op for AttentionOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let (level, cells, scale, steps) = (cx.level, self.cells(), self.scale(), self.steps());
        let (keys, values) = (self.x[1], self.x[2]);
        let [x, key, value] = [0, 1, 2].map(|i| cx.x(i));
        let (width, v) = (keys.shape.w, values.shape.c);
        let queries = self.x[0].rows(cx.n).zip(self.y.rows(cx.n)).zip(self.weights.chunks_exact_mut(cells));
        for (k, ((query, out), weights)) in queries.enumerate() {
            let (i, query, out) = (k / steps, &x[query], &mut cx.y[out]);
            let key = &key[i * keys.len()..][..keys.len()];
            for (row, scores) in keys.rows(1).zip(weights.chunks_exact_mut(width)) {
                dots(level, scale, query, &key[row], scores);
            }
            if self.scores {
                out[v..].copy_from_slice(weights);
            }
            softmax(level, weights, cells);
            let value = &value[i * values.len()..][..values.len()];
            out[..v].fill(0.0);
            for (row, weights) in values.rows(1).zip(weights.chunks_exact(width)) {
                mix(level, 1.0, weights, &value[row], &mut out[..v]);
            }
        }
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let (level, n, cells, scale, steps) = (cx.level, cx.n, self.cells(), self.scale(), self.steps());
        let (width, v) = (self.x[1].shape.w, self.x[2].shape.c);
        let [query, key, value] = [0, 1, 2].map(|i| cx.inputs[i].of(cx.slots, n));
        // The slopes at the scores: those of the softmax, and what a loss says of them.
        let parts = self.slopes.chunks_exact_mut(cells).zip(self.weights.chunks_exact(cells));
        for (k, ((slopes, weights), dy)) in parts.zip(self.dy.rows(n)).enumerate() {
            let dy = &cx.dy[dy];
            let values = &value[k / steps * self.x[2].len()..][..self.x[2].len()];
            for (row, slopes) in self.x[2].rows(1).zip(slopes.chunks_exact_mut(width)) {
                dots(level, 1.0, &dy[..v], &values[row], slopes);
            }
            let mean: f32 = weights.iter().zip(&*slopes).map(|(w, d)| w * d).sum();
            slopes.iter_mut().zip(weights).for_each(|(slope, w)| *slope = w * (*slope - mean));
            if self.scores {
                slopes.iter_mut().zip(&dy[v..]).for_each(|(slope, d)| *slope += d);
            }
        }
        let each = |k: usize| k * cells..(k + 1) * cells;
        if let Some((_, _, _, dx)) = cx.split_zeroed(0) {
            for (k, row) in self.dx[0].rows(n).enumerate() {
                let keys = &key[k / steps * self.x[1].len()..][..self.x[1].len()];
                let slopes = self.slopes[each(k)].chunks_exact(width);
                for (cells, slopes) in self.x[1].rows(1).zip(slopes) {
                    mix(level, scale, slopes, &keys[cells], &mut dx[row.clone()]);
                }
            }
        }
        if let Some((_, _, _, dx)) = cx.split_zeroed(1) {
            let map = self.dx[1];
            for (k, row) in self.x[0].rows(n).enumerate() {
                let keys = &mut dx[k / steps * map.len()..][..map.len()];
                for (cells, slopes) in map.rows(1).zip(self.slopes[each(k)].chunks_exact(width)) {
                    spread(level, scale, slopes, &query[row.clone()], &mut keys[cells]);
                }
            }
        }
        if let Some((_, _, dy, dx)) = cx.split_zeroed(2) {
            let map = self.dx[2];
            for (k, row) in self.dy.rows(n).enumerate() {
                let values = &mut dx[k / steps * map.len()..][..map.len()];
                for (cells, weights) in map.rows(1).zip(self.weights[each(k)].chunks_exact(width)) {
                    spread(level, 1.0, weights, &dy[row.clone()][..v], &mut values[cells]);
                }
            }
        }
    }
}
