//! The computation of a convolution that has one filter for each channel; the layer is [`super::conv::Conv`].

use crate::kernel::depthwise::Depthwise;
use crate::kernel::reduce::column_sums;
use crate::nn::layer::{Backward, Forward, Io, Op};
use crate::shape::Window;
use crate::tensor::Map;
use std::ops::Range;

/// A planned depthwise convolution.
pub(super) struct DepthwiseOp {
    kernel: Depthwise,
    packed: u64,
    weight: Range<usize>,
    bias: Option<Range<usize>>,
    relu: bool,
    learns: bool,
    dy: Map,
}

impl DepthwiseOp {
    pub(super) fn new(window: Window, io: &Io) -> Self {
        let dy = io.gradients.as_ref().map(|(_, dy)| *dy);
        let dx = io.gradients.as_ref().filter(|_| io.wants[0]).map(|(dx, _)| dx[0]);
        Self {
            kernel: Depthwise::new(window, io.x[0], io.y, dx, dy),
            packed: 0,
            weight: io.params[0].clone(),
            bias: io.params.get(1).cloned(),
            relu: io.relu,
            learns: io.learns,
            dy: dy.unwrap_or(io.y),
        }
    }

    fn pack(&mut self, (values, version): (&[f32], u64)) {
        if self.packed != version {
            self.kernel.pack(&values[self.weight.clone()]);
            self.packed = version;
        }
    }
}

impl Op for DepthwiseOp {
    fn forward(&mut self, cx: Forward<'_>) {
        self.pack(cx.params);
        let bias = self.bias.clone().map(|b| &cx.params.0[b]);
        self.kernel.run(cx.level, cx.n, cx.x(0), bias, self.relu, cx.y);
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        self.pack(cx.params);
        let (level, n) = (cx.level, cx.n);
        if self.learns {
            if let Some(bias) = self.bias.clone() {
                column_sums(level, (cx.dy, &self.dy), n, &mut cx.dparams[bias]);
            }
            let x = cx.inputs[0].of(cx.slots, n);
            self.kernel.weight_gradient(level, n, x, cx.dy, &mut cx.dparams[self.weight.clone()]);
        }
        if let Some((_, _, dy, dx, first)) = cx.split(0) {
            self.kernel.input_gradient(level, n, dy, !first, dx);
        }
    }
}
