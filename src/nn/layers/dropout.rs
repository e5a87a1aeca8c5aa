//! Dropout of single numbers, and of whole paths. What is random is drawn from the step's seed.
//!
//! Srivastava et al. 2014, in the inverted form: what is kept grows by `1 / (1 − ratio)` while training, so
//! inference does nothing. (The sources scale at inference instead; their weights are rescaled once on import.)

use crate::error::{Error, Result};
use crate::kernel::{Level, act};
use crate::nn::description::Setting;
use crate::nn::layer::{Backward, Forward, Io, Layer, Mode, Op};
use crate::rng::Rng;
use crate::shape::Shape;
use crate::tensor::Map;

/// Zeroes each number with this probability while training.
#[derive(Debug, Clone, Copy)]
pub struct Dropout(
    /// The ratio that is dropped, in `0..1`.
    pub f32,
);

impl Layer for Dropout {
    fn kind(&self) -> &'static str {
        "dropout"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        vec![("ratio", Setting::Number(self.0))]
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        if !(0.0..1.0).contains(&self.0) {
            return Err(Error::value("dropout ratio", "a number from 0 to below 1", self.0));
        }
        Ok(inputs[0])
    }

    fn in_place(&self) -> bool {
        true
    }

    fn flat(&self, input: Shape) -> Option<Shape> {
        Some(input)
    }

    fn formula(&self, _inputs: &[Shape]) -> String {
        format!("drops {} while training", self.0)
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        Box::new(DropoutOp { keep: 1.0 - self.0, y: io.y, dy: io.gradients.as_ref().map_or(io.y, |(_, dy)| *dy) })
    }
}

/// Drops the whole image with this probability while training: a block of a residual network that is skipped now and
/// then. Huang et al. 2016, in the inverted form: an image that is kept grows by `1 / (1 − ratio)`.
#[derive(Debug, Clone, Copy)]
pub struct StochasticDepth(
    /// The ratio of images that are dropped, in `0..1`.
    pub f32,
);

impl Layer for StochasticDepth {
    fn kind(&self) -> &'static str {
        "stochastic_depth"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        vec![("ratio", Setting::Number(self.0))]
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        Dropout(self.0).output(inputs)
    }

    fn in_place(&self) -> bool {
        true
    }

    fn flat(&self, input: Shape) -> Option<Shape> {
        Some(input)
    }

    fn formula(&self, _inputs: &[Shape]) -> String {
        format!("drops {} of the images while training", self.0)
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        Box::new(DepthOp { keep: 1.0 - self.0, y: io.y, dy: io.gradients.as_ref().map_or(io.y, |(_, dy)| *dy) })
    }
}

struct DepthOp {
    keep: f32,
    y: Map,
    dy: Map,
}

impl DepthOp {
    fn drop(&self, level: Level, (mode, node): (Mode, u64), images: &mut [f32], len: usize) {
        let Mode::Train { seed } = mode else { return };
        for (i, image) in images.chunks_exact_mut(len).enumerate() {
            let kept = keeps(seed, node, i, self.keep);
            act::scale(level, image, if kept { 1.0 / self.keep } else { 0.0 });
        }
    }
}

impl Op for DepthOp {
    fn forward(&mut self, cx: Forward<'_>) {
        self.drop(cx.level, (cx.mode, cx.node), cx.y, self.y.len());
    }

    fn backward(&mut self, cx: Backward<'_>) {
        self.drop(cx.level, (cx.mode, cx.node), cx.dy, self.dy.len());
    }
}

struct DropoutOp {
    keep: f32,
    y: Map,
    dy: Map,
}

impl Op for DropoutOp {
    fn forward(&mut self, cx: Forward<'_>) {
        if let Mode::Train { seed } = cx.mode {
            for (i, row) in self.y.rows(cx.n).enumerate() {
                act::dropout(cx.level, mask_seed(seed, cx.node, i), self.keep, &mut cx.y[row]);
            }
        }
    }

    fn backward(&mut self, cx: Backward<'_>) {
        if let Mode::Train { seed } = cx.mode {
            for (i, row) in self.dy.rows(cx.n).enumerate() {
                act::dropout(cx.level, mask_seed(seed, cx.node, i), self.keep, &mut cx.dy[row]);
            }
        }
    }
}

/// Whether stochastic depth keeps image `i` of a run that keeps this part.
pub fn keeps(seed: u64, node: u64, i: usize, keep: f32) -> bool {
    Rng::part(Rng::mix(seed, node), i as u64).uniform() < keep
}

/// What dropout draws the mask of a row by. Forward and backward draw the same mask for the same row, so none is stored.
pub fn mask_seed(seed: u64, node: u64, row: usize) -> u64 {
    let mut rng = Rng::part(Rng::mix(seed, node), row as u64);
    u64::from(rng.bits()) << 32 | u64::from(rng.bits())
}
