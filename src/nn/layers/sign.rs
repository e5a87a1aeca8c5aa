//! The sign: values of one bit. Hubara et al. 2016 (BinaryNet), with larq's rules for 0 and for the ends.

use crate::error::Result;
use crate::kernel::quantise;
use crate::nn::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::shape::Shape;
use crate::tensor::Map;

/// `+1` where `x ≥ 0`, else `−1`. Straight through: the gradient passes where `|x| ≤ 1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sign;

impl Layer for Sign {
    fn kind(&self) -> &'static str {
        "sign"
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Ok(inputs[0])
    }

    fn flat(&self, input: Shape) -> Option<Shape> {
        Some(input)
    }

    fn reads(&self) -> Reads {
        Reads { input: true, output: false }
    }

    fn formula(&self, _inputs: &[Shape]) -> String {
        "+1 where x ≥ 0, else −1".into()
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (dx, dy) = io.gradients.as_ref().map_or((io.x[0], io.y), |(dx, dy)| (dx[0], *dy));
        Box::new(SignOp { maps: [io.x[0], io.y, dx, dy] })
    }
}

struct SignOp {
    /// Input, output, and the gradients of both.
    maps: [Map; 4],
}

impl Op for SignOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let ([xmap, ymap, ..], x) = (self.maps, cx.x(0));
        for (from, to) in xmap.rows(cx.n).zip(ymap.rows(cx.n)) {
            quantise::sign(cx.level, &x[from], &mut cx.y[to]);
        }
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let ([xmap, _, dxmap, dymap], level, n) = (self.maps, cx.level, cx.n);
        if let Some((x, _, dy, dx)) = cx.split_zeroed(0) {
            for ((x_at, dy_at), dx_at) in xmap.rows(n).zip(dymap.rows(n)).zip(dxmap.rows(n)) {
                quantise::sign_backward(level, &x[x_at], &dy[dy_at], &mut dx[dx_at]);
            }
        }
    }
}
