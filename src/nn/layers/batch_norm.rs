//! Batch normalisation. Ioffe and Szegedy 2015, with PyTorch's conventions.
//!
//! While training, the statistics are those of the images that one run sees: of a shard, where a batch is cut into
//! shards. They reach the running ones by way of the gradient arena, so that shards need no other channel; see
//! [`crate::nn::params::Role::Statistic`]. Inference reads the running ones, and [`crate::nn::fold`] can work them into the
//! convolution before.

use crate::error::{Error, Result};
use crate::kernel::norm::{self, Slopes};
use crate::nn::description::Setting;
use crate::nn::layer::{Backward, Forward, Io, Layer, Mode, Op, Reads};
use crate::nn::params::{Order, Role, View};
use crate::shape::Shape;
use crate::tensor::Map;
use std::ops::Range;

/// Each channel with mean 0 and variance 1 over batch and pixels, then scaled and shifted.
///
/// Parameters: `weight`, `bias`, `running_mean`, `running_var`, each with one number for each channel. The running
/// variance is the unbiased one.
#[derive(Debug, Clone, Copy)]
pub struct BatchNorm {
    /// Added to the variance.
    pub eps: f32,
    /// How much a new batch counts in the running statistics.
    pub momentum: f32,
}

impl Default for BatchNorm {
    /// PyTorch's: ε 10⁻⁵, momentum 0.1.
    fn default() -> Self {
        Self { eps: 1e-5, momentum: 0.1 }
    }
}

impl Layer for BatchNorm {
    fn kind(&self) -> &'static str {
        "batch_norm"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        vec![("eps", Setting::Number(self.eps)), ("momentum", Setting::Number(self.momentum))]
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        if !(self.eps > 0.0 && (0.0..=1.0).contains(&self.momentum)) {
            let got = format!("eps {}, momentum {}", self.eps, self.momentum);
            return Err(Error::value("batch norm", "eps above 0 and a momentum from 0 to 1", got));
        }
        Ok(inputs[0])
    }

    fn params(&self, inputs: &[Shape], flat: Shape) -> Vec<View> {
        let (shape, order) = (vec![inputs[0].c], Order::channels(inputs[0], flat));
        let view = |name, role, start| View { order, ..View::constant(name, shape.clone(), role, start) };
        vec![
            view("weight", Role::Scale, 1.0),
            view("bias", Role::Bias, 0.0),
            view("running_mean", Role::Statistic(self.momentum), 0.0),
            view("running_var", Role::Statistic(self.momentum), 1.0),
        ]
    }

    fn flat(&self, input: Shape) -> Option<Shape> {
        Some(input)
    }

    fn reads(&self) -> Reads {
        Reads { input: true, output: false }
    }

    fn fuses_relu(&self) -> bool {
        true
    }

    fn formula(&self, _inputs: &[Shape]) -> String {
        "(x − mean) / √(variance + ε) · γ + β".into()
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (dx, dy) = io.gradients.as_ref().map_or((io.x[0], io.y), |(dx, dy)| (dx[0], *dy));
        let c = io.y.shape.c;
        let [mean, inverse, gain, slope, shift, line] = std::array::from_fn(|_| vec![0.0; c]);
        Box::new(BatchNormOp {
            eps: f64::from(self.eps),
            maps: [io.x[0], io.y, dx, dy],
            params: std::array::from_fn(|i| io.params[i].clone()),
            relu: io.relu,
            learns: io.learns,
            variance: vec![0.0; c],
            sums: [vec![0.0; c], vec![0.0; c]],
            mean,
            inverse,
            gain,
            slope,
            shift,
            line,
        })
    }
}

struct BatchNormOp {
    eps: f64,
    /// Input, output, and the gradients of both.
    maps: [Map; 4],
    /// Weight, bias, running mean, running variance.
    params: [Range<usize>; 4],
    relu: bool,
    learns: bool,
    /// Unbiased, of the last run that learnt.
    variance: Vec<f64>,
    sums: [Vec<f64>; 2],
    mean: Vec<f32>,
    /// `1 / √(variance + ε)`.
    inverse: Vec<f32>,
    gain: Vec<f32>,
    slope: Vec<f32>,
    shift: Vec<f32>,
    line: Vec<f32>,
}

impl BatchNormOp {
    /// Numbers that a channel's statistics are taken over.
    fn count(&self, n: usize) -> f64 {
        (n * self.maps[0].shape.h * self.maps[0].shape.w) as f64
    }

    /// Mean and variance of this run's images.
    fn measure(&mut self, cx: &Forward<'_>) {
        let count = self.count(cx.n);
        let (x, [sums, squares]) = ((cx.x(0), &self.maps[0]), &mut self.sums);
        sums.fill(0.0);
        norm::sums(cx.level, x, cx.n, &mut self.line, sums);
        for (mean, sum) in self.mean.iter_mut().zip(sums) {
            *mean = (*sum / count) as f32;
        }
        squares.fill(0.0);
        norm::squares(cx.level, x, &self.mean, cx.n, &mut self.line, squares);
        for ((inverse, variance), sum) in self.inverse.iter_mut().zip(&mut self.variance).zip(squares) {
            *inverse = (1.0 / (*sum / count + self.eps).sqrt()) as f32;
            *variance = *sum / (count - 1.0).max(1.0);
        }
    }

    fn remember(&mut self, values: &[f32]) {
        let [_, _, mean, variance] = self.params.clone();
        self.mean.copy_from_slice(&values[mean]);
        for (inverse, &variance) in self.inverse.iter_mut().zip(&values[variance]) {
            *inverse = (1.0 / (f64::from(variance) + self.eps).sqrt()) as f32;
        }
    }
}

impl Op for BatchNormOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let (values, _) = cx.params;
        match cx.mode {
            Mode::Train { .. } => self.measure(&cx),
            Mode::Infer => self.remember(values),
        }
        let [weight, bias, ..] = self.params.clone();
        for ((gain, inverse), weight) in self.gain.iter_mut().zip(&self.inverse).zip(&values[weight]) {
            *gain = inverse * weight;
        }
        let x = (cx.x(0), &self.maps[0]);
        norm::normalise(cx.level, x, &self.mean, &self.gain, &values[bias], self.relu, (cx.y, &self.maps[1]), cx.n);
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let (level, n, count) = (cx.level, cx.n, self.count(cx.n));
        let [map, _, dxmap, dymap] = self.maps;
        let [sums, products] = &mut self.sums;
        sums.fill(0.0);
        norm::sums(level, (cx.dy, &dymap), n, &mut self.line, sums);
        products.fill(0.0);
        let x = cx.inputs[0].of(cx.slots, n);
        norm::products(level, (x, &map), &self.mean, (cx.dy, &dymap), n, &mut self.line, products);
        let train = matches!(cx.mode, Mode::Train { .. });
        let [weight, bias, mean, variance] = self.params.clone().map(|range| range.start);
        for c in 0..self.mean.len() {
            let (inverse, gain) = (f64::from(self.inverse[c]), f64::from(self.gain[c]));
            if self.learns {
                cx.dparams[weight + c] += (products[c] * inverse) as f32;
                cx.dparams[bias + c] += sums[c] as f32;
            }
            // Through the batch's own mean and variance; running ones are constants.
            let through = if train { gain / count } else { 0.0 };
            self.slope[c] = (-through * inverse * inverse * products[c]) as f32;
            self.shift[c] = (-through * sums[c]) as f32;
            if train && self.learns {
                cx.dparams[mean + c] += n as f32 * self.mean[c];
                cx.dparams[variance + c] += (n as f64 * self.variance[c]) as f32;
            }
        }
        if let Some((x, _, dy, dx, first)) = cx.split(0) {
            let slopes = Slopes { mean: &self.mean, gain: &self.gain, slope: &self.slope, shift: &self.shift };
            norm::normalise_backward(level, (x, &map), slopes, (dy, &dymap), (dx, &dxmap), !first, n);
        }
    }
}
