//! Seeded augmentation: pictures and strokes bent as other hands would have written them.
//!
//! Every random choice comes from the given [`Rng`], so a seed gives the same picture on every target.

mod hand;
mod shapes;
mod tone;
mod warp;

pub use hand::Hand;
pub use shapes::vary;

use crate::error::{Error, Result};
use crate::rng::Rng;
use serde::{Deserialize, Serialize};
use warp::Warp;

/// How far a picture may be varied. Each amount is the most; what a picture gets is uniform up to it, both ways. As JSON
/// every part may be left out, and is then none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augment {
    /// Shift along each axis, in pixels.
    pub shift: f32,
    /// Rotation, in degrees.
    pub rotate: f32,
    /// Scale of each axis by itself: `e` to the power of up to this.
    pub scale: f32,
    /// Slant: pixels to the side for each pixel of height.
    pub shear: f32,
    /// Elastic deformation (Simard, Steinkraus and Platt 2003): root mean square of the displacement along each axis,
    /// in pixels. Their α = 34 with σ = 4 on 29 × 29 is 1.4 here.
    pub elastic_alpha: f32,
    /// How smooth the elastic deformation is: deviation of the Gaussian, in pixels; at least 1.
    pub elastic_sigma: f32,
    /// Thicker or thinner lines: 1 is a whole step of dilation or erosion by the four neighbours. Images only; strokes
    /// have a pen.
    pub thickness: f32,
    /// Part of each side that is cut away; what is left fills the picture.
    pub crop: f32,
    /// Probability of being mirrored, left for right. Digits do not stand it.
    pub flip: f32,
    /// Lighter or darker: added to every pixel.
    pub brightness: f32,
    /// Contrast around the middle grey: `e` to the power of up to this.
    pub contrast: f32,
    /// Deviation of normal noise on every pixel; a picture gets up to this.
    pub noise: f32,
    /// Side of a square of paper laid somewhere on the picture, in pixels; it may hang over the edge. DeVries and Taylor
    /// 2017.
    pub cutout: f32,
}

impl Default for Augment {
    fn default() -> Self {
        Self::NONE
    }
}

impl Augment {
    /// Nothing changes.
    pub const NONE: Self = Self {
        shift: 0.0,
        rotate: 0.0,
        scale: 0.0,
        shear: 0.0,
        elastic_alpha: 0.0,
        elastic_sigma: 4.0,
        thickness: 0.0,
        crop: 0.0,
        flip: 0.0,
        brightness: 0.0,
        contrast: 0.0,
        noise: 0.0,
        cutout: 0.0,
    };

    /// For MNIST: as far as its digits still read as what they are.
    pub const MNIST: Self = Self {
        shift: 1.5,
        rotate: 12.0,
        scale: 0.12,
        shear: 0.15,
        elastic_alpha: 0.7,
        elastic_sigma: 4.0,
        thickness: 0.3,
        ..Self::NONE
    };

    /// Reads the JSON object. Errors name what is wrong.
    pub fn from_json(text: &str) -> Result<Self> {
        let how: Self =
            serde_json::from_str(text).map_err(|e| Error::format("augmentation", "an object of amounts", e))?;
        how.check().map(|()| how)
    }

    /// Refuses amounts that make no picture, by name.
    pub fn check(&self) -> Result<()> {
        let amounts = [
            ("shift", self.shift, 1e3),
            ("rotate", self.rotate, 180.0),
            ("scale", self.scale, 2.0),
            ("shear", self.shear, 4.0),
            ("elastic_alpha", self.elastic_alpha, 100.0),
            ("elastic_sigma", self.elastic_sigma, 100.0),
            ("thickness", self.thickness, 1.0),
            ("crop", self.crop, 0.9),
            ("flip", self.flip, 1.0),
            ("brightness", self.brightness, 1.0),
            ("contrast", self.contrast, 2.0),
            ("noise", self.noise, 1.0),
            ("cutout", self.cutout, 1e3),
        ];
        match amounts.into_iter().find(|&(_, amount, most)| !(0.0..=most).contains(&amount)) {
            Some((name, amount, most)) => {
                Err(Error::value(format!("augmentation: {name}"), format!("a number from 0 to {most}"), amount))
            }
            None => Ok(()),
        }
    }

    /// `n` variants of a picture, one after another, to look at: variant `i` has a random stream of its own.
    pub fn preview(&self, seed: u64, src: &[f32], w: usize, h: usize, n: usize) -> Vec<f32> {
        let mut out = vec![0.0; n * w * h];
        for (i, dst) in out.chunks_exact_mut(w * h).enumerate() {
            self.apply(&mut Rng::part(seed, i as u64), src, dst, w, h);
        }
        out
    }

    /// Varies the `w × h` picture `src` (0 to 1) into `dst`; beyond its edge is paper.
    ///
    /// Everything is composed into one bilinear resampling, so lines blur once. Panics when a slice is not `w · h` long.
    pub fn apply(&self, rng: &mut Rng, src: &[f32], dst: &mut [f32], w: usize, h: usize) {
        assert_eq!((src.len(), dst.len()), (w * h, w * h));
        if *self == Self::NONE {
            dst.copy_from_slice(src);
            return;
        }
        let warp = Warp::sample(self, rng, w as f32, h as f32);
        let mut paper = Paper::new(src, w, h);
        if self.thickness > 0.0 {
            paper.thicken(rng.range(-self.thickness, self.thickness));
        }
        let mut line = Vec::new();
        for (y, row) in dst.chunks_exact_mut(w).enumerate() {
            warp.row(y as f32, &mut line);
            for (x, pixel) in row.iter_mut().enumerate() {
                *pixel = paper.at(warp.along(&line, x as f32, y as f32));
            }
        }
        self.tone(rng, dst, w);
    }
}

/// A picture with a frame of paper, one pixel wide at the left and the top and two at the right and the bottom, so that
/// every bilinear sample has its four pixels.
struct Paper {
    pixels: Vec<f32>,
    w: usize,
    h: usize,
}

impl Paper {
    fn new(src: &[f32], w: usize, h: usize) -> Self {
        let stride = w + 3;
        let mut pixels = vec![0.0; stride * (h + 3)];
        for (row, src) in pixels[stride..].chunks_exact_mut(stride).zip(src.chunks_exact(w)) {
            row[1..=w].copy_from_slice(src);
        }
        Self { pixels, w, h }
    }

    /// Moves each pixel towards the darkest of itself and its four neighbours, or by a negative amount the lightest.
    fn thicken(&mut self, amount: f32) {
        if amount > 0.0 {
            self.towards(amount, |a, b| if a > b { a } else { b })
        } else {
            self.towards(-amount, |a, b| if a < b { a } else { b })
        }
    }

    fn towards(&mut self, amount: f32, pick: impl Fn(f32, f32) -> f32) {
        let (stride, old) = (self.w + 3, self.pixels.clone());
        for y in 1..=self.h {
            let [above, middle, below] = [y - 1, y, y + 1].map(|y| &old[y * stride..][..stride]);
            let row = &mut self.pixels[y * stride..][1..=self.w];
            for (x, pixel) in row.iter_mut().enumerate() {
                let across = pick(middle[x], middle[x + 2]);
                let extreme = pick(pick(across, *pixel), pick(above[x + 1], below[x + 1]));
                *pixel += amount * (extreme - *pixel);
            }
        }
    }

    /// The bilinear sample at pixel coordinates `[x, y]`.
    fn at(&self, p: [f32; 2]) -> f32 {
        let stride = self.w + 3;
        let x = p[0].clamp(-1.0, self.w as f32) + 1.0;
        let y = p[1].clamp(-1.0, self.h as f32) + 1.0;
        let (left, top) = (x as usize, y as usize);
        let (fx, fy) = (x - left as f32, y - top as f32);
        let (upper, lower) = (&self.pixels[top * stride + left..][..2], &self.pixels[(top + 1) * stride + left..][..2]);
        let above = upper[0] + fx * (upper[1] - upper[0]);
        let below = lower[0] + fx * (lower[1] - lower[0]);
        above + fy * (below - above)
    }
}
