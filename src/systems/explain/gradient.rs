//! The gradient of a score by the picture, plain and smoothed.

use super::probe::Rule;
use super::{Explainer, within};
use crate::error::Result;
use crate::rng::Rng;

impl Explainer {
    /// `∂S/∂x`. Simonyan et al. 2014, section 3.
    pub(super) fn saliency(&mut self, class: usize) -> Result<Vec<f32>> {
        let (picture, mut map) = (self.picture.clone(), Vec::new());
        self.picture_gradients(class, Rule::Gradient, &picture, &mut map)?;
        Ok(map)
    }

    /// `1/n Σ ∂S/∂x (x + ε)`, `ε` normal. Smilkov et al. 2017, section 2.
    pub(super) fn smooth_grad(&mut self, class: usize, samples: usize, noise: f32, seed: u64) -> Result<Vec<f32>> {
        within("samples", samples, 1, 1000)?;
        within("noise", noise, 0.0, 10.0)?;
        let mut rng = Rng::new(seed);
        let noisy: Vec<f32> = (0..samples).flat_map(|_| &self.picture).map(|x| x + noise * rng.normal()).collect();
        let mut gradients = Vec::new();
        self.picture_gradients(class, Rule::Gradient, &noisy, &mut gradients)?;
        Ok(mean(&gradients, self.picture.len()))
    }
}

/// The mean of rows of this length.
pub(super) fn mean(rows: &[f32], len: usize) -> Vec<f32> {
    let mut mean = vec![0.0; len];
    for row in rows.chunks_exact(len) {
        mean.iter_mut().zip(row).for_each(|(mean, v)| *mean += v);
    }
    let count = (rows.len() / len) as f32;
    mean.iter_mut().for_each(|v| *v /= count);
    mean
}
