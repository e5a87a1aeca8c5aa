//! The computation of every loss: its value and slopes in the forward pass, the slopes times the seed in the backward one.

use crate::kernel::{Level, act};
use crate::nn::layer::{Backward, Forward, Io, Op};
use crate::tensor::Map;

/// What a loss computes over pixels of so many channels: adds its terms of scores against targets to a sum, and writes their
/// slopes. A value, not a choice among all: a module has the losses that its networks use.
pub(super) type Function = Box<dyn Fn(Level, f64, [&[f32]; 2], usize, &mut [f32]) -> f64 + Send>;

pub(super) struct LossOp {
    function: Function,
    /// Scores, targets and weights.
    x: Vec<Map>,
    dx: Map,
    dy: Map,
    /// The slope at every score of the last forward run, dense.
    slopes: Vec<f32>,
}

impl LossOp {
    pub(super) fn new(function: Function, io: &Io) -> Self {
        let (dx, dy) = io.gradients.as_ref().map_or((io.x[0], io.y), |(dx, dy)| (dx[0], *dy));
        let slopes = vec![0.0; io.batch * io.x[0].shape.len()];
        Self { function, x: io.x.clone(), dx, dy, slopes }
    }

    /// One row of pixels: without weights at once, with weights pixel by pixel or number by number.
    fn line(&self, level: Level, sum: f64, [x, t]: [&[f32]; 2], weights: Option<&[f32]>, slope: &mut [f32]) -> f64 {
        let c = self.x[0].shape.c;
        let Some(weights) = weights else { return (self.function)(level, sum, [x, t], c, slope) };
        // As many numbers as have one weight, of the scores and of the targets.
        let (each, of) = (x.len() / weights.len(), t.len() / weights.len());
        let parts = x.chunks_exact(each).zip(t.chunks_exact(of)).zip(slope.chunks_exact_mut(each)).zip(weights);
        parts.fold(sum, |sum, (((x, t), slope), &weight)| {
            // A weight of 0 hides what is no number, too.
            if weight == 0.0 {
                slope.fill(0.0);
                return sum;
            }
            let value = (self.function)(level, 0.0, [x, t], c, slope);
            slope.iter_mut().for_each(|slope| *slope *= weight);
            sum + f64::from(weight) * value
        })
    }
}

impl Op for LossOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let (rows, len) = (self.x[0].shape.h, self.x[0].shape.w * self.x[0].shape.c);
        let mut slopes = std::mem::take(&mut self.slopes);
        let [x, t] = [0, 1].map(|i| self.x[i].rows(cx.n));
        let mut weights = self.x.get(2).map(|map| map.rows(cx.n));
        let (mut sum, mut before) = (0.0, 0.0);
        for (k, ((x, t), slope)) in x.zip(t).zip(slopes.chunks_exact_mut(len)).enumerate() {
            let weight = weights.as_mut().and_then(Iterator::next).map(|row| &cx.x(2)[row]);
            sum = self.line(cx.level, sum, [&cx.x(0)[x], &cx.x(1)[t]], weight, slope);
            if (k + 1) % rows == 0 {
                let i = k / rows;
                cx.y[i * (cx.y.len() / cx.n)] = (sum - before) as f32;
                before = sum;
            }
        }
        *cx.total = sum;
        self.slopes = slopes;
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let (level, n, rows) = (cx.level, cx.n, self.x[0].shape.h);
        let len = self.x[0].shape.w * self.x[0].shape.c;
        let each = self.dy.len();
        let Some((_, _, dy, dx)) = cx.split_zeroed(0) else { return };
        for (k, (row, slope)) in self.dx.rows(n).zip(self.slopes.chunks_exact(len)).enumerate() {
            act::add_scaled(level, &mut dx[row], slope, dy[k / rows * each]);
        }
    }
}
