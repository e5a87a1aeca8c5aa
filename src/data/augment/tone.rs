//! What is done to a picture's grey levels once it is bent: contrast, brightness, noise, a piece cut out.

use super::Augment;
use crate::rng::Rng;

impl Augment {
    /// Changes the grey levels of a picture with rows of `w` pixels in place, and keeps them from 0 to 1.
    pub(super) fn tone(&self, rng: &mut Rng, picture: &mut [f32], w: usize) {
        // What is not asked for draws no number: a recipe's pictures stay what they were.
        if self.contrast > 0.0 || self.brightness > 0.0 {
            let gain = libm::expf(rng.range(-self.contrast, self.contrast));
            let shift = 0.5 + rng.range(-self.brightness, self.brightness);
            picture.iter_mut().for_each(|v| *v = ((*v - 0.5) * gain + shift).clamp(0.0, 1.0));
        }
        if self.noise > 0.0 {
            let deviation = rng.range(0.0, self.noise);
            picture.iter_mut().for_each(|v| *v = (*v + deviation * rng.normal()).clamp(0.0, 1.0));
        }
        if self.cutout > 0.0 {
            cut_out(rng, picture, w, self.cutout);
        }
    }
}

/// Lays a square of paper with a side of up to `most` pixels around a random pixel.
fn cut_out(rng: &mut Rng, picture: &mut [f32], w: usize, most: f32) {
    let side = rng.range(0.0, most).round() as usize;
    let (x, y) = (rng.below(w), rng.below(picture.len() / w));
    let (left, top) = (x.saturating_sub(side / 2), y.saturating_sub(side / 2));
    for row in picture.chunks_exact_mut(w).take(y + side.div_ceil(2)).skip(top) {
        row[left..(x + side.div_ceil(2)).min(w)].fill(0.0);
    }
}
