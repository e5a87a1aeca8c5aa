//! How well a network segments: intersection over union of each class, the background left out of the mean.

use super::{Mask, Segmenter, Task};
use crate::data::pictures::Rgb;
use crate::data::streets::{Split, Weather};
use crate::error::{Error, Result};
use crate::train::metrics::PixelConfusion;

/// What the masks of many pictures came to.
#[derive(Debug, Clone)]
pub struct Score {
    /// Pictures.
    pub images: usize,
    /// Of all pixels.
    pub confusion: PixelConfusion,
    /// Of streets, those of each weather.
    pub weathers: Vec<(Weather, PixelConfusion)>,
}

impl Score {
    /// The weather with the lowest mean, and that.
    pub fn worst_weather(&self) -> Option<(Weather, f64)> {
        let means = self.weathers.iter().filter_map(|(weather, part)| Some((*weather, part.mean_iou()?)));
        means.min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// Judges a network on samples `0..n` of a part of its task. Errors: [`Error::Value`] for none, [`Error::Shape`] for a network
/// of another task's classes.
pub fn judge(segmenter: &mut Segmenter, task: Task, split: Split, n: usize) -> Result<Score> {
    if n == 0 {
        return Err(Error::value("images", "at least 1", n));
    }
    if segmenter.classes() != task.classes() {
        return Err(Error::shape("classes", task.classes().join(","), segmenter.classes().join(",")));
    }
    let classes = task.classes().len();
    let mut score = Score { images: n, confusion: PixelConfusion::new(classes), weathers: Vec::new() };
    if task == Task::Streets {
        score.weathers = Weather::ALL.map(|weather| (weather, PixelConfusion::new(classes))).into();
    }
    let (h, w) = task.size();
    for i in 0..n {
        let sample = task.draw(split, i as u64)?;
        let picture = Rgb { h, w, pixels: sample.picture.iter().map(|&byte| f32::from(byte) / 255.0).collect() };
        let Mask { classes: answers, .. } = segmenter.segment(&picture)?;
        score.confusion.add(&sample.truth, &answers)?;
        if let Some((_, part)) = score.weathers.get_mut(i % Weather::ALL.len()) {
            part.add(&sample.truth, &answers)?;
        }
    }
    Ok(score)
}
