//! Transposed convolution: the map that a convolution's input gradient is, as a layer of its own; it makes maps larger.
//! Zeiler et al. 2010.
//!
//! So its forward pass is the input gradient of a convolution that goes the other way, and its own input gradient is that
//! convolution's forward pass: there is no kernel of its own.

use crate::error::{Error, Result};
use crate::kernel::conv::{self, Geometry, InputGradient, WeightGradient};
use crate::kernel::gemm::Store;
use crate::kernel::reduce::column_sums;
use crate::nn::description::{Setting, window_options};
use crate::nn::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::nn::params::{Order, Role, View};
use crate::shape::{Shape, Window};
use crate::tensor::Map;
use std::ops::Range;

/// A transposed convolution with `out` output channels.
///
/// Parameters: `weight` (in × out × kh × kw, as PyTorch has it) and, if asked, `bias` (out).
#[derive(Debug, Clone, Copy)]
pub struct ConvTranspose {
    /// Output channels.
    pub out: usize,
    /// The window of the convolution that goes the other way.
    pub window: Window,
    /// Rows and columns added at the far ends, fewer than the stride: several inputs sizes would convolve to one.
    pub output_pad: (usize, usize),
    /// Whether a bias is added.
    pub bias: bool,
}

impl ConvTranspose {
    /// `out` channels from windows of `k × k`, stride 1, with bias.
    pub const fn new(out: usize, k: usize) -> Self {
        Self { out, window: Window::square(k), output_pad: (0, 0), bias: true }
    }
}

impl Layer for ConvTranspose {
    fn kind(&self) -> &'static str {
        "conv_transpose"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        let ends = [("output_pad", Setting::Axes(self.output_pad)), ("bias", Setting::Flag(self.bias))];
        [("out", Setting::Size(self.out))].into_iter().chain(window_options(&self.window)).chain(ends).collect()
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let Window { kernel, stride, pad, dilation } = self.window;
        let axis = |n: usize, k: usize, s: usize, p: usize, d: usize, more: usize| {
            let last = n.checked_sub(1)?.checked_mul(s)?;
            let reach = d.checked_mul(k.checked_sub(1)?)?.checked_add(1)?;
            last.checked_add(reach)?.checked_add(more)?.checked_sub(2 * p).filter(|n| *n > 0 && more < s && d > 0)
        };
        let x = inputs[0];
        let h = axis(x.h, kernel.0, stride.0, pad.0, dilation.0, self.output_pad.0);
        let w = axis(x.w, kernel.1, stride.1, pad.1, dilation.1, self.output_pad.1);
        match (h, w) {
            (Some(h), Some(w)) if self.out > 0 => Ok(Shape::new(self.out, h, w)),
            _ => {
                let expected = "a kernel that is left over by the padding, and less output padding than stride";
                Err(Error::shape("transposed convolution", expected, format!("{:?} over {x}", self.window)))
            }
        }
    }

    fn params(&self, inputs: &[Shape], _flat: Shape) -> Vec<View> {
        let (c, Window { kernel: (kh, kw), stride, .. }) = (inputs[0].c, self.window);
        let fan_in = (c * kh * kw / (stride.0 * stride.1)).max(1);
        let weight = View::weight(vec![c, self.out, kh, kw], fan_in, self.out * kh * kw, Order::Conv { groups: 1 });
        let bias = self.bias.then(|| View::constant("bias", vec![self.out], Role::Bias, 0.0));
        std::iter::once(weight).chain(bias).collect()
    }

    fn halo(&self) -> (usize, usize) {
        // As far as a convolution's input gradient looks beyond its output; the same for every size.
        let axis = |k: usize, s: usize, p: usize, d: usize| (d * k.saturating_sub(1)).saturating_sub(p).div_ceil(s);
        let Window { kernel, stride, pad, dilation } = self.window;
        (axis(kernel.0, stride.0, pad.0, dilation.0), axis(kernel.1, stride.1, pad.1, dilation.1))
    }

    fn gradient_halo(&self, _inputs: &[Shape]) -> (usize, usize) {
        self.window.pad
    }

    fn parameters_read_halo(&self) -> bool {
        true
    }

    fn reads(&self) -> Reads {
        Reads { input: true, output: false }
    }

    fn fuses_relu(&self) -> bool {
        true
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        let Window { kernel, stride, pad, .. } = self.window;
        let (x, more) = (inputs[0], self.output_pad.0);
        let y = self.output(inputs).map_or(0, |y| y.h);
        format!("({} − 1) · {} − 2·{} + {} + {more} = {y}", x.h, stride.0, pad.0, kernel.0)
    }

    fn multiply_adds(&self, inputs: &[Shape]) -> u64 {
        (inputs[0].len() * self.out * self.window.kernel.0) as u64 * self.window.kernel.1 as u64
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        // The convolution's input is this layer's output.
        let geometry = |x, y| Geometry { window: self.window, groups: 1, x, y };
        let forward = InputGradient::new(io.level, geometry(io.y, io.x[0]), io.batch);
        let gradients = io.gradients.as_ref();
        let input_gradient = gradients
            .filter(|_| io.wants[0])
            .map(|(dx, dy)| conv::Forward::new(io.level, geometry(*dy, dx[0]), io.batch));
        let weight_gradient = gradients
            .filter(|_| io.learns)
            .map(|(_, dy)| WeightGradient::new(io.level, geometry(*dy, io.x[0]), io.batch));
        let back = input_gradient.as_ref().map_or(0, |dx| dx.workspace());
        let back = weight_gradient.as_ref().map_or(0, |dw| dw.workspace(io.level)).max(back);
        Box::new(ConvTransposeOp {
            workspace: forward.workspace().max(back),
            forward,
            input_gradient,
            weight_gradient,
            packed: [0; 2],
            weight: io.params[0].clone(),
            bias: io.params.get(1).cloned(),
            relu: io.relu,
            dy: io.gradients.as_ref().map_or(io.y, |(_, dy)| *dy),
        })
    }
}

struct ConvTransposeOp {
    forward: InputGradient,
    /// Of its input and of its parameters, where they are wanted.
    input_gradient: Option<conv::Forward>,
    weight_gradient: Option<WeightGradient>,
    /// The version of the parameters that each of the two passes has packed.
    packed: [u64; 2],
    weight: Range<usize>,
    bias: Option<Range<usize>>,
    relu: bool,
    dy: Map,
    workspace: usize,
}

impl Op for ConvTransposeOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let (values, version) = cx.params;
        if self.packed[0] != version {
            self.forward.pack(cx.level, &values[self.weight.clone()]);
            self.packed[0] = version;
        }
        let store = Store::Set { bias: self.bias.clone().map(|b| &values[b]), relu: self.relu };
        self.forward.run(cx.level, cx.n, cx.x(0), store, cx.y, cx.work);
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let ((values, version), level, n) = (cx.params, cx.level, cx.n);
        let work = std::mem::take(&mut cx.work);
        if let Some(weights) = &self.weight_gradient {
            if let Some(bias) = self.bias.clone() {
                column_sums(level, (cx.dy, &self.dy), n, &mut cx.dparams[bias]);
            }
            let x = cx.inputs[0].of(cx.slots, n);
            weights.run(level, n, cx.dy, x, &mut cx.dparams[self.weight.clone()], work);
        }
        if let (Some(input), Some((_, _, dy, dx, first))) = (&mut self.input_gradient, cx.split(0)) {
            if self.packed[1] != version {
                input.pack(level, &values[self.weight.clone()]);
                self.packed[1] = version;
            }
            input.run(level, n, dy, if first { Store::SET } else { Store::Add }, dx, work);
        }
    }

    fn workspace(&self) -> usize {
        self.workspace
    }
}
