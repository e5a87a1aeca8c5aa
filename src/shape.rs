//! Shapes of one image on a wire, windows that slide over it, and the one output-size formula.

use crate::error::{Error, Result};
use std::fmt;

/// The shape of one image on a wire: channels, height, width. A vector of `n` features is `n × 1 × 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Channels.
    pub c: usize,
    /// Rows.
    pub h: usize,
    /// Columns.
    pub w: usize,
}

impl Shape {
    /// `c × h × w`.
    pub const fn new(c: usize, h: usize, w: usize) -> Self {
        Self { c, h, w }
    }

    /// Numbers in one image.
    pub const fn len(self) -> usize {
        self.c * self.h * self.w
    }

    /// Whether any side is zero.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}×{}×{}", self.c, self.h, self.w)
    }
}

/// A window that slides along both axes: `(height, width)` pairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Kernel size.
    pub kernel: (usize, usize),
    /// Step between neighbouring windows.
    pub stride: (usize, usize),
    /// Zeros (for pooling: nothing) added on each side.
    pub pad: (usize, usize),
    /// Step between neighbouring taps of one window.
    pub dilation: (usize, usize),
}

impl Window {
    /// A square `k × k` window, stride 1, no padding, no dilation.
    pub const fn square(k: usize) -> Self {
        Self { kernel: (k, k), stride: (1, 1), pad: (0, 0), dilation: (1, 1) }
    }

    /// The same window with this stride on both axes.
    pub const fn stride(mut self, s: usize) -> Self {
        self.stride = (s, s);
        self
    }

    /// The same window with this padding on both axes.
    pub const fn pad(mut self, p: usize) -> Self {
        self.pad = (p, p);
        self
    }

    /// The same window with this dilation on both axes.
    pub const fn dilation(mut self, d: usize) -> Self {
        self.dilation = (d, d);
        self
    }

    /// Output height and width over an `h × w` input.
    pub fn output(self, h: usize, w: usize) -> Result<(usize, usize)> {
        let oh = output_size(h, self.kernel.0, self.stride.0, self.pad.0, self.dilation.0)?;
        let ow = output_size(w, self.kernel.1, self.stride.1, self.pad.1, self.dilation.1)?;
        Ok((oh, ow))
    }
}

/// How many windows fit along one axis: `(input + 2·pad − dilation·(kernel − 1) − 1) / stride + 1`, rounded down.
///
/// With dilation 1 this is the sources' formula (`sources/003`): (input + 2·padding − kernel) / stride + 1.
/// Fails when a kernel, stride or dilation is zero or when the window is larger than the padded input.
pub fn output_size(input: usize, kernel: usize, stride: usize, pad: usize, dilation: usize) -> Result<usize> {
    if kernel == 0 || stride == 0 || dilation == 0 {
        let got = format!("kernel {kernel}, stride {stride}, dilation {dilation}");
        return Err(Error::value("window", "kernel, stride and dilation of at least 1", got));
    }
    let reach = dilation.checked_mul(kernel - 1).and_then(|r| r.checked_add(1));
    let padded = pad.checked_mul(2).and_then(|p| p.checked_add(input));
    match (reach, padded) {
        (Some(reach), Some(padded)) if reach <= padded => Ok((padded - reach) / stride + 1),
        _ => Err(Error::shape(
            "window",
            format!("a reach of at most input + 2·pad = {input} + 2·{pad}"),
            format!("kernel {kernel} with dilation {dilation}"),
        )),
    }
}
