//! Integrated gradients: `xᵢ · ∫₀¹ ∂S/∂xᵢ (αx) dα`, from bare paper to the picture. Sundararajan et al. 2017, section 3.
//!
//! Complete: the map sums to `S(x) − S(0)`, but for what the sum over steps leaves of the integral.

use super::gradient::mean;
use super::probe::Rule;
use super::{Explainer, within};
use crate::error::Result;

impl Explainer {
    /// The map, and the score of bare paper. The integral is taken in the middle of each step.
    pub(super) fn integrated(&mut self, class: usize, steps: usize) -> Result<(Vec<f32>, f32)> {
        within("steps", steps, 1, 1000)?;
        let way = |k: usize| (k as f32 + 0.5) / steps as f32;
        let pictures: Vec<f32> = (0..steps).flat_map(|k| self.picture.iter().map(move |x| way(k) * x)).collect();
        let mut gradients = Vec::new();
        self.picture_gradients(class, Rule::Gradient, &pictures, &mut gradients)?;
        let mut map = mean(&gradients, self.picture.len());
        map.iter_mut().zip(&self.picture).for_each(|(g, x)| *g *= x);
        self.many.forward(&self.params, &vec![0.0; self.picture.len()])?;
        Ok((map, self.many.scores()[class]))
    }
}
