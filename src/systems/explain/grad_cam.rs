//! Grad-CAM: the maps of the last convolution, each weighed by how much its mean speaks for the class.
//! Selvaraju et al. 2017, section 3.

use super::probe::Rule;
use super::{Explainer, last_maps, picture};
use crate::error::Result;

impl Explainer {
    /// `ReLU(Σₖ αₖ Aᵏ)` with `αₖ = mean over i, j of ∂S/∂Aᵏᵢⱼ`, brought to the picture's size.
    pub(super) fn grad_cam(&mut self, class: usize) -> Result<Vec<f32>> {
        let maps = self.many.behind(last_maps(&self.net)?);
        let (shape, input) = (self.net.node(maps).shape, self.net.input_shape());
        let pixels = shape.h * shape.w;
        self.many.forward(&self.params, &self.picture)?;
        self.many.back(&self.params, self.net.output(), Some(maps), Rule::Gradient, |_, at| at.dy[class] = 1.0);
        let (mut values, mut gradients) = (vec![0.0; shape.len()], Vec::new());
        self.many.run.read(maps, 0, &mut values)?;
        self.many.gradients(maps, &mut gradients);
        let mut cam = vec![0.0; pixels];
        for (map, gradient) in values.chunks_exact(pixels).zip(gradients.chunks_exact(pixels)) {
            let alpha = gradient.iter().sum::<f32>() / pixels as f32;
            cam.iter_mut().zip(map).for_each(|(cam, v)| *cam += alpha * v);
        }
        cam.iter_mut().for_each(|v| *v = v.max(0.0));
        Ok(picture::resized(&cam, (shape.h, shape.w), (input.h, input.w)))
    }
}
