//! Convolution over volumes, such as the slices of a computed tomography: the window slides along depth, too. Ji et al.
//! 2010; Tran et al. 2015.
//!
//! A volume of `slices × h × w` with `c` channels travels on a wire as an image of `slices · c` channels, slice by slice:
//! PyTorch's N × C × D × H × W with C and D exchanged and joined. A stack of grey slices is that already. Layers that
//! look at single numbers or within a slice, activations and pooling, work on it as they are.

use super::conv::{size_formula, weight_and_bias};
use crate::error::{Error, Result};
use crate::kernel::conv::Geometry;
use crate::kernel::gemm::Store;
use crate::kernel::reduce::column_sums;
use crate::kernel::volume::{self, Depth, InputGradient, Volume, WeightGradient};
use crate::nn::description::{Setting, window_options};
use crate::nn::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::nn::params::{Order, View};
use crate::shape::{Shape, Window, output_size};
use crate::tensor::Map;
use std::ops::Range;

/// A convolution with `out` filters over volumes of `slices` slices.
///
/// Parameters: `weight` (out × in × kd × kh × kw, as PyTorch's `Conv3d` has it) and, if asked, `bias` (out).
#[derive(Debug, Clone, Copy)]
pub struct Conv3d {
    /// Filters.
    pub out: usize,
    /// Slices of the input; its channels are a multiple of them.
    pub slices: usize,
    /// Slices under a window.
    pub depth: usize,
    /// Step from window to window along depth.
    pub depth_stride: usize,
    /// Slices of zeros at each end.
    pub depth_pad: usize,
    /// Step from slice to slice of a window.
    pub depth_dilation: usize,
    /// The window within a slice.
    pub window: Window,
    /// Whether a bias is added.
    pub bias: bool,
}

impl Conv3d {
    /// `out` filters of `k × k × k` over `slices` slices, stride 1, no padding, with bias.
    pub const fn new(out: usize, slices: usize, k: usize) -> Self {
        let window = Window::square(k);
        Self { out, slices, depth: k, depth_stride: 1, depth_pad: 0, depth_dilation: 1, window, bias: true }
    }

    /// The same with this stride on all three axes.
    pub const fn stride(mut self, s: usize) -> Self {
        (self.depth_stride, self.window) = (s, self.window.stride(s));
        self
    }

    /// The same with this padding on all three axes.
    pub const fn pad(mut self, p: usize) -> Self {
        (self.depth_pad, self.window) = (p, self.window.pad(p));
        self
    }

    /// Slices of the output. Errors as [`output_size`].
    pub fn slices_out(&self) -> Result<usize> {
        output_size(self.slices, self.depth, self.depth_stride, self.depth_pad, self.depth_dilation)
    }

    fn volume(&self, x: Map, y: Map) -> Volume {
        let depth = Depth {
            kernel: self.depth,
            stride: self.depth_stride,
            pad: self.depth_pad,
            dilation: self.depth_dilation,
            slices: (self.slices, self.slices_out().expect("inferred when it was wired")),
        };
        Volume { window: self.window, depth, x, y }
    }

    /// Numbers of the input under one window.
    fn under(&self, x: Shape) -> usize {
        x.c / self.slices * self.depth * self.window.kernel.0 * self.window.kernel.1
    }
}

impl Layer for Conv3d {
    fn kind(&self) -> &'static str {
        "conv3d"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        let mut options = vec![("out", Setting::Size(self.out)), ("slices", Setting::Size(self.slices))];
        options.extend([("depth", Setting::Size(self.depth)), ("depth_stride", Setting::Size(self.depth_stride))]);
        options.push(("depth_pad", Setting::Size(self.depth_pad)));
        options.push(("depth_dilation", Setting::Size(self.depth_dilation)));
        options.extend(window_options(&self.window));
        options.push(("bias", Setting::Flag(self.bias)));
        options
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let x = inputs[0];
        if self.out == 0 || self.slices == 0 || !x.c.is_multiple_of(self.slices) {
            let got = format!("{} channels for {} filters", x.c, self.out);
            return Err(Error::shape("3-D convolution", format!("channels in {} slices", self.slices), got));
        }
        let (h, w) = self.window.output(x.h, x.w)?;
        Ok(Shape::new(self.out.saturating_mul(self.slices_out()?), h, w))
    }

    fn params(&self, inputs: &[Shape], _flat: Shape) -> Vec<View> {
        let (kh, kw) = self.window.kernel;
        let shape = vec![self.out, inputs[0].c / self.slices, self.depth, kh, kw];
        weight_and_bias(shape, self.under(inputs[0]), self.out * self.depth * kh * kw, Order::Volume, self.bias)
    }

    fn halo(&self) -> (usize, usize) {
        self.window.pad
    }

    fn gradient_halo(&self, inputs: &[Shape]) -> (usize, usize) {
        let y = self.output(inputs).expect("inferred when it was wired");
        Geometry::gradient_halo(&self.window, (inputs[0].h, inputs[0].w), (y.h, y.w))
    }

    fn reads(&self) -> Reads {
        Reads { input: true, output: false }
    }

    fn fuses_relu(&self) -> bool {
        true
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        let depth = self.slices_out().map_or(0, |slices| slices);
        format!("{} slices to {depth}; {}", self.slices, size_formula(&self.window, inputs[0]))
    }

    fn multiply_adds(&self, inputs: &[Shape]) -> u64 {
        let y = self.output(inputs).expect("inferred when it was wired");
        y.len() as u64 * self.under(inputs[0]) as u64
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let input = io.gradients.as_ref().filter(|_| io.wants[0]);
        let weights =
            io.gradients.as_ref().filter(|_| io.learns).map(|(_, dy)| WeightGradient::new(self.volume(io.x[0], *dy)));
        Box::new(Conv3dOp {
            forward: volume::Forward::new(self.volume(io.x[0], io.y)),
            input_gradient: input.map(|(dx, dy)| InputGradient::new(self.volume(dx[0], *dy))),
            workspace: weights.as_ref().map_or(0, |dw| dw.workspace(io.level)),
            weight_gradient: weights,
            packed: [0; 2],
            weight: io.params[0].clone(),
            bias: io.params.get(1).cloned(),
            relu: io.relu,
            dy: io.gradients.as_ref().map_or(io.y, |(_, dy)| *dy),
            sums: vec![0.0; io.y.shape.c],
        })
    }
}

struct Conv3dOp {
    forward: volume::Forward,
    input_gradient: Option<InputGradient>,
    weight_gradient: Option<WeightGradient>,
    /// The version of the parameters that each of the two passes has packed.
    packed: [u64; 2],
    weight: Range<usize>,
    bias: Option<Range<usize>>,
    relu: bool,
    dy: Map,
    /// The bias's gradient, slice by slice.
    sums: Vec<f32>,
    workspace: usize,
}

impl Op for Conv3dOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let (values, version) = cx.params;
        if self.packed[0] != version {
            self.forward.pack(cx.level, &values[self.weight.clone()]);
            self.packed[0] = version;
        }
        let store = Store::Set { bias: self.bias.clone().map(|b| &values[b]), relu: self.relu };
        self.forward.run(cx.level, cx.n, cx.x(0), store, cx.y);
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let ((values, version), level, n) = (cx.params, cx.level, cx.n);
        if let (Some(bias), Some(_)) = (self.bias.clone(), &self.weight_gradient) {
            self.sums.fill(0.0);
            column_sums(level, (cx.dy, &self.dy), n, &mut self.sums);
            for slice in self.sums.chunks_exact(bias.len()) {
                cx.dparams[bias.clone()].iter_mut().zip(slice).for_each(|(db, sum)| *db += sum);
            }
        }
        let (x, work) = (cx.inputs[0].of(cx.slots, n), std::mem::take(&mut cx.work));
        if let Some(weights) = &self.weight_gradient {
            weights.run(level, n, x, cx.dy, &mut cx.dparams[self.weight.clone()], work);
        }
        if let (Some(gradient), Some((_, _, dy, dx, first))) = (&mut self.input_gradient, cx.split(0)) {
            if self.packed[1] != version {
                gradient.pack(level, &values[self.weight.clone()]);
                self.packed[1] = version;
            }
            gradient.run(level, n, dy, if first { Store::SET } else { Store::Add }, dx);
        }
    }

    fn workspace(&self) -> usize {
        self.workspace
    }
}
