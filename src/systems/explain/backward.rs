//! The way back of one lesson: the loss of the picture with a label, its gradient by every value and every weight, the step
//! that gradient descent would take, and the derivative by its definition to check it all by.

use super::Explainer;
use super::probe::Probe;
use crate::error::{Error, Result};
use crate::nn::{Params, Wire};
use crate::tensor::Tensor;

/// Gradients of the cross-entropy `L = −ln p[label]` of one picture.
#[derive(Debug, Clone)]
pub struct Backward {
    /// The class that the picture should be read as.
    pub label: usize,
    /// `L`.
    pub loss: f64,
    /// `∂L/∂y` for every wire that it arrives at (CHW).
    values: Vec<(Wire, Vec<f32>)>,
    /// `∂L/∂w`, in the arena's order.
    weights: Vec<f32>,
}

/// A derivative by its definition, `(L(w + h) − L(w − h)) / 2h`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Numeric {
    /// `L(w − h)`.
    pub below: f64,
    /// `L(w + h)`.
    pub above: f64,
    /// Their difference over `2h`.
    pub slope: f64,
}

impl Explainer {
    /// Goes all the way back from the loss of the picture with this label.
    ///
    /// Errors: [`Error::Missing`] before the first picture, [`Error::Value`] for a class that there is not.
    pub fn backward(&mut self, label: usize) -> Result<Backward> {
        self.seen()?;
        self.checked(label)?;
        self.live.forward(&self.params, &self.picture)?;
        let loss = loss(&mut self.live, label)?;
        let mut values = Vec::new();
        self.live.walk(&self.params, self.net.output(), None, |run, wire| {
            if let Some((gradient, map)) = run.gradient(wire) {
                let mut out = vec![0.0; map.shape.len()];
                map.copy_to_chw(gradient, &mut out);
                values.push((wire, out));
            }
        });
        Ok(Backward { label, loss, values, weights: self.live.weights.clone() })
    }

    /// `∂L/∂y` of a layer (CHW), behind the activation that works in its buffer; zeros where nothing arrives.
    pub fn value_gradient(&self, of: &Backward, layer: &str) -> Result<Vec<f32>> {
        let wire = self.live.behind(self.net.wire(layer)?);
        let found = of.values.iter().find(|(own, _)| *own == wire).map(|(_, gradient)| gradient.clone());
        Ok(found.unwrap_or_else(|| vec![0.0; self.net.node(wire).shape.len()]))
    }

    /// `∂L/∂w` of a parameter, in its public order. Errors: [`Error::Missing`] for a name that there is not.
    pub fn weight_gradient(&self, of: &Backward, parameter: &str) -> Result<Tensor> {
        let mut gradient = self.params.clone();
        gradient.values_mut().copy_from_slice(&of.weights);
        gradient.get(parameter)
    }

    /// The loss after a step of gradient descent, `w − rate · ∂L/∂w` for every weight. The network stays as it is.
    pub fn loss_after(&mut self, of: &Backward, rate: f32) -> Result<f64> {
        let mut params = self.params.clone();
        params.values_mut().iter_mut().zip(&of.weights).for_each(|(w, g)| *w -= rate * g);
        self.loss_with(&params, of.label)
    }

    /// The derivative of the loss by one weight, from two losses beside it.
    ///
    /// Errors: [`Error::Missing`] for a parameter that there is not, [`Error::Value`] for a place in it or a class that
    /// there is not and for an `h` that is not above 0.
    pub fn numeric(&mut self, label: usize, parameter: &str, place: usize, h: f32) -> Result<Numeric> {
        self.seen()?;
        self.checked(label)?;
        let tensor = self.params.get(parameter)?;
        if place >= tensor.len() || !(h.is_finite() && h > 0.0) {
            let got = format!("weight {place}, h = {h}");
            return Err(Error::value(parameter, format!("a weight below {} and h above 0", tensor.len()), got));
        }
        let mut at = |step: f32| {
            let (mut moved, mut params) = (tensor.clone(), self.params.clone());
            *moved.iter_mut().nth(place).expect("a place within") += step;
            params.set(parameter, &moved)?;
            Ok((moved.iter().nth(place).copied().unwrap_or(0.0), self.loss_with(&params, label)?))
        };
        // The distance is that of the two numbers that float32 holds.
        let ((left, below), (right, above)) = (at(-h)?, at(h)?);
        let between = f64::from(right) - f64::from(left);
        Ok(Numeric { below, above, slope: if between > 0.0 { (above - below) / between } else { f64::NAN } })
    }

    fn loss_with(&mut self, params: &Params, label: usize) -> Result<f64> {
        self.many.forward(params, &self.picture)?;
        loss(&mut self.many, label)
    }
}

fn loss(probe: &mut Probe, label: usize) -> Result<f64> {
    let mut target = vec![0.0; probe.scores().len()];
    target[label] = 1.0;
    let output = probe.run.network().output();
    probe.run.soft_cross_entropy(output, &target, 1.0)
}
