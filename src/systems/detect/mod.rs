//! Detection: which digits a picture holds, and where. R-CNN and Faster R-CNN, trained on scenes that the engine draws.
//!
//! Boxes are `[x0, y0, x1, y1]`, half open, in the picture's pixels. A picture of any size is laid on the network's square as
//! large as it goes, and its boxes are brought back.

pub mod boxes;
mod faster;
pub mod proposals;
pub mod rcnn;
pub mod rcnn_training;
pub mod sample;
pub mod score;
pub mod search;
pub mod targets;
pub mod training;
mod windows;

pub use faster::{FasterRcnn, Looked};
pub use rcnn::Rcnn;
pub use sample::Plan;
pub use training::Training;
pub use windows::{by_windows, window_of};

use crate::data::pictures::Rgb;
use crate::error::{Error, Result};
use crate::kernel::roi::{Region, iou};

/// A thing that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Detection {
    /// Which digit.
    pub digit: u8,
    /// How sure that is, 0 to 1.
    pub score: f32,
    /// Where, in the picture's pixels.
    pub region: Region,
}

/// What a detector answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ask {
    /// The least score.
    pub threshold: f32,
    /// The most things.
    pub most: usize,
    /// What shares more than this with a better one of its digit goes: intersection over union.
    pub overlap: f32,
    /// The same for things of different digits; 1 keeps them all.
    pub others: f32,
}

impl Ask {
    /// What a person wants to see: one digit at a place.
    pub const SHOW: Self = Self { threshold: 0.5, most: 100, overlap: 0.4, others: 0.6 };
    /// What average precision is computed from: everything, however unlikely.
    pub const JUDGE: Self = Self { threshold: 0.01, most: 100, overlap: 0.5, others: 1.0 };
}

/// Pixels of the network's picture along each side.
pub const SIDE: usize = 128;
/// Classes: the background, and the ten digits.
pub const CLASSES: usize = 11;
/// What a colour's mean and deviation are taken for, so that a network reads numbers about 0.
pub(crate) const SCALE: [f32; 2] = [0.5, 0.25];

/// A colour as networks read it.
pub(crate) fn scaled(v: f32) -> f32 {
    (v - SCALE[0]) / SCALE[1]
}

/// Refuses a picture without pixels and numbers that are not finite.
fn check(picture: &Rgb) -> Result<()> {
    if picture.h == 0 || picture.w == 0 || picture.pixels.len() != 3 * picture.h * picture.w {
        return Err(Error::shape("picture", "at least one pixel of three colours", picture.pixels.len()));
    }
    if !picture.pixels.iter().all(|v| v.is_finite()) {
        return Err(Error::value("picture", "finite numbers", "others"));
    }
    Ok(())
}

/// Of all that may be there, what is likely enough and no better one suppresses, the surest first, in the picture's pixels;
/// `scale` is how many of theirs one of those has.
fn chosen(all: impl Iterator<Item = Detection>, ask: &Ask, scale: f32, picture: &Rgb) -> Vec<Detection> {
    let mut all: Vec<Detection> = all.filter(|found| found.score >= ask.threshold).collect();
    all.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut kept: Vec<Detection> = Vec::new();
    for next in all {
        let most = |other: &Detection| if other.digit == next.digit { ask.overlap } else { ask.others };
        if kept.len() < ask.most && !kept.iter().any(|other| iou(other.region, next.region) > most(other)) {
            kept.push(next);
        }
    }
    for found in &mut kept {
        found.region = boxes::within(found.region.map(|v| v / scale), picture.w as f32, picture.h as f32);
    }
    kept
}
