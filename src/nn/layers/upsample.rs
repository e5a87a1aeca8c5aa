//! Upsampling: a map made larger without parameters, as decoders do it (Long et al. 2015, section 3.3).

use crate::error::{Error, Result};
use crate::kernel::resize::{self, Between};
use crate::nn::description::Setting;
use crate::nn::layer::{Backward, Forward, Io, Layer, Op};
use crate::shape::Shape;
use crate::tensor::Map;

/// Height and width times a whole number.
#[derive(Debug, Clone, Copy)]
pub struct Upsample {
    /// How many times as high and wide.
    pub scale: usize,
    /// What lies between the numbers there are.
    pub between: Between,
}

impl Layer for Upsample {
    fn kind(&self) -> &'static str {
        match self.between {
            Between::Nearest => "upsample_nearest",
            Between::Bilinear => "upsample_bilinear",
        }
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        vec![("scale", Setting::Size(self.scale))]
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        let Shape { c, h, w } = inputs[0];
        if !(1..=64).contains(&self.scale) {
            return Err(Error::value("upsampling", "a scale from 1 to 64", self.scale));
        }
        Ok(Shape::new(c, h.saturating_mul(self.scale), w.saturating_mul(self.scale)))
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        let Shape { h, w, .. } = inputs[0];
        format!("{h} × {w} times {}", self.scale)
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (dx, dy) = io.gradients.as_ref().map_or((io.x[0], io.y), |(dx, dy)| (dx[0], *dy));
        Box::new(UpsampleOp { layer: *self, maps: [io.x[0], io.y, dx, dy] })
    }
}

struct UpsampleOp {
    layer: Upsample,
    /// Input, output, and the gradients of both.
    maps: [Map; 4],
}

impl Op for UpsampleOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let (Upsample { scale, between }, [x, y, ..]) = (self.layer, &self.maps);
        resize::enlarge(cx.level, between, scale, (cx.x(0), x), (cx.y, y), cx.n);
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let (Upsample { scale, between }, [.., dxmap, dymap]) = (self.layer, &self.maps);
        let (level, n) = (cx.level, cx.n);
        if let Some((_, _, dy, dx)) = cx.split_zeroed(0) {
            resize::enlarge_backward(level, between, scale, (dy, dymap), (dx, dxmap), n);
        }
    }
}
