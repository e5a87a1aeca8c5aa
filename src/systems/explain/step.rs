//! The numbers behind one number of a layer: the window, the kernel, the bias, their sum, and what the engine made of it.

use super::receptive::window_of;
use super::{Explainer, within};
use crate::error::{Error, Result};
use crate::kernel::softmax::softmax;
use crate::nn::Wire;
use crate::shape::{Shape, Window};
use crate::tensor::Map;

/// The most numbers of an unfolded layer: 32 MB.
const MOST: usize = 1 << 23;

/// How one number of a layer comes about.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The layer's kind.
    pub kind: &'static str,
    /// The layer that it reads, behind whose activation.
    pub from: String,
    /// Where the window begins on the input, row and column; negative in the padding.
    pub at: [isize; 2],
    /// The window; one pixel for an affine layer.
    pub window: Window,
    /// Channels under the window: those of the filter's group, or the one that is pooled.
    pub channels: std::ops::Range<usize>,
    /// What lies under it: channels × height × width. Padding is 0; under a maximum, which leaves it out, it is NaN.
    pub inputs: Vec<f32>,
    /// The kernel, in the same order; empty for pooling.
    pub weights: Vec<f32>,
    /// The bias; 0 where there is none.
    pub bias: f32,
    /// `Σ inputs · weights + bias`, the maximum or the mean, added up here in double precision.
    pub sum: f32,
    /// What stands in the engine's buffer, behind its activation.
    pub value: f32,
}

/// How scores become probabilities: `pᵢ = eˢⁱ⁻ᵐ / Σ eˢʲ⁻ᵐ`, `m` the largest score.
#[derive(Debug, Clone, PartialEq)]
pub struct Softmax {
    /// `s`.
    pub scores: Vec<f32>,
    /// `eˢ⁻ᵐ`.
    pub powers: Vec<f32>,
    /// `p`.
    pub probabilities: Vec<f32>,
}

impl Explainer {
    /// The numbers behind number `(y, x)` of a channel of a layer.
    ///
    /// Errors: [`Error::Missing`] before the first picture and for a layer that is no convolution, pooling or affine layer,
    /// [`Error::Value`] for a place that there is not.
    pub fn step(&self, layer: &str, channel: usize, y: usize, x: usize) -> Result<Step> {
        self.seen()?;
        let wire = self.net.wire(layer)?;
        let shape = self.net.node(wire).shape;
        within("channel", channel, 0, shape.c - 1)?;
        within("row", y, 0, shape.h - 1)?;
        within("column", x, 0, shape.w - 1)?;
        let (window, input, values) = self.under(wire)?;
        let kind = self.net.node(wire).layer.as_ref().map_or("input", |layer| layer.kind());
        let weights = self.weights(layer, channel)?;
        let area = window.kernel.0 * window.kernel.1;
        let channels = match &weights {
            None => channel..channel + 1,
            Some(weights) => {
                let own = weights.len() / area;
                let group = channel / (shape.c / (input.c / own)).max(1);
                group * own..(group + 1) * own
            }
        };
        let outside = if kind == "max_pool" { f32::NAN } else { 0.0 };
        let at = corner(&window, y, x);
        let inputs: Vec<f32> =
            taps(&window, input, at, channels.clone()).map(|i| i.map_or(outside, |i| values[i])).collect();
        let bias = self.params.get(&format!("{layer}.bias")).map_or(0.0, |bias| bias[[channel]]);
        let weights = weights.unwrap_or_default();
        let sum = sum(kind, &inputs, &weights, bias);
        let from = self.source(wire);
        Ok(Step {
            kind,
            from,
            at,
            window,
            channels,
            sum,
            inputs,
            weights,
            bias,
            value: self.value(wire, channel, y, x)?,
        })
    }

    /// `im2col`: every window of a convolution as a row of a matrix (height · width × channels · kernel), the first
    /// group's if there are several. The weights' rows times it, plus the bias, are the layer.
    ///
    /// Errors: as [`Explainer::step`], and [`Error::Value`] for a matrix of more than 2²³ numbers.
    pub fn columns(&self, layer: &str) -> Result<(Shape, Vec<f32>)> {
        self.seen()?;
        let wire = self.net.wire(layer)?;
        let (window, input, values) = self.under(wire)?;
        let Some(weights) = self.weights(layer, 0)? else {
            return Err(Error::missing(layer, "a layer with weights", "none"));
        };
        let shape = self.net.node(wire).shape;
        within("numbers of the matrix", shape.h * shape.w * weights.len(), 1, MOST)?;
        let channels = 0..weights.len() / (window.kernel.0 * window.kernel.1);
        let mut matrix = Vec::with_capacity(shape.h * shape.w * weights.len());
        for o in 0..shape.h * shape.w {
            let at = corner(&window, o / shape.w, o % shape.w);
            matrix.extend(taps(&window, input, at, channels.clone()).map(|i| i.map_or(0.0, |i| values[i])));
        }
        Ok((Shape::new(1, shape.h * shape.w, weights.len()), matrix))
    }

    /// How the scores become probabilities.
    pub fn softmax(&self) -> Result<Softmax> {
        let scores = self.scores()?.to_vec();
        let most = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let powers = scores.iter().map(|s| libm::expf(s - most)).collect();
        let mut probabilities = scores.clone();
        softmax(self.live.run.level(), &mut probabilities, scores.len());
        Ok(Softmax { scores, powers, probabilities })
    }

    /// The window of a layer, and its input's shape and values (CHW); a flattened image counts as its numbers in a row.
    fn under(&self, wire: Wire) -> Result<(Window, Shape, Vec<f32>)> {
        let node = self.net.node(wire);
        let input = node.inputs.first().map(|&w| (w, self.net.node(w)));
        let window = node.layer.as_deref().zip(input).and_then(|(layer, (_, x))| window_of(layer, x.shape));
        let (Some(window), Some((from, x))) = (window, input) else {
            return Err(Error::missing(&node.name, "a convolution, pooling or affine layer", "another"));
        };
        let (numbers, map) = self.live.run.values(from).expect("a plan that keeps values");
        // In the engine the numbers of a flattened image follow each other pixel by pixel.
        let map = if x.flat == x.shape { map } else { Map::new(x.flat, (0, 0)) };
        let mut values = vec![0.0; map.shape.len()];
        map.copy_to_chw(numbers, &mut values);
        Ok((window, x.shape, values))
    }

    /// The name of the layer that one reads: what works in place belongs to the layer before.
    fn source(&self, wire: Wire) -> String {
        let mut node = self.net.node(self.net.node(wire).inputs[0]);
        while node.layer.as_ref().is_some_and(|layer| layer.in_place() && layer.kind() != "add") {
            node = self.net.node(node.inputs[0]);
        }
        node.name.clone()
    }

    /// The weights behind one channel; `None` for a layer without.
    fn weights(&self, layer: &str, channel: usize) -> Result<Option<Vec<f32>>> {
        let Ok(weights) = self.params.get(&format!("{layer}.weight")) else { return Ok(None) };
        let row = weights.len() / weights.shape()[0];
        Ok(Some(weights.iter().skip(channel * row).take(row).copied().collect()))
    }

    fn value(&self, wire: Wire, channel: usize, y: usize, x: usize) -> Result<f32> {
        let (values, map) = self.live.run.values(self.live.behind(wire)).expect("a plan that keeps values");
        Ok(values[map.at(y, x) + channel])
    }
}

/// Where the window behind output `(y, x)` begins.
fn corner(window: &Window, y: usize, x: usize) -> [isize; 2] {
    let along = |o: usize, stride: usize, pad: usize| (o * stride) as isize - pad as isize;
    [along(y, window.stride.0, window.pad.0), along(x, window.stride.1, window.pad.1)]
}

/// Where the numbers under a window lie in the input (CHW); `None` in the padding.
fn taps(
    window: &Window,
    x: Shape,
    at: [isize; 2],
    channels: std::ops::Range<usize>,
) -> impl Iterator<Item = Option<usize>> + use<> {
    let Window { kernel, dilation, .. } = *window;
    channels.flat_map(move |c| {
        (0..kernel.0 * kernel.1).map(move |k| {
            let row = at[0] + (k / kernel.1 * dilation.0) as isize;
            let column = at[1] + (k % kernel.1 * dilation.1) as isize;
            let inside = (0..x.h as isize).contains(&row) && (0..x.w as isize).contains(&column);
            inside.then(|| (c * x.h + row as usize) * x.w + column as usize)
        })
    })
}

fn sum(kind: &str, inputs: &[f32], weights: &[f32], bias: f32) -> f32 {
    let wide = || inputs.iter().map(|&v| f64::from(v));
    match kind {
        "max_pool" => inputs.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        _ if weights.is_empty() => (wide().sum::<f64>() / inputs.len() as f64) as f32,
        _ => (wide().zip(weights).map(|(x, &w)| x * f64::from(w)).sum::<f64>() + f64::from(bias)) as f32,
    }
}
