//! What there is to see of a training: a confusion matrix, norms and histograms by layer, speed and time to go.

use crate::error::{Error, Result};
use crate::kernel::{Level, reduce};
use crate::nn::{Network, Run, Wire};
use serde::Serialize;

/// How often each class was read as each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// Number of classes.
    pub classes: usize,
    /// Rows of true classes, columns of answers.
    pub counts: Vec<u64>,
}

impl Confusion {
    /// Counts the highest score of each row against its label. Errors: [`Error::Shape`] for another number of rows,
    /// [`Error::Value`] for a label without a class.
    pub fn new(scores: &[f32], labels: &[u8], classes: usize) -> Result<Self> {
        if classes == 0 || scores.len() != labels.len() * classes {
            return Err(Error::shape("scores", format!("{} rows of {classes}", labels.len()), scores.len()));
        }
        let mut counts = vec![0; classes * classes];
        for (row, &label) in scores.chunks_exact(classes).zip(labels) {
            if usize::from(label) >= classes {
                return Err(Error::value("label", format!("below {classes}"), label));
            }
            // A row of NaN alone has no answer, and counts as the first class.
            counts[usize::from(label) * classes + reduce::argmax(row).unwrap_or(0)] += 1;
        }
        Ok(Self { classes, counts })
    }

    /// Images of class `truth` that were read as `answer`.
    pub fn count(&self, truth: usize, answer: usize) -> u64 {
        self.counts[truth * self.classes + answer]
    }

    /// Part of all that was read right.
    pub fn accuracy(&self) -> Option<f64> {
        part((0..self.classes).map(|c| self.count(c, c)).sum(), self.counts.iter().sum())
    }

    /// Of those read as `class`, the part that was; `None` if none was read so.
    pub fn precision(&self, class: usize) -> Option<f64> {
        part(self.count(class, class), (0..self.classes).map(|truth| self.count(truth, class)).sum())
    }

    /// Of those that are `class`, the part that was read so; `None` if there is none.
    pub fn recall(&self, class: usize) -> Option<f64> {
        part(self.count(class, class), (0..self.classes).map(|answer| self.count(class, answer)).sum())
    }
}

fn part(some: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| some as f64 / all as f64)
}

/// The norm of an arena (a gradient, the parameters) in each layer that has parameters, by its name.
pub fn norms(net: &Network, arena: &[f32]) -> Vec<(String, f64)> {
    let views = net.views();
    let own = net.nodes().iter().filter(|node| !node.params.is_empty());
    own.map(|node| {
        let parts = views[node.params.clone()].iter().map(|v| reduce::sum_of_squares(Level::new(), &arena[v.range()]));
        (node.name.clone(), libm::sqrt(parts.sum()))
    })
    .collect()
}

/// Counts of numbers in bins of one width.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Histogram {
    /// The least and the largest number; both 0 where there is none.
    pub range: [f32; 2],
    /// How many fell into each bin; the largest number falls into the last.
    pub counts: Vec<u64>,
    /// Numbers that are not finite, in no bin.
    pub lost: u64,
}

impl Histogram {
    /// Counts numbers into `bins` bins, at least one, from the least to the largest.
    pub fn new(values: impl Iterator<Item = f32> + Clone, bins: usize) -> Self {
        let finite = values.clone().filter(|v| v.is_finite());
        let (low, high) = finite.clone().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let mut counts = vec![0; bins.max(1)];
        let last = counts.len() - 1;
        let width = if high > low { (f64::from(high) - f64::from(low)) / counts.len() as f64 } else { 1.0 };
        finite.for_each(|v| counts[(((f64::from(v) - f64::from(low)) / width) as usize).min(last)] += 1);
        let lost = values.filter(|v| !v.is_finite()).count() as u64;
        Self { range: if low <= high { [low, high] } else { [0.0; 2] }, counts, lost }
    }

    /// Of an arena's numbers in one layer, by the layer's name: its weights, or their gradient.
    pub fn of_layer(net: &Network, layer: &str, arena: &[f32], bins: usize) -> Result<Self> {
        let node = net.node(net.wire(layer)?);
        let views = &net.views()[node.params.clone()];
        Ok(Self::new(views.iter().flat_map(|v| &arena[v.range()]).copied(), bins))
    }

    /// Of the activations on a wire after a run, its halo left out; `None` if the plan let another wire have the buffer.
    pub fn of_activations(run: &Run, wire: Wire, bins: usize) -> Option<Self> {
        let (values, map) = run.values(wire)?;
        Some(Self::new(map.rows(run.images()).flat_map(|row| &values[row]).copied(), bins))
    }
}

/// How fast a training goes, and how long it will.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pace {
    /// Images per second so far.
    pub images_per_second: f64,
    /// Seconds to go.
    pub seconds_left: f64,
}

impl Pace {
    /// From `done` of `total` images in `seconds`; `None` before anything can be said.
    pub fn new(done: u64, total: u64, seconds: f64) -> Option<Self> {
        let speed = done as f64 / seconds;
        let left = total.saturating_sub(done) as f64 / speed;
        (speed.is_finite() && speed > 0.0).then_some(Self { images_per_second: speed, seconds_left: left })
    }
}

/// How many pixels of each class were read as each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PixelConfusion {
    /// Number of classes.
    pub classes: usize,
    /// Rows of true classes, columns of answers.
    pub counts: Vec<u64>,
}

impl PixelConfusion {
    /// A pixel of this class counts for nothing: the field's void.
    pub const IGNORE: u8 = 255;

    /// No pixel yet.
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; classes * classes] }
    }

    /// Counts the pixels of a mask against the truth. Errors, and counts none: [`Error::Shape`] for another number of pixels,
    /// [`Error::Value`] for a number that is no class.
    pub fn add(&mut self, truth: &[u8], answers: &[u8]) -> Result<()> {
        if truth.len() != answers.len() {
            return Err(Error::shape("mask", format!("{} pixels", truth.len()), answers.len()));
        }
        let is_class = |class: u8| usize::from(class) < self.classes;
        let wrong = truth.iter().filter(|&&t| t != Self::IGNORE).chain(answers).find(|&&class| !is_class(class));
        if let Some(class) = wrong {
            return Err(Error::value("class of a pixel", format!("below {}", self.classes), class));
        }
        for (&t, &answer) in truth.iter().zip(answers).filter(|(t, _)| **t != Self::IGNORE) {
            self.counts[usize::from(t) * self.classes + usize::from(answer)] += 1;
        }
        Ok(())
    }

    /// Pixels of class `truth` that were read as `answer`.
    pub fn count(&self, truth: usize, answer: usize) -> u64 {
        self.counts[truth * self.classes + answer]
    }

    /// Pixels that are the class and were read so, over those that are or were: the Jaccard index. `None` where there are
    /// none of either.
    pub fn iou(&self, class: usize) -> Option<f64> {
        let (own, all) = (self.count(class, class), 0..self.classes);
        let union: u64 = all.map(|other| self.count(class, other) + self.count(other, class)).sum();
        part(own, union - own)
    }

    /// The mean over the classes but the first, which is the background, that are there at all. (The metric of VOC, whose
    /// mean has the background in it, is higher.)
    pub fn mean_iou(&self) -> Option<f64> {
        let found: Vec<f64> = (1..self.classes).filter_map(|class| self.iou(class)).collect();
        (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
    }

    /// Part of all pixels that was read right.
    pub fn accuracy(&self) -> Option<f64> {
        part((0..self.classes).map(|c| self.count(c, c)).sum(), self.counts.iter().sum())
    }
}
