//! Guided backpropagation: `dxᵢ = dyᵢ · [yᵢ > 0] · [dyᵢ > 0]` at every ReLU. Springenberg et al. 2015, section 3.4.
//!
//! The layers' own backward stays as it is: what is negative is taken from a ReLU's gradient before it is passed on.

use super::Explainer;
use super::probe::Rule;
use crate::error::Result;

impl Explainer {
    pub(super) fn guided(&mut self, class: usize) -> Result<Vec<f32>> {
        let (picture, mut map) = (self.picture.clone(), Vec::new());
        self.picture_gradients(class, Rule::Guided, &picture, &mut map)?;
        Ok(map)
    }
}
