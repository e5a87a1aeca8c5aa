//! Channel scale: `y = x · s`, one factor for each channel and image: where squeeze-and-excitation acts. Hu et al. 2018.

use crate::error::{Error, Result};
use crate::kernel::norm::{self, Slopes};
use crate::nn::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::shape::Shape;
use crate::tensor::Map;
use std::ops::RangeInclusive;

/// The channels of the first input times the numbers of the second, a vector.
#[derive(Debug, Clone, Copy)]
pub struct Scale;

impl Layer for Scale {
    fn kind(&self) -> &'static str {
        "scale"
    }

    fn arity(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let (x, s) = (inputs[0], inputs[1]);
        if s != Shape::new(x.c, 1, 1) {
            return Err(Error::shape("scale", format!("{} factors for {x}", x.c), s));
        }
        Ok(x)
    }

    fn reads(&self) -> Reads {
        Reads { input: true, output: false }
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        format!("x · s, for {} channels", inputs[0].c)
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (dx, dy) = io.gradients.clone().unwrap_or_else(|| (io.x.clone(), io.y));
        let c = io.y.shape.c;
        Box::new(ScaleOp {
            x: [io.x[0], io.x[1]],
            y: io.y,
            dx: [dx[0], dx[1]],
            dy,
            zeros: vec![0.0; c],
            line: vec![0.0; c],
            sums: vec![0.0; io.batch * c],
        })
    }
}

struct ScaleOp {
    x: [Map; 2],
    y: Map,
    dx: [Map; 2],
    dy: Map,
    zeros: Vec<f32>,
    line: Vec<f32>,
    /// The factors' gradients.
    sums: Vec<f64>,
}

impl ScaleOp {
    /// The factors of image `i`, or their gradients.
    fn factors(map: &Map, i: usize) -> std::ops::Range<usize> {
        let start = i * map.len() + map.at(0, 0);
        start..start + map.shape.c
    }
}

impl Op for ScaleOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let ([x, s], y, zeros) = (&self.x, &self.y, &self.zeros[..]);
        for i in 0..cx.n {
            let (image, gain) = (&cx.x(0)[i * x.len()..][..x.len()], &cx.x(1)[Self::factors(s, i)]);
            let out = &mut cx.y[i * y.len()..][..y.len()];
            norm::normalise(cx.level, (image, x), zeros, gain, zeros, false, (out, y), 1);
        }
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let (level, n, [x, s], dymap, zeros) = (cx.level, cx.n, &self.x, &self.dy, &self.zeros[..]);
        let (images, factors) = (cx.inputs[0].of(cx.slots, n), cx.inputs[1].of(cx.slots, n));
        let c = x.shape.c;
        self.sums.fill(0.0);
        for i in 0..n {
            let (image, dy) = (&images[i * x.len()..][..x.len()], &cx.dy[i * dymap.len()..][..dymap.len()]);
            let sums = &mut self.sums[i * c..][..c];
            norm::products(level, (image, x), zeros, (dy, dymap), 1, &mut self.line, sums);
        }
        if let Some((_, _, dys, dxs, first)) = cx.split(0) {
            let map = &self.dx[0];
            for i in 0..n {
                let slopes = Slopes { mean: zeros, gain: &factors[Self::factors(s, i)], slope: zeros, shift: zeros };
                let dy = (&dys[i * dymap.len()..][..dymap.len()], dymap);
                let dx = (&mut dxs[i * map.len()..][..map.len()], map);
                norm::normalise_backward(level, (&images[i * x.len()..][..x.len()], x), slopes, dy, dx, !first, 1);
            }
        }
        if let Some((_, _, _, ds)) = cx.split_zeroed(1) {
            for i in 0..n {
                for (ds, sum) in ds[Self::factors(&self.dx[1], i)].iter_mut().zip(&self.sums[i * c..]) {
                    *ds += *sum as f32;
                }
            }
        }
    }
}
