//! A look inside a training: how the numbers of each layer are spread, and where the first one that is none came from.

use crate::error::{Error, Result};
use crate::nn::graph::Node;
use crate::nn::params::View;
use crate::nn::{Network, Params, Run, Wire};

/// Bars of a histogram.
const BARS: usize = 40;

/// How numbers are spread.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// The least and the greatest number, which the bars divide evenly.
    pub range: [f32; 2],
    /// How many numbers fall into each bar.
    pub bars: Vec<u32>,
    /// Their mean.
    pub mean: f32,
    /// Their standard deviation.
    pub deviation: f32,
    /// The part of them that is zero.
    pub zeros: f32,
}

/// A layer's numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Inspected {
    /// The layer's name, for a parameter with its own: `conv1.weight`.
    pub name: String,
    /// How they are spread.
    pub spread: Histogram,
}

impl Histogram {
    /// Of the finite ones of these numbers.
    pub fn new<'a>(numbers: impl Iterator<Item = &'a f32> + Clone) -> Self {
        let finite = numbers.filter(|v| v.is_finite());
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        let (mut n, mut zeros, mut sum, mut squares) = (0_u32, 0_u32, 0.0, 0.0);
        for &v in finite.clone() {
            (low, high) = (low.min(v), high.max(v));
            n += 1;
            zeros += u32::from(v == 0.0);
            sum += f64::from(v);
            squares += f64::from(v) * f64::from(v);
        }
        let mut bars = vec![0; BARS];
        let scale = if high > low { BARS as f32 / (high - low) } else { 0.0 };
        for &v in finite {
            bars[(((v - low) * scale) as usize).min(BARS - 1)] += 1;
        }
        let count = f64::from(n.max(1));
        let mean = sum / count;
        let range = if n == 0 { [0.0; 2] } else { [low, high] };
        Self {
            range,
            bars,
            mean: mean as f32,
            deviation: libm::sqrt((squares / count - mean * mean).max(0.0)) as f32,
            zeros: (f64::from(zeros) / count) as f32,
        }
    }
}

/// Every layer's output after a run: for a layer with an activation behind it, what the activation made of it.
pub(super) fn activations(run: &Run) -> Vec<Inspected> {
    let net = run.network();
    let spread = |wire| {
        let (values, map) = run.values(wire)?;
        let rows = map.rows(values.len() / map.len());
        let spread = Histogram::new(rows.flat_map(|row| &values[row]));
        Some(Inspected { name: net.node(wire).name.clone(), spread })
    };
    net.wires().filter(|&wire| shows(net, wire)).filter_map(spread).collect()
}

/// Whether a node's output is numbers of its own: no input, no flattening, and nothing that changes it in place behind.
fn shows(net: &Network, wire: Wire) -> bool {
    let Some(layer) = &net.node(wire).layer else { return false };
    let changes =
        |node: &Node| node.layer.as_ref().is_some_and(|layer| layer.in_place()) && node.inputs.first() == Some(&wire);
    layer.kind() != "flatten" && !layer.is_loss() && !net.nodes().iter().any(changes)
}

/// The spread of each weight and of its gradient, biases left out.
pub(super) fn weights(params: &Params, gradient: &[f32]) -> Vec<[Inspected; 2]> {
    let of = |view: &View, arena: &[f32]| Inspected {
        name: view.name.clone(),
        spread: Histogram::new(arena[view.range()].iter()),
    };
    let views = params.views().iter().filter(|view| view.fan_in > 0);
    views.map(|view| [of(view, params.values()), of(view, gradient)]).collect()
}

/// The first layer, in the order of wiring, whose output has a number that is none.
pub(super) fn culprit(run: &Run) -> Option<&str> {
    let net = run.network();
    let broken = |wire: &Wire| run.values(*wire).is_some_and(|(values, _)| !values.iter().all(|v| v.is_finite()));
    let layer = |wire: &Wire| !net.node(*wire).layer.as_ref().is_some_and(|layer| layer.is_loss());
    net.wires().filter(layer).find(broken).map(|wire| &*net.node(wire).name)
}

/// Refuses a gradient that has a number that is none, of the step behind so many; the error names the layer.
pub(super) fn finite(views: &[View], gradient: &[f32], steps: u64) -> Result<()> {
    let refused = |layer| {
        let got = format!("none in the gradient of {layer}");
        Err(Error::value(format!("step {}", steps + 1), "finite numbers", got))
    };
    culprit_gradient(views, gradient).map_or(Ok(()), refused)
}

/// The first parameter whose gradient has a number that is none.
fn culprit_gradient<'a>(views: &'a [View], gradient: &[f32]) -> Option<&'a str> {
    // The largest of all magnitudes, as integers: this the compiler turns into SIMD, `all` with its early end it does not.
    let largest = |values: &[f32]| values.iter().fold(0, |most, v| v.abs().to_bits().max(most));
    views.iter().find(|view| largest(&gradient[view.range()]) >= f32::INFINITY.to_bits()).map(|view| &*view.name)
}
