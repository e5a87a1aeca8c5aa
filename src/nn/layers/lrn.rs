//! Local response normalisation: channels that compete with their neighbours. Krizhevsky et al. 2012, section 3.3.

use crate::error::{Error, Result};
use crate::kernel::lrn::{self, Response};
use crate::nn::description::Setting;
use crate::nn::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::shape::Shape;
use crate::tensor::Map;

/// `x / (k + α / size · Σ x²)^β`, the sum over `size` neighbouring channels, as PyTorch defines it: the paper's α is
/// `α / size` here.
#[derive(Debug, Clone, Copy)]
pub struct LocalResponseNorm(
    /// Its numbers.
    pub Response,
);

impl LocalResponseNorm {
    /// AlexNet's: 5 channels, α 5 · 10⁻⁴ (the paper's 10⁻⁴ times 5), β 0.75, k 2.
    pub const ALEXNET: Self = Self(Response { size: 5, alpha: 5e-4, beta: 0.75, k: 2.0 });
}

impl Layer for LocalResponseNorm {
    fn kind(&self) -> &'static str {
        "local_response_norm"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        let Response { size, alpha, beta, k } = self.0;
        let number = Setting::Number;
        vec![("size", Setting::Size(size)), ("alpha", number(alpha)), ("beta", number(beta)), ("k", number(k))]
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let Response { size, alpha, beta, k } = self.0;
        if size == 0 || size > 2 * inputs[0].c || alpha < 0.0 || beta < 0.0 || k <= 0.0 {
            let got = format!("size {size}, alpha {alpha}, beta {beta}, k {k}");
            let expected = "a size from 1 to twice the channels, k above 0 and nothing below";
            return Err(Error::value("local response norm", expected, got));
        }
        Ok(inputs[0])
    }

    fn reads(&self) -> Reads {
        Reads { input: true, output: false }
    }

    fn formula(&self, _inputs: &[Shape]) -> String {
        let Response { size, alpha, beta, k } = self.0;
        format!("x / ({k} + {alpha} / {size} · Σ x²)^{beta} over {size} channels")
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (dx, dy) = io.gradients.as_ref().map_or((io.x[0], io.y), |(dx, dy)| (dx[0], *dy));
        let room = self.0.room(io.y.shape.c);
        Box::new(LrnOp { response: self.0, maps: [io.x[0], io.y, dx, dy], rooms: [vec![0.0; room], vec![0.0; room]] })
    }
}

struct LrnOp {
    response: Response,
    /// Input, output, and the gradients of both.
    maps: [Map; 4],
    rooms: [Vec<f32>; 2],
}

impl Op for LrnOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let [x, y, ..] = &self.maps;
        lrn::lrn(cx.level, self.response, (cx.x(0), x), (cx.y, y), cx.n, &mut self.rooms[0]);
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let (level, n, [map, _, dxmap, dymap]) = (cx.level, cx.n, &self.maps);
        let Some((x, _, dy, dx)) = cx.split_zeroed(0) else { return };
        let rooms = self.rooms.each_mut().map(Vec::as_mut_slice);
        lrn::lrn_backward(level, self.response, (x, map), (dy, dymap), (dx, dxmap), n, rooms);
    }
}
