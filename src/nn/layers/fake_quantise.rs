//! Values rounded to few levels whose width is learnt: what a layer with few bits will read, while it learns to.
//! Esser et al. 2020 (LSQ); the step's logarithm is the parameter, as of Jain et al. 2020 (TQT), so that Adam's steps, which know
//! nothing of a parameter's size, fit it.

use crate::error::{Error, Result};
use crate::kernel::quantise::{self, Levels};
use crate::nn::description::Setting;
use crate::nn::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::nn::params::{Role, View};
use crate::shape::Shape;
use crate::tensor::Map;
use std::ops::Range;

/// `step · round(x / step)` within the levels of so many bits.
///
/// Parameter: `log_step`, the step's logarithm to the base 2. Its gradient is divided by √(numbers of an image · highest level),
/// as the paper has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FakeQuantise {
    /// 1 to 8.
    pub bits: usize,
    /// Whether there are levels below 0.
    pub signed: bool,
    /// What the step begins at.
    pub step: f32,
}

impl FakeQuantise {
    /// The levels.
    pub fn levels(&self) -> Levels {
        Levels::of(self.bits, self.signed)
    }
}

impl Layer for FakeQuantise {
    fn kind(&self) -> &'static str {
        "fake_quantise"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        let Self { bits, signed, step } = *self;
        vec![("bits", Setting::Size(bits)), ("signed", Setting::Flag(signed)), ("step", Setting::Number(step))]
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let least = if self.signed { 2 } else { 1 };
        if !(least..=8).contains(&self.bits) {
            return Err(Error::value("quantiser", format!("{least} to 8 bits"), self.bits));
        }
        if !(1e-6..=1e3).contains(&self.step) {
            return Err(Error::value("quantiser", "a step from 0.000001 to 1000", self.step));
        }
        Ok(inputs[0])
    }

    fn params(&self, _inputs: &[Shape], _flat: Shape) -> Vec<View> {
        vec![View::constant("log_step", vec![1], Role::Scale, libm::log2f(self.step))]
    }

    fn flat(&self, input: Shape) -> Option<Shape> {
        Some(input)
    }

    fn reads(&self) -> Reads {
        Reads { input: true, output: false }
    }

    fn formula(&self, _inputs: &[Shape]) -> String {
        let Levels { lo, hi } = self.levels();
        format!("s · round(x / s), from {lo} s to {hi} s")
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (dx, dy) = io.gradients.as_ref().map_or((io.x[0], io.y), |(dx, dy)| (dx[0], *dy));
        let maps = [io.x[0], io.y, dx, dy];
        Box::new(FakeOp { levels: self.levels(), maps, step: io.params[0].clone(), learns: io.learns })
    }
}

struct FakeOp {
    levels: Levels,
    /// Input, output, and the gradients of both.
    maps: [Map; 4],
    step: Range<usize>,
    learns: bool,
}

impl Op for FakeOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let ([xmap, ymap, ..], step) = (self.maps, libm::exp2f(cx.params.0[self.step.start]));
        let x = cx.x(0);
        for (from, to) in xmap.rows(cx.n).zip(ymap.rows(cx.n)) {
            quantise::fake(cx.level, self.levels, step, &x[from], &mut cx.y[to]);
        }
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let ([xmap, _, dxmap, dymap], levels) = (self.maps, self.levels);
        let (level, n, step) = (cx.level, cx.n, libm::exp2f(cx.params.0[self.step.start]));
        if self.learns {
            let x = cx.inputs[0].of(cx.slots, n);
            let rows = xmap.rows(n).zip(dymap.rows(n));
            let sum: f64 = rows.map(|(x_at, dy)| quantise::step_gradient(levels, step, &x[x_at], &cx.dy[dy])).sum();
            cx.dparams[self.step.start] += log_gradient(sum, step, xmap.shape.len(), levels);
        }
        if let Some((x, _, dy, dx)) = cx.split_zeroed(0) {
            for ((x_at, dy_at), dx_at) in xmap.rows(n).zip(dymap.rows(n)).zip(dxmap.rows(n)) {
                quantise::fake_backward(level, levels, step, &x[x_at], &dy[dy_at], &mut dx[dx_at]);
            }
        }
    }
}

/// The gradient of a step's logarithm, given the step's own, over so many numbers.
pub(super) fn log_gradient(sum: f64, step: f32, numbers: usize, levels: Levels) -> f32 {
    let scale = 1.0 / libm::sqrt(numbers as f64 * f64::from(levels.hi));
    (sum * f64::from(step) * std::f64::consts::LN_2 * scale) as f32
}
