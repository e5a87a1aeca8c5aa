//! RoIAlign: a box of a feature map as a small map of fixed size. He et al. 2017, "Mask R-CNN", section 3.

use crate::error::{Error, Result};
use crate::kernel::roi::{self, Align, Region};
use crate::nn::description::Setting;
use crate::nn::layer::{Backward, Forward, Io, Layer, Op, Reads};
use crate::nn::port::Rows;
use crate::shape::Shape;
use crate::tensor::Map;
use std::ops::RangeInclusive;

/// From a map of each image and boxes, a port of [`crate::nn::Port::Boxes`], to a `c × out × out` map of each box: pixels are
/// areas, and every bin is the mean of 2 × 2 samples. torchvision's `roi_align` with `aligned=True` and a sampling ratio of 2.
///
/// Boxes have rows of their own, and the output has theirs. No gradient passes to them.
#[derive(Debug, Clone, Copy)]
pub struct RoiAlign {
    /// Rows and columns of what comes out.
    pub out: usize,
    /// Pixels of the picture for one of the map.
    pub stride: usize,
}

impl Layer for RoiAlign {
    fn kind(&self) -> &'static str {
        "roi_align"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        vec![("out", Setting::Size(self.out)), ("stride", Setting::Size(self.stride))]
    }

    fn arity(&self) -> RangeInclusive<usize> {
        2..=2
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        if self.out == 0 || self.stride == 0 || inputs[1] != Shape::new(5, 1, 1) {
            let got = format!("{} bins at a stride of {}, boxes of {}", self.out, self.stride, inputs[1]);
            return Err(Error::shape("RoIAlign", "at least one bin, a stride, and boxes of 5×1×1", got));
        }
        Ok(Shape::new(inputs[0].c, self.out, self.out))
    }

    fn rows(&self, inputs: &[Rows]) -> Option<Rows> {
        (inputs[0] == Rows::IMAGES).then_some(inputs[1])
    }

    fn passes(&self, input: usize, _of: usize) -> bool {
        input == 0
    }

    fn reads(&self) -> Reads {
        Reads { input: true, output: false }
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        format!("boxes of {} cut into {} × {} bins", inputs[0], self.out, self.out)
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        let (dx, dy) = io.gradients.as_ref().map_or((io.x[0], io.y), |(dx, dy)| (dx[0], *dy));
        let how = Align::square(self.out, 1.0 / self.stride as f32);
        Box::new(AlignOp { how, x: io.x[0], boxes: io.x[1], y: io.y, dx, dy })
    }
}

struct AlignOp {
    how: Align,
    x: Map,
    boxes: Map,
    y: Map,
    dx: Map,
    dy: Map,
}

impl AlignOp {
    /// Numbers in the map of one box.
    fn dense(&self) -> usize {
        self.how.out.0 * self.how.out.1 * self.x.shape.c
    }
}

impl Op for AlignOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let (maps, boxes) = (cx.x(0), cx.x(1));
        let dense = &mut cx.work[..self.dense()];
        let line = self.how.out.1 * self.x.shape.c;
        let mut rows = self.y.rows(cx.n);
        for (image, region) in regions(boxes, self.boxes.len()) {
            let x = (&maps[image * self.x.len()..][..self.x.len()], &self.x);
            roi::align(cx.level, &self.how, x, &region, dense);
            for (from, to) in dense.chunks_exact(line).zip(rows.by_ref()) {
                cx.y[to].copy_from_slice(from);
            }
        }
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let dense = &mut std::mem::take(&mut cx.work)[..self.dense()];
        let (level, line, boxes) = (cx.level, self.how.out.1 * self.x.shape.c, cx.inputs[1].of(cx.slots, cx.n));
        let mut rows = self.dy.rows(cx.n);
        let Some((_, _, dy, dx)) = cx.split_zeroed(0) else { return };
        for (image, region) in regions(boxes, self.boxes.len()) {
            for (to, from) in dense.chunks_exact_mut(line).zip(rows.by_ref()) {
                to.copy_from_slice(&dy[from]);
            }
            let dx = (&mut dx[image * self.dx.len()..][..self.dx.len()], &self.dx);
            roi::align_backward(level, &self.how, dense, &region, dx);
        }
    }

    fn workspace(&self) -> usize {
        self.dense()
    }
}

/// The image and the region of every row of boxes, each in `len` numbers.
fn regions(boxes: &[f32], len: usize) -> impl Iterator<Item = (usize, [Region; 1])> {
    boxes.chunks_exact(len).map(|b| (b[0] as usize, [[b[1], b[2], b[3], b[4]]]))
}
