//! How well digits are found: average precision on scenes, and whole sheets read right.

use super::Detection;
use crate::data::pictures::Rgb;
use crate::data::scenes::{Digits, Part, Scene, Setup};
use crate::error::{Error, Result};
use crate::kernel::roi::iou;
use crate::train::detection::{Coco, Found, Truth, coco};

/// The pictures and the truths of scenes `0..n` of a part. Errors: [`Error::Value`] for none; those of [`Setup::check`].
pub fn scenes(setup: &Setup, digits: &Digits, part: Part, n: usize) -> Result<Vec<Scene>> {
    if n == 0 {
        return Err(Error::value("scenes", "at least 1", n));
    }
    (0..n as u64).map(|i| Scene::draw(setup, digits, part.seed(i))).collect()
}

/// COCO's figures of a detector on scenes. Errors: those of the detector and of [`coco`].
pub fn judge(scenes: &[Scene], mut detect: impl FnMut(&Rgb) -> Result<Vec<Detection>>) -> Result<Coco> {
    let (mut truths, mut found) = (Vec::new(), Vec::new());
    for (image, scene) in scenes.iter().enumerate() {
        truths.extend(scene.objects.iter().map(|object| Truth {
            image,
            class: usize::from(object.digit),
            bbox: object.bbox.map(f64::from),
            crowd: false,
        }));
        found.extend(detect(&scene.picture)?.into_iter().map(|d| Found {
            image,
            class: usize::from(d.digit),
            bbox: d.region.map(f64::from),
            score: f64::from(d.score),
        }));
    }
    coco(&truths, &found)
}

/// Whether exactly the digits of a scene were found, each where it is: a box shares at least half with its own digit's.
pub fn all_right(scene: &Scene, found: &[Detection]) -> bool {
    let mut free: Vec<&Detection> = found.iter().collect();
    let taken = scene.objects.iter().all(|object| {
        let fits = |d: &&Detection| d.digit == object.digit && iou(d.region, object.bbox) >= 0.5;
        free.iter().position(fits).map(|k| free.swap_remove(k)).is_some()
    });
    taken && free.is_empty()
}

/// The part of scenes that are [`all_right`]. Errors: those of the detector.
pub fn sheets(scenes: &[Scene], mut detect: impl FnMut(&Rgb) -> Result<Vec<Detection>>) -> Result<f64> {
    let mut right = 0;
    for scene in scenes {
        right += usize::from(all_right(scene, &detect(&scene.picture)?));
    }
    Ok(right as f64 / scenes.len().max(1) as f64)
}
