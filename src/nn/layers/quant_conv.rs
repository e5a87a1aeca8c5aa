//! A convolution that learns to have weights of few bits: it computes with rounded weights, and the gradient goes straight
//! through the rounding to those behind them, the latent ones.

use super::conv::{Conv, ConvOp};
use super::fake_quantise::log_gradient;
use crate::error::{Error, Result};
use crate::kernel::quantise::{self, Filters, Levels, best_step, filter_step_gradients};
use crate::nn::Network;
use crate::nn::description::{Setting, window_options};
use crate::nn::layer::{Backward, Forward, Io, Layer, Op};
use crate::nn::params::{Params, Role, View};
use crate::shape::Shape;
use crate::tensor::Tensor;
use std::any::Any;
use std::ops::Range;

/// Which weights there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weights {
    /// `−2ᵇ⁻¹ … 2ᵇ⁻¹ − 1` times a step for each filter, which is learnt; 2 to 8 bits. Esser et al. 2020.
    Steps(usize),
    /// −1, 0 and 1 times a scale for each filter. Li et al. 2016.
    Ternary,
    /// −1 and 1: Courbariaux et al. 2015 (BinaryConnect), Hubara et al. 2016 (BinaryNet).
    Binary,
    /// −1 and 1 times the mean of the filter's magnitudes. Rastegari et al. 2016 (XNOR-Net); no gradient goes through
    /// the mean, as in larq.
    Scaled,
}

impl Weights {
    /// What a description calls it: bits, and two flags, ternary and scaled.
    fn code(self) -> (usize, bool, bool) {
        match self {
            Self::Steps(bits) => (bits, false, false),
            Self::Ternary => (2, true, false),
            Self::Binary => (1, false, false),
            Self::Scaled => (1, false, true),
        }
    }

    /// Back from what a description calls it.
    pub fn from_code(bits: usize, ternary: bool, scaled: bool) -> Self {
        match (bits, ternary, scaled) {
            (_, true, _) => Self::Ternary,
            (1, _, true) => Self::Scaled,
            (1, _, false) => Self::Binary,
            (bits, ..) => Self::Steps(bits),
        }
    }

    /// The levels of a rule with steps.
    pub fn levels(self) -> Option<Levels> {
        match self {
            Self::Steps(bits) => Some(Levels::of(bits, true)),
            _ => None,
        }
    }
}

/// A convolution of one group over rounded weights.
///
/// Parameters: [`Conv`]'s, and for weights with steps `log_step`, the logarithm to the base 2 of each filter's step. Latent weights of
/// one bit stay within −1 and 1: see [`Role::Latent`].
#[derive(Debug, Clone, Copy)]
pub struct QuantConv {
    /// The convolution.
    pub conv: Conv,
    /// Its weights.
    pub weights: Weights,
}

impl Layer for QuantConv {
    fn kind(&self) -> &'static str {
        "quant_conv"
    }

    fn options(&self) -> Vec<(&'static str, Setting)> {
        let (bits, ternary, scaled) = self.weights.code();
        let mut options = vec![("out", Setting::Size(self.conv.out))];
        options.extend(window_options(&self.conv.window));
        options.extend([("bias", Setting::Flag(self.conv.bias)), ("bits", Setting::Size(bits))]);
        options.extend([("ternary", Setting::Flag(ternary)), ("scaled", Setting::Flag(scaled))]);
        options
    }

    fn output(&self, inputs: &[Shape]) -> Result<Shape> {
        if let Weights::Steps(bits) = self.weights
            && !(2..=8).contains(&bits)
        {
            return Err(Error::value("quantised convolution", "weights of 1 to 8 bits", bits));
        }
        if self.conv.groups != 1 {
            return Err(Error::value("quantised convolution", "one group", self.conv.groups));
        }
        self.conv.output(inputs)
    }

    fn params(&self, inputs: &[Shape], flat: Shape) -> Vec<View> {
        let mut views = self.conv.params(inputs, flat);
        match self.weights {
            Weights::Steps(_) => views.push(View::constant("log_step", vec![self.conv.out], Role::Scale, -3.0)),
            Weights::Binary | Weights::Scaled => views[0].role = Role::Latent,
            Weights::Ternary => (),
        }
        views
    }

    fn halo(&self) -> (usize, usize) {
        self.conv.halo()
    }

    fn gradient_halo(&self, inputs: &[Shape]) -> (usize, usize) {
        self.conv.gradient_halo(inputs)
    }

    fn fuses_relu(&self) -> bool {
        true
    }

    fn formula(&self, inputs: &[Shape]) -> String {
        self.conv.formula(inputs)
    }

    fn multiply_adds(&self, inputs: &[Shape]) -> u64 {
        self.conv.multiply_adds(inputs)
    }

    fn op(&self, io: &Io) -> Box<dyn Op> {
        // The convolution within has an arena of its own: rounded weights, and the bias behind them.
        let weight = io.params[0].clone();
        let bias = self.conv.bias.then(|| io.params[1].clone());
        let (own, out) = (weight.len(), self.conv.out);
        let len = own + if bias.is_some() { out } else { 0 };
        let params = std::iter::once(0..own).chain((len > own).then_some(own..len)).collect();
        let inner = ConvOp::new(self.conv.window, 1, &Io { params, ..io.clone() });
        Box::new(QuantOp {
            weights: self.weights,
            inner,
            rounded: 0,
            arena: vec![0.0; len],
            gradient: vec![0.0; if io.learns { len } else { 0 }],
            weight,
            bias,
            log_step: self.weights.levels().map(|_| io.params.last().expect("the steps").clone()),
            scales: vec![1.0; out],
            rules: vec![(0.0, 0.0); out],
            sums: vec![0.0; out],
            learns: io.learns,
        })
    }
}

struct QuantOp {
    weights: Weights,
    inner: ConvOp,
    /// The version of the parameters that `arena` was made of.
    rounded: u64,
    arena: Vec<f32>,
    gradient: Vec<f32>,
    weight: Range<usize>,
    bias: Option<Range<usize>>,
    log_step: Option<Range<usize>>,
    /// Each filter's step, or its scale.
    scales: Vec<f32>,
    /// Each filter's ternary threshold and scale.
    rules: Vec<(f32, f32)>,
    sums: Vec<f64>,
    learns: bool,
}

impl QuantOp {
    fn filters(&self) -> Filters<'_> {
        match self.weights {
            Weights::Steps(bits) => Filters::Steps(Levels::of(bits, true), &self.scales),
            Weights::Ternary => Filters::Ternary(&self.rules),
            Weights::Binary | Weights::Scaled => Filters::Sign(&self.scales),
        }
    }

    fn round(&mut self, values: &[f32]) {
        let (w, own) = (&values[self.weight.clone()], self.weight.len());
        match (self.weights, &self.log_step) {
            (Weights::Steps(_), Some(log_step)) => {
                let steps = self.scales.iter_mut().zip(&values[log_step.clone()]);
                steps.for_each(|(step, log)| *step = libm::exp2f(*log));
            }
            (Weights::Scaled, _) => quantise::mean_magnitudes(w, &mut self.scales),
            (Weights::Ternary, _) => quantise::ternary_rules(w, &mut self.rules),
            _ => (),
        }
        let mut arena = std::mem::take(&mut self.arena);
        self.filters().round(w, &mut arena[..own]);
        if let Some(bias) = self.bias.clone() {
            arena[own..].copy_from_slice(&values[bias]);
        }
        self.arena = arena;
    }
}

impl Op for QuantOp {
    fn forward(&mut self, cx: Forward<'_>) {
        let (values, version) = cx.params;
        if self.rounded != version {
            self.round(values);
            self.rounded = version;
        }
        self.inner.forward(Forward { params: (&self.arena, version), ..cx });
    }

    fn backward(&mut self, mut cx: Backward<'_>) {
        let (values, version) = cx.params;
        let dparams = std::mem::take(&mut cx.dparams);
        self.gradient.fill(0.0);
        self.inner.backward(Backward { params: (&self.arena, version), dparams: &mut self.gradient, ..cx });
        if !self.learns {
            return;
        }
        let (w, own) = (&values[self.weight.clone()], self.weight.len());
        let (dw, dbias) = self.gradient.split_at(own);
        self.filters().backward(w, dw, &mut dparams[self.weight.clone()]);
        if let Some(bias) = self.bias.clone() {
            dparams[bias].iter_mut().zip(dbias).for_each(|(sum, db)| *sum += db);
        }
        if let (Some(levels), Some(log_step)) = (self.weights.levels(), self.log_step.clone()) {
            filter_step_gradients(levels, &self.scales, w, dw, &mut self.sums);
            let numbers = own / self.scales.len();
            for ((sum, step), out) in self.sums.iter().zip(&self.scales).zip(&mut dparams[log_step]) {
                *out += log_gradient(*sum, *step, numbers, levels);
            }
        }
    }

    fn passes_relu(&self) -> bool {
        self.inner.passes_relu()
    }

    fn workspace(&self) -> usize {
        self.inner.workspace()
    }
}

/// Sets each filter's step to that of the least squared error, as training should begin with. Layers of another kind keep what
/// they have.
///
/// Errors: those of [`Params::get`], for parameters of another network.
pub fn fit_steps(net: &Network, params: &mut Params) -> Result<()> {
    for node in net.nodes() {
        let layer: Option<&dyn Any> = node.layer.as_ref().map(|layer| &**layer as &dyn Any);
        let Some(levels) = layer.and_then(|l| l.downcast_ref::<QuantConv>()).and_then(|l| l.weights.levels()) else {
            continue;
        };
        let weights = params.get(&format!("{}.weight", node.name))?;
        let steps = weights.outer_iter().map(|filter| libm::log2f(best_step(levels, filter.iter().copied())));
        params.set(&format!("{}.log_step", node.name), &row(steps.collect()))?;
    }
    Ok(())
}

fn row(numbers: Vec<f32>) -> Tensor {
    ndarray::Array1::from_vec(numbers).into_dyn()
}
