//! Convolution: `y[o] = Σ x·w[o] + b[o]` over a window that slides. LeCun et al. 1998.

use super::depthwise::DepthwiseOp;
use crate::error::{Error, Result};
use crate::kernel::conv::{self, Geometry, InputGradient, WeightGradient};
use crate::kernel::gemm::Store;
use crate::kernel::reduce::column_sums;
use crate::nn::description::{Setting, window_options};
use crate::nn::layer::{Backward, Forward, Io, Layer, Op};
use crate::nn::params::{Order, Role, View};
use crate::shape::{Shape, Window};
use std::ops::Range;

/// A convolution with `out` filters.
///
/// Parameters: `weight` (OIHW: out × in/groups × kh × kw) and, if asked, `bias` (out).
#[derive(Debug, Clone, Copy)]
pub struct Conv {
    /// Filters.
    pub out: usize,
    /// The sliding window.
    pub window: Window,
    /// Groups; input and output channels are split into that many independent convolutions.
    pub groups: usize,
    /// Whether a bias is added.
    pub bias: bool,
}

impl Conv {
    /// `out` filters of `k × k`, stride 1, no padding, one group, with bias.
    pub const fn new(out: usize, k: usize) -> Self {
        Self { out, window: Window::square(k), groups: 1, bias: true }
    }

    /// The same with this stride on both axes.
    pub const fn stride(mut self, s: usize) -> Self {
        self.window = self.window.stride(s);
        self
    }

    /// The same with this padding on both axes.
    pub const fn pad(mut self, p: usize) -> Self {
        self.window = self.window.pad(p);
        self
    }

    /// The same with this dilation on both axes.
    pub const fn dilation(mut self, d: usize) -> Self {
        self.window = self.window.dilation(d);
        self
    }

    /// The same in `groups` groups.
    pub const fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }
}

impl Layer for Conv {
    fn kind(&self) -> &'static str {
        "conv"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        let mut options = vec![("out", Setting::Size(self.out))];
        options.extend(window_options(&self.window));
        options.extend([("groups", Setting::Size(self.groups)), ("bias", Setting::Flag(self.bias))]);
        options
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let x = inputs[0];
        if self.out == 0
            || self.groups == 0
            || !x.c.is_multiple_of(self.groups)
            || !self.out.is_multiple_of(self.groups)
        {
            let expected = format!("channels ({} in, {} out) that are multiples of the groups", x.c, self.out);
            return Err(Error::shape("convolution", expected, format!("{} groups", self.groups)));
        }
        let (h, w) = self.window.output(x.h, x.w)?;
        Ok(Shape::new(self.out, h, w))
    }

    fn params(&self, inputs: &[Shape], _flat: Shape) -> Vec<View> {
        let (c, (kh, kw)) = (inputs[0].c / self.groups, self.window.kernel);
        let shape = vec![self.out, c, kh, kw];
        let (fan_in, fan_out) = (c * kh * kw, self.out / self.groups * kh * kw);
        weight_and_bias(shape, fan_in, fan_out, Order::Conv { groups: self.groups }, self.bias)
    }

    fn halo(&self) -> (usize, usize) {
        self.window.pad
    }

    fn gradient_halo(&self, inputs: &[Shape]) -> (usize, usize) {
        let y = self.output(inputs).expect("inferred when it was wired");
        Geometry::gradient_halo(&self.window, (inputs[0].h, inputs[0].w), (y.h, y.w))
    }

    fn fuses_relu(&self) -> bool {
        true
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        size_formula(&self.window, inputs[0])
    }

    fn multiply_adds(&self, inputs: &[Shape]) -> u64 {
        let y = self.output(inputs).expect("inferred when it was wired");
        let window = inputs[0].c / self.groups * self.window.kernel.0 * self.window.kernel.1;
        y.len() as u64 * window as u64
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        if self.groups == io.x[0].shape.c && self.groups == self.out && self.groups > 1 {
            return Box::new(DepthwiseOp::new(self.window, io));
        }
        Box::new(ConvOp::new(self.window, self.groups, io))
    }
}

/// The views of a layer with a weight and perhaps a bias.
pub(super) fn weight_and_bias(shape: Vec<usize>, fan_in: usize, fan_out: usize, order: Order, bias: bool) -> Vec<View> {
    let out = shape[0];
    let bias = bias.then(|| View::constant("bias", vec![out], Role::Bias, 0.0));
    std::iter::once(View::weight(shape, fan_in, fan_out, order)).chain(bias).collect()
}

/// The output-size formula with a window's numbers filled in; one axis if both are alike.
pub(super) fn size_formula(window: &Window, x: Shape) -> String {
    let axis = |n: usize, k: usize, s: usize, p: usize, d: usize| {
        let reach = if d == 1 { format!("{k}") } else { format!("({d}·({k} − 1) + 1)") };
        let out = crate::shape::output_size(n, k, s, p, d).unwrap_or(0);
        format!("({n} + 2·{p} − {reach}) / {s} + 1 = {out}")
    };
    let Window { kernel, stride, pad, dilation } = *window;
    let rows = axis(x.h, kernel.0, stride.0, pad.0, dilation.0);
    let columns = axis(x.w, kernel.1, stride.1, pad.1, dilation.1);
    if rows == columns { rows } else { format!("{rows}; {columns}") }
}

/// A planned convolution.
pub(super) struct ConvOp {
    forward: conv::Forward,
    packed: u64,
    /// The input's gradient, if it is wanted, with the version of its packed weights.
    input_gradient: Option<(InputGradient, u64)>,
    /// The gradients of its parameters, unless it is frozen.
    weight_gradient: Option<WeightGradient>,
    weight: Range<usize>,
    bias: Option<Range<usize>>,
    relu: bool,
    /// By minimal filtering, and its input's gradient lies as its input does.
    passes_relu: bool,
    dy: crate::tensor::Map,
    workspace: usize,
}

impl ConvOp {
    pub(super) fn new(window: Window, groups: usize, io: &Io) -> Self {
        let geometry = |x, y| Geometry { window, groups, x, y };
        let gradients = io.gradients.as_ref();
        let input_gradient = gradients.filter(|_| io.wants[0]).map(|(dx, dy)| {
            let gradient = InputGradient::new(io.level, geometry(dx[0], *dy), io.batch);
            (gradient, 0)
        });
        let weight_gradient = gradients
            .filter(|_| io.learns)
            .map(|(_, dy)| WeightGradient::new(io.level, geometry(io.x[0], *dy), io.batch));
        let forward = conv::Forward::new(io.level, geometry(io.x[0], io.y), io.batch);
        let filters = matches!(input_gradient, Some((InputGradient::Winograd(_), _)));
        let passes_relu = filters && gradients.is_some_and(|(dx, _)| dx[0] == io.x[0]);
        let back = input_gradient.as_ref().map_or(0, |(dx, _)| dx.workspace());
        let back = weight_gradient.as_ref().map_or(0, |dw| dw.workspace(io.level)).max(back);
        Self {
            workspace: forward.workspace().max(back),
            forward,
            packed: 0,
            input_gradient,
            weight_gradient,
            weight: io.params[0].clone(),
            bias: io.params.get(1).cloned(),
            relu: io.relu,
            passes_relu,
            dy: io.gradients.as_ref().map_or(io.y, |(_, dy)| *dy),
        }
    }
}

impl Op for ConvOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let (values, version) = cx.params;
        if self.packed != version {
            self.forward.pack(cx.level, &values[self.weight.clone()]);
            self.packed = version;
        }
        let store = Store::Set { bias: self.bias.clone().map(|b| &values[b]), relu: self.relu };
        self.forward.run(cx.level, cx.n, cx.x(0), store, cx.y, cx.work);
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let (values, version) = cx.params;
        let work = std::mem::take(&mut cx.work);
        if let Some(weight_gradient) = &self.weight_gradient {
            if let Some(bias) = self.bias.clone() {
                column_sums(cx.level, (cx.dy, &self.dy), cx.n, &mut cx.dparams[bias]);
            }
            let x = cx.inputs[0].of(cx.slots, cx.n);
            weight_gradient.run(cx.level, cx.n, x, cx.dy, &mut cx.dparams[self.weight.clone()], work);
        }
        let (level, n) = (cx.level, cx.n);
        if let (Some((gradient, packed)), Some((_, _, dy, dx, store))) = (&mut self.input_gradient, cx.split_store()) {
            if *packed != version {
                gradient.pack(level, &values[self.weight.clone()]);
                *packed = version;
            }
            gradient.run(level, n, dy, store, dx, work);
        }
    }

    fn passes_relu(&self) -> bool {
        self.passes_relu
    }

    fn workspace(&self) -> usize {
        self.workspace
    }
}
