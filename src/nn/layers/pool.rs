//! Pooling: the maximum or the average under a sliding window.

use super::conv::size_formula;
use crate::error::{Error, Result};
use crate::kernel::act::relu_backward;
use crate::kernel::pool;
use crate::nn::description::{Setting, window_options};
use crate::nn::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::shape::{Shape, Window};
use crate::tensor::Map;

/// A pooling layer. Padding is nothing to a maximum and zeros to an average, as in PyTorch.
#[derive(Debug, Clone, Copy)]
pub enum Pool {
    /// The largest value; its gradient goes to the first of equals.
    Max(Window),
    /// As `Max`, but a last window may hang over the edge rather than leave numbers out: PyTorch's `ceil_mode`.
    MaxCeil(Window),
    /// The mean, padding counted.
    Average(Window),
    /// The mean of each whole map. Lin et al. 2013.
    GlobalAverage,
}

impl Pool {
    /// The window over an input of this shape.
    fn window(&self, x: Shape) -> Window {
        match self {
            Self::Max(window) | Self::MaxCeil(window) | Self::Average(window) => *window,
            Self::GlobalAverage => Window { kernel: (x.h, x.w), stride: (1, 1), pad: (0, 0), dilation: (1, 1) },
        }
    }
}

impl Layer for Pool {
    fn kind(&self) -> &'static str {
        match self {
            Self::Max(_) | Self::MaxCeil(_) => "max_pool",
            Self::Average(_) => "average_pool",
            Self::GlobalAverage => "global_average_pool",
        }
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        match self {
            Self::Max(window) | Self::MaxCeil(window) => {
                let ceil = Setting::Flag(matches!(self, Self::MaxCeil(_)));
                window_options(window).into_iter().chain([("ceil", ceil)]).collect()
            }
            Self::Average(window) => window_options(window).into(),
            Self::GlobalAverage => vec![],
        }
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let x = inputs[0];
        let Window { kernel, pad, .. } = self.window(x);
        if pad.0 * 2 > kernel.0 || pad.1 * 2 > kernel.1 {
            let expected = format!("padding of at most half the {} × {} window", kernel.0, kernel.1);
            return Err(Error::shape("pooling", expected, format!("{} × {}", pad.0, pad.1)));
        }
        let window = self.window(x);
        let (h, w) = window.output(x.h, x.w)?;
        let (h, w) = if matches!(self, Self::MaxCeil(_)) { pool::ceil(window, x, (h, w)) } else { (h, w) };
        Ok(Shape::new(x.c, h, w))
    }

    fn reads(&self) -> Reads {
        let max = matches!(self, Self::Max(_) | Self::MaxCeil(_));
        Reads { input: max, output: max }
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        size_formula(&self.window(inputs[0]), inputs[0])
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let gradients = io.gradients.as_ref().map_or((io.x[0], io.y), |(dx, dy)| (dx[0], *dy));
        let max = matches!(self, Self::Max(_) | Self::MaxCeil(_));
        Box::new(PoolOp {
            max,
            window: self.window(io.x[0].shape),
            x: io.x[0],
            y: io.y,
            dx: gradients.0,
            dy: gradients.1,
        })
    }
}

struct PoolOp {
    max: bool,
    window: Window,
    x: Map,
    y: Map,
    dx: Map,
    dy: Map,
}

impl Op for PoolOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let (x, y) = ((cx.x(0), &self.x), (cx.y, &self.y));
        if self.max {
            pool::max_pool(cx.level, self.window, x, y, cx.n);
        } else {
            pool::average_pool(cx.level, self.window, true, x, y, cx.n);
        }
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let (level, n) = (cx.level, cx.n);
        if !self.max && pool::tiles(self.window, self.x.shape) {
            let relu = cx.through_relu();
            let Some((x, _, dy, dx, first)) = cx.split(0) else { return };
            let (relu, dy, dx) = (relu.then_some((x, &self.x)), (dy, &self.dy), (dx, &self.dx));
            return pool::average_tiles_backward(level, self.window, dy, dx, first, relu, n);
        }
        let relu = self.max && cx.through_relu();
        if relu {
            // A maximum that the ReLU did not let through is 0 itself.
            let y = cx.output.of(cx.slots, n);
            for (row, drow) in self.y.rows(n).zip(self.dy.rows(n)) {
                relu_backward(level, &y[row], &mut cx.dy[drow]);
            }
        }
        let Some((x, y, dy, dx, first)) = cx.split(0) else { return };
        if first {
            dx.fill(0.0);
        } else if relu {
            // A loss is taken behind the ReLU, too.
            for (row, drow) in self.x.rows(n).zip(self.dx.rows(n)) {
                relu_backward(level, &x[row], &mut dx[drow]);
            }
        }
        let (dy, dx) = ((dy, &self.dy), (dx, &self.dx));
        if self.max {
            pool::max_pool_backward(level, self.window, (x, &self.x), (y, &self.y), dy, dx, n);
        } else {
            pool::average_pool_backward(level, self.window, true, dy, dx, n);
        }
    }

    fn passes_relu(&self) -> bool {
        self.max || pool::tiles(self.window, self.x.shape)
    }
}
