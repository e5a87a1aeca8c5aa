//! PReLU: a leaky ReLU whose slope is learnt. He et al. 2015.

use crate::error::Result;
use crate::kernel::prelu;
use crate::nn::description::Setting;
use crate::nn::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::nn::params::{Order, Role, View};
use crate::shape::Shape;
use crate::tensor::Map;
use std::ops::Range;

/// `x`, times a learnt slope where negative.
///
/// Parameters: `weight`, one slope for each channel, or one for all. It begins at 0.25.
#[derive(Debug, Clone, Copy)]
pub struct Prelu {
    /// Whether all channels share one slope, PyTorch's default.
    pub shared: bool,
}

impl Layer for Prelu {
    fn kind(&self) -> &'static str {
        "prelu"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        vec![("shared", Setting::Flag(self.shared))]
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0])
    }

    fn params(&self, inputs: &[Shape], flat: Shape) -> Vec<View> {
        if self.shared {
            return vec![View::constant("weight", vec![1], Role::Scale, 0.25)];
        }
        let slopes = View::constant("weight", vec![inputs[0].c], Role::Scale, 0.25);
        vec![View { order: Order::channels(inputs[0], flat), ..slopes }]
    }

    fn flat(&self, input: Shape) -> Option<Shape> {
        Some(input)
    }

    fn reads(&self) -> Reads {
        Reads { input: true, output: false }
    }

    fn formula(&self, _inputs: &[Shape]) -> String {
        "x, or a learnt slope times x below 0".into()
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (dx, dy) = io.gradients.as_ref().map_or((io.x[0], io.y), |(dx, dy)| (dx[0], *dy));
        let c = io.y.shape.c;
        Box::new(PreluOp {
            maps: [io.x[0], io.y, dx, dy],
            weight: io.params[0].clone(),
            learns: io.learns,
            slopes: vec![0.0; c],
            line: vec![0.0; c],
            sums: vec![0.0; c],
        })
    }
}

struct PreluOp {
    /// Input, output, and the gradients of both.
    maps: [Map; 4],
    weight: Range<usize>,
    learns: bool,
    /// One for each channel, shared or not.
    slopes: Vec<f32>,
    line: Vec<f32>,
    sums: Vec<f64>,
}

impl PreluOp {
    fn spread(&mut self, values: &[f32]) {
        let weight = values[self.weight.clone()].iter().cycle();
        self.slopes.iter_mut().zip(weight).for_each(|(slope, weight)| *slope = *weight);
    }
}

impl Op for PreluOp {
    fn forward(&mut self, cx: Forward<'_>) {
        self.spread(cx.params.0);
        prelu::prelu(cx.level, &self.slopes, (cx.x(0), &self.maps[0]), (cx.y, &self.maps[1]), cx.n);
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        self.spread(cx.params.0);
        let (level, n, [map, _, dxmap, dymap]) = (cx.level, cx.n, self.maps);
        if self.learns {
            let x = cx.inputs[0].of(cx.slots, n);
            self.sums.fill(0.0);
            prelu::slope_gradient(level, (x, &map), (cx.dy, &dymap), n, &mut self.line, &mut self.sums);
            let dweight = &mut cx.dparams[self.weight.clone()];
            let slopes = dweight.len();
            for (c, sum) in self.sums.iter().enumerate() {
                dweight[c % slopes] += *sum as f32;
            }
        }
        if let Some((x, _, dy, dx)) = cx.split_zeroed(0) {
            prelu::prelu_backward(level, &self.slopes, (x, &map), (dy, &dymap), (dx, &dxmap), n);
        }
    }
}
