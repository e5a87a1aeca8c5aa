//! Max unpooling: a small map spread to where the maxima of an earlier, larger one were; the rest is zero. Zeiler and
//! Fergus 2014; SegNet's decoder (Badrinarayanan et al. 2017).
//!
//! It is max pooling's way back as a layer, and its own way back reads where that one writes: there are no indices to
//! store. The maxima are looked for again, as everywhere here.

use super::conv::size_formula;
use crate::error::{Error, Result};
use crate::kernel::pool;
use crate::nn::description::{Setting, window_options};
use crate::nn::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::shape::{Shape, Window};
use crate::tensor::Map;
use std::ops::RangeInclusive;

/// Spreads its first input, of the size that a max pooling with this window makes of its second, over a map of the
/// second's size: each number goes to the first maximum of the second under its window.
///
/// No gradient passes to the second input: where its maxima lie is no smooth function. PyTorch's `MaxUnpool2d`, given
/// the indices of a `MaxPool2d` of that input.
#[derive(Debug, Clone, Copy)]
pub struct MaxUnpool(pub Window);

impl Layer for MaxUnpool {
    fn kind(&self) -> &'static str {
        "max_unpool"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        window_options(&self.0).into()
    }

    fn arity(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let (v, x) = (inputs[0], inputs[1]);
        let Window { kernel, stride, pad, dilation } = self.0;
        // Where windows share a number, two would go to one place.
        if dilation != (1, 1) || kernel.0 > stride.0 || kernel.1 > stride.1 {
            let got = format!("kernel {kernel:?}, stride {stride:?}, dilation {dilation:?}");
            return Err(Error::value("max unpooling", "windows that do not overlap", got));
        }
        if pad.0 * 2 > kernel.0 || pad.1 * 2 > kernel.1 {
            let expected = format!("padding of at most half the {} × {} window", kernel.0, kernel.1);
            return Err(Error::shape("max unpooling", expected, format!("{} × {}", pad.0, pad.1)));
        }
        let (h, w) = self.0.output(x.h, x.w)?;
        if v != Shape::new(x.c, h, w) {
            let expected = format!("{}, what pooling makes of {x}", Shape::new(x.c, h, w));
            return Err(Error::shape("max unpooling", expected, v));
        }
        Ok(x)
    }

    fn passes(&self, input: usize, _of: usize) -> bool {
        input == 0
    }

    fn reads(&self) -> Reads {
        Reads { input: true, output: false }
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        format!("back from {}", size_formula(&self.0, inputs[1]))
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (dv, dy) = io.gradients.as_ref().map_or((io.x[0], io.y), |(dx, dy)| (dx[0], *dy));
        let max = Map::new(io.x[0].shape, (0, 0));
        Box::new(UnpoolOp {
            window: self.0,
            inputs: [io.x[0], io.x[1]],
            y: io.y,
            gradients: [dv, dy],
            workspace: io.batch * max.len(),
            max,
            back: vec![0.0; if io.gradients.is_some() { io.batch * dv.len() } else { 0 }],
        })
    }
}

struct UnpoolOp {
    window: Window,
    /// The small map, and the one whose maxima say where its numbers go.
    inputs: [Map; 2],
    y: Map,
    /// Of the small map and of the output.
    gradients: [Map; 2],
    /// Layout of the maxima, in the workspace.
    max: Map,
    workspace: usize,
    /// The small map's gradient on its way to be added to others.
    back: Vec<f32>,
}

impl Op for UnpoolOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let (level, n, window, [v, x]) = (cx.level, cx.n, self.window, &self.inputs);
        let (v, x, max) = ((cx.x(0), v), (cx.x(1), x), &mut cx.work[..n * self.max.len()]);
        pool::max_pool(level, window, x, (max, &self.max), n);
        self.y.rows(n).for_each(|row| cx.y[row].fill(0.0));
        let max = (&*max, &self.max);
        pool::max_pool_backward(level, window, x, max, v, (cx.y, &self.y), n);
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let (level, n, window, [dv, dy]) = (cx.level, cx.n, self.window, &self.gradients);
        let x = (cx.inputs[1].of(cx.slots, n), &self.inputs[1]);
        let max = &mut std::mem::take(&mut cx.work)[..n * self.max.len()];
        pool::max_pool(level, window, x, (max, &self.max), n);
        let back = &mut self.back[..n * dv.len()];
        pool::at_maxima(level, window, x, (max, &self.max), (cx.dy, dy), (back, dv), n);
        if let Some((_, _, _, to)) = cx.split_zeroed(0) {
            crate::tensor::add_rows(back, dv, to, dv, n);
        }
    }

    fn workspace(&self) -> usize {
        self.workspace
    }
}
