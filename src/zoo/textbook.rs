//! The textbook's published parameters (Saitoh 2016) under this project's names and conventions.
//!
//! The book numbers its parameters (`W1`, `b1`, …), keeps affine weights as in × out, and scales by `1 − ratio` behind a
//! dropout at inference. Here affine weights are out × in and dropout is inverted, so that inference does nothing: the
//! scaling moves into the weights, once.

use super::build;
use crate::error::{Error, Result};
use crate::nn::params::View;
use crate::tensor::Tensor;
use std::collections::BTreeMap;

/// The architectures whose parameters were published, and what the book's dropout multiplies their parameters by:
/// DeepConvNet halves the input of its last affine layer, and then the scores. Halving is exact in float16, too.
const PUBLISHED: &[(&str, &[(&str, f32)])] = &[
    ("deep_convnet", &[("affine2.weight", 0.25), ("affine2.bias", 0.5)]),
    ("simple_convnet", &[]),
    ("three_layer_mlp", &[]),
];

/// Names and converts the tensors of a published file for the architecture `name`, in the order of its parameters.
///
/// The networks take pixels scaled to 0..1. Errors: [`Error::Missing`] for another architecture, for a tensor that the
/// file lacks and for one that the architecture does not have; [`Error::Shape`] for one of another shape.
pub fn import(name: &str, tensors: &BTreeMap<String, Tensor>) -> Result<Vec<(String, Tensor)>> {
    let Some((_, scales)) = PUBLISHED.iter().find(|(published, _)| *published == name) else {
        let names: Vec<&str> = PUBLISHED.iter().map(|(name, _)| *name).collect();
        return Err(Error::missing("published parameters", format!("one of {}", names.join(", ")), name));
    };
    let net = build(name)?;
    let views = net.views();
    let numbered = |i: usize| format!("{}{}", if i.is_multiple_of(2) { 'W' } else { 'b' }, i / 2 + 1);
    if let Some(other) = tensors.keys().find(|key| (0..views.len()).all(|i| numbered(i) != **key)) {
        let expected = format!("W1, b1 to W{0}, b{0}", views.len() / 2);
        return Err(Error::missing(format!("parameters of {name}"), expected, other));
    }
    let convert = |(i, view): (usize, &View)| {
        let key = numbered(i);
        let tensor = tensors.get(&key).ok_or_else(|| Error::missing(format!("parameters of {name}"), &key, "none"))?;
        // Transposing reverses the axes; only the affine weights have two.
        let tensor = if view.shape.len() == 2 { tensor.t() } else { tensor.view() };
        if tensor.shape() != view.shape {
            let what = format!("{key} as {}", view.name);
            return Err(Error::shape(what, format!("{:?}", view.shape), format!("{:?}", tensor.shape())));
        }
        let scale = scales.iter().find(|(scaled, _)| *scaled == view.name).map_or(1.0, |(_, scale)| *scale);
        Ok((view.name.clone(), tensor.as_standard_layout().mapv(|v| v * scale)))
    };
    views.iter().enumerate().map(convert).collect()
}
