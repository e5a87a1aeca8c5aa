//! Which range of an activation its levels cover: calibration on data.

use crate::error::{Error, Result};
use crate::kernel::quantise::round;
use std::str::FromStr;

/// How the range is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Method {
    /// From the least to the largest value seen.
    MinMax,
    /// Leaving out this part of the values, in percent, at each end.
    Percentile(f32),
    /// Of narrower and narrower ranges, that of the least squared error.
    Mse,
}

impl FromStr for Method {
    type Err = Error;

    /// `minmax`, `mse`, `percentile` (99.99), or a percentile from above 50 to 100.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "minmax" => Ok(Self::MinMax),
            "mse" => Ok(Self::Mse),
            "percentile" => Ok(Self::Percentile(0.01)),
            _ => {
                let part = text.parse().ok().filter(|part| (50.0..=100.0).contains(part) && *part > 50.0);
                let got: String = text.chars().take(20).collect();
                part.map(|part: f32| Self::Percentile(100.0 - part))
                    .ok_or_else(|| Error::value("calibration", "minmax, mse, percentile or a percentile above 50", got))
            }
        }
    }
}

/// Most values of a wire that are kept to choose by.
const KEPT: usize = 1 << 17;

/// What was seen of one wire's values.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    least: f32,
    most: f32,
    /// Every `every`-th value.
    kept: Vec<f32>,
    every: usize,
    at: usize,
}

impl Seen {
    /// Adds values.
    pub fn add(&mut self, values: &[f32]) {
        for &v in values {
            (self.least, self.most) = (self.least.min(v), self.most.max(v));
            self.every = self.every.max(1);
            if self.at.is_multiple_of(self.every) {
                self.kept.push(v);
            }
            self.at += 1;
        }
        while self.kept.len() > KEPT {
            let mut keep = false;
            self.kept.retain(|_| {
                keep = !keep;
                keep
            });
            self.every *= 2;
        }
    }

    /// A step and the bounds of 256 levels around its zero, which is one of them. Everywhere 0, the step is 1/255.
    pub fn levels(&self, method: Method) -> (f32, (i16, i16)) {
        let (lo, hi) = match method {
            Method::MinMax => (self.least, self.most),
            Method::Percentile(part) => self.percentile(part),
            Method::Mse => self.narrowed(),
        };
        levels(lo, hi)
    }

    fn percentile(&self, part: f32) -> (f32, f32) {
        let mut sorted = self.kept.clone();
        sorted.sort_by(f32::total_cmp);
        let cut = (sorted.len() as f64 * f64::from(part) / 100.0) as usize;
        let end = |at: usize| sorted.get(at).copied().unwrap_or(0.0);
        (end(cut).min(0.0), end(sorted.len().saturating_sub(1 + cut)).max(0.0))
    }

    fn narrowed(&self) -> (f32, f32) {
        let tried = (20..=64).map(|i| i as f32 / 64.0).map(|part| (self.least * part, self.most * part));
        let error = |(lo, hi): (f32, f32)| -> f64 {
            let (step, (least, most)) = levels(lo, hi);
            let bounds = (f32::from(least), f32::from(most));
            let each = |v: f32| f64::from(round((v / step).max(bounds.0).min(bounds.1)) * step - v);
            // A few thousand tell ranges apart.
            self.kept.iter().step_by(self.kept.len() / 8192 + 1).map(|v| each(*v)).map(|e| e * e).sum()
        };
        let best = tried.map(|range| (error(range), range)).min_by(|a, b| a.0.total_cmp(&b.0));
        best.map_or((self.least, self.most), |(_, range)| range)
    }
}

/// 256 levels from `lo`, at most 0, to `hi`, at least 0.
pub fn levels(lo: f32, hi: f32) -> (f32, (i16, i16)) {
    if hi - lo <= f32::MIN_POSITIVE {
        return (1.0 / 255.0, (0, 255));
    }
    let step = (hi - lo) / 255.0;
    let zero = round((-lo / step).clamp(0.0, 255.0)) as i16;
    (step, (-zero, 255 - zero))
}
