//! A part of a wire: some of its channels, or some of its rows, which are the steps of a sequence.

use crate::error::{Error, Result};
use crate::kernel::act;
use crate::nn::description::Setting;
use crate::nn::layer::{Backward, Forward, Io, Layer, Op};
use crate::shape::Shape;
use crate::tensor::Map;
use std::ops::Range;

/// `len` channels or rows from the one with the number `from` on; see [`Slice::channels`] and [`Slice::rows`].
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// Whether rows are meant, not channels.
    pub rows: bool,
    /// The first one.
    pub from: usize,
    /// How many.
    pub len: usize,
}

impl Slice {
    /// These channels.
    pub const fn channels(part: Range<usize>) -> Self {
        Self { rows: false, from: part.start, len: part.end - part.start }
    }

    /// These rows.
    pub const fn rows(part: Range<usize>) -> Self {
        Self { rows: true, from: part.start, len: part.end - part.start }
    }
}

impl Layer for Slice {
    fn kind(&self) -> &'static str {
        "slice"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        vec![("rows", Setting::Flag(self.rows)), ("from", Setting::Size(self.from)), ("len", Setting::Size(self.len))]
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let x = inputs[0];
        let all = if self.rows { x.h } else { x.c };
        if self.len == 0 || self.from.checked_add(self.len).is_none_or(|end| end > all) {
            let got = format!("{} from {} on", self.len, self.from);
            return Err(Error::shape("slice", format!("at least one, within {all}"), got));
        }
        Ok(if self.rows { Shape::new(x.c, self.len, x.w) } else { Shape::new(self.len, x.h, x.w) })
    }

    fn formula(&self, _inputs: &[Shape]) -> String {
        let what = if self.rows { "rows" } else { "channels" };
        format!("{what} {} to {}", self.from, self.from + self.len - 1)
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (dx, dy) = io.gradients.as_ref().map_or((io.x[0], io.y), |(dx, dy)| (dx[0], *dy));
        Box::new(SliceOp { layer: *self, x: io.x[0], y: io.y, dx, dy })
    }
}

struct SliceOp {
    layer: Slice,
    x: Map,
    y: Map,
    dx: Map,
    dy: Map,
}

/// Where the pieces of all `n` images lie: in the whole, and in the part.
fn pieces(layer: Slice, whole: Map, part: Map, n: usize) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    let (c, len) = (whole.shape.c, part.shape.c);
    let (top, left) = if layer.rows { (layer.from, 0) } else { (0, layer.from) };
    let rows = (0..n * part.shape.h).map(move |k| {
        let (i, y) = (k / part.shape.h, k % part.shape.h);
        (i * whole.len() + whole.at(top + y, 0), i * part.len() + part.at(y, 0))
    });
    rows.flat_map(move |(from, to)| {
        (0..part.shape.w)
            .map(move |x| (from + x * c + left..from + x * c + left + len, to + x * len..to + (x + 1) * len))
    })
}

impl Op for SliceOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let x = cx.x(0);
        for (from, to) in pieces(self.layer, self.x, self.y, cx.n) {
            cx.y[to].copy_from_slice(&x[from]);
        }
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let (level, n) = (cx.level, cx.n);
        let Some((_, _, dy, dx)) = cx.split_zeroed(0) else { return };
        for (to, from) in pieces(self.layer, self.dx, self.dy, n) {
            act::add_assign(level, &mut dx[to], &dy[from]);
        }
    }
}
