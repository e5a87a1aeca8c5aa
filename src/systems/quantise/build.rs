//! From a network with its parameters to whole numbers.

use super::range::{Method, Seen};
use super::weights;
use super::{Bits, Filters, Form, Kind, Model, Step};
use crate::error::{Error, Result};
use crate::nn::layers::act::Activation;
use crate::nn::layers::add::Add;
use crate::nn::layers::affine::Affine;
use crate::nn::layers::batch_norm::BatchNorm;
use crate::nn::layers::conv::Conv;
use crate::nn::layers::dropout::{Dropout, StochasticDepth};
use crate::nn::layers::flatten::Flatten;
use crate::nn::layers::pool::Pool;
use crate::nn::layers::quant_conv::QuantConv;
use crate::nn::layers::sign::Sign;
use crate::nn::{Mode, Network, Params, Run, Values, Want, Wire};
use crate::shape::{Shape, Window};
use std::any::Any;
use std::collections::BTreeMap;

/// What to make of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Bits of each layer with weights, in order ([`layers`]); those that learnt to have some keep theirs. One entry stands for all.
    pub bits: Vec<Bits>,
    /// How ranges of activations are chosen.
    pub method: Method,
}

/// Images of a batch while calibrating.
const BATCH: usize = 25;
/// Largest number that 16 bits hold: sums up to it are exact means.
const MOST: usize = i16::MAX as usize;

/// The layers of a network that have weights to round, in order: name, numbers, and whether they learnt their bits.
pub fn layers(net: &Network) -> Vec<(String, usize, bool)> {
    let weighty = net.wires().filter(|w| Weighty::of(net, *w).is_some());
    let row = |w: Wire| {
        let node = net.node(w);
        let weights = net.views()[node.params.clone()].first().map_or(0, |view| view.len());
        (node.name.clone(), weights, layer::<QuantConv>(net, w).is_some())
    };
    weighty.map(row).collect()
}

/// What a network's values were on images to calibrate by: one calibration serves every choice of bits and of [`Method`].
#[derive(Debug, Clone)]
pub struct Ranges {
    seen: Vec<Seen>,
    ends: Vec<(String, String)>,
}

impl Ranges {
    /// Runs a network on `images` (CHW, one after another) and looks at the values of every step that has a range of its own.
    ///
    /// Errors: [`Error::Missing`] for a layer that there is no form for, by name, and for no images; [`Error::Shape`] for other images
    /// and for another number of layers than bits; [`Error::Value`] for numbers that are not finite.
    pub fn of(net: &Network, params: &Params, bits: &[Bits], images: &[f32]) -> Result<Self> {
        let input = net.input_shape();
        if images.is_empty() || !images.len().is_multiple_of(input.len()) {
            return Err(Error::shape("images to calibrate by", format!("some of {input}"), images.len()));
        }
        if !images.iter().all(|v| v.is_finite()) {
            return Err(Error::value("images to calibrate by", "finite numbers", "others"));
        }
        let builder = Builder::built(net, params, bits)?;
        Ok(Self { seen: builder.see(images)?, ends: builder.ends() })
    }

    /// Each step's name, and that of the layer whose values it has: a convolution with its batch norm and ReLU has the ReLU's.
    pub fn ends(&self) -> &[(String, String)] {
        &self.ends
    }
}

/// Turns a network into whole numbers, its activations' ranges chosen by what it makes of `images` (CHW, one after another).
///
/// Errors: those of [`Ranges::of`].
pub fn quantise(net: &Network, params: &Params, plan: &Plan, images: &[f32]) -> Result<Model> {
    quantise_within(net, params, plan, &Ranges::of(net, params, &plan.bits, images)?)
}

/// As [`quantise`] by a calibration of the same network. Errors: the same, and [`Error::Shape`] for ranges of another network.
pub fn quantise_within(net: &Network, params: &Params, plan: &Plan, ranges: &Ranges) -> Result<Model> {
    let builder = Builder::built(net, params, &plan.bits)?;
    if builder.ends() != ranges.ends {
        let steps = |ends: &[(String, String)]| ends.iter().map(|(step, _)| &**step).collect::<Vec<_>>().join(", ");
        return Err(Error::shape("ranges", format!("of {}", steps(&builder.ends())), steps(&ranges.ends)));
    }
    Ok(Model { steps: builder.ranged(plan.method, &ranges.seen)?, metadata: BTreeMap::new() })
}

/// A layer's weights as [`quantise`] finds them, filter after filter, with a batch norm behind it worked in.
///
/// Errors: [`Error::Missing`] for a name that [`layers`] does not list.
pub fn folded(net: &Network, params: &Params, name: &str) -> Result<Vec<f32>> {
    let found = net.wires().find(|w| net.node(*w).name == name && Weighty::of(net, *w).is_some());
    let wire = found.ok_or_else(|| Error::missing("layer", "one with weights to round", name))?;
    let builder = Builder { net, params, bits: &[], steps: Vec::new(), at: Vec::new(), weighty: 0 };
    let weights = params.get(&format!("{name}.weight"))?;
    let (mut factors, mut bias) = (vec![1.0; weights.shape()[0]], vec![0.0; weights.shape()[0]]);
    if let Some((norm, eps)) = builder.only::<BatchNorm>(wire).map(|(w, norm)| (w, norm.eps)) {
        builder.fold(norm, eps, &mut factors, &mut bias)?;
    }
    let filters = weights.outer_iter().zip(&factors);
    Ok(filters.flat_map(|(w, factor)| w.iter().map(|w| w * factor).collect::<Vec<_>>()).collect())
}

/// A layer as its type.
fn layer<L: Any>(net: &Network, wire: Wire) -> Option<&L> {
    (&**net.node(wire).layer.as_ref()? as &dyn Any).downcast_ref()
}

/// A layer whose weights can be rounded.
enum Weighty<'a> {
    Conv(&'a Conv),
    Affine,
    Quant(&'a QuantConv),
}

impl<'a> Weighty<'a> {
    fn of(net: &'a Network, wire: Wire) -> Option<Self> {
        let conv = layer::<Conv>(net, wire).filter(|conv| conv.groups == 1).map(Self::Conv);
        let affine = || layer::<Affine>(net, wire).map(|_| Self::Affine);
        conv.or_else(affine).or_else(|| layer::<QuantConv>(net, wire).map(Self::Quant))
    }
}

struct Builder<'a> {
    net: &'a Network,
    params: &'a Params,
    bits: &'a [Bits],
    /// Steps so far, with the wire whose values each has.
    steps: Vec<(Step, Wire)>,
    /// The step that holds each wire's values.
    at: Vec<Option<usize>>,
    weighty: usize,
}

impl<'a> Builder<'a> {
    /// A builder that has taken in a whole network.
    fn built(net: &'a Network, params: &'a Params, bits: &'a [Bits]) -> Result<Self> {
        if net.inputs().count() > 1 {
            return Err(Error::missing("network", "one input", "more"));
        }
        let count = layers(net).len();
        if bits.len() != 1 && bits.len() != count {
            let expected = format!("one for all, or one for each of {count} layers");
            return Err(Error::shape("bits", expected, bits.len()));
        }
        let mut builder = Self { net, params, bits, steps: Vec::new(), at: vec![None; net.nodes().len()], weighty: 0 };
        for wire in net.wires().take_while(|w| *w <= net.output()) {
            builder.append(wire)?;
        }
        Ok(builder)
    }

    /// Each step's name, and that of the layer whose values it has.
    fn ends(&self) -> Vec<(String, String)> {
        self.steps.iter().map(|(step, end)| (step.name.clone(), self.net.node(*end).name.clone())).collect()
    }

    fn readers(&self, wire: Wire) -> Vec<Wire> {
        self.net.wires().filter(|w| self.net.node(*w).inputs.contains(&wire)).collect()
    }

    /// The only reader of a wire that is not asked for, if it is such a layer.
    fn only<L: Any>(&self, wire: Wire) -> Option<(Wire, &L)> {
        let readers = self.readers(wire);
        let [reader] = readers[..] else { return None };
        layer::<L>(self.net, reader).filter(|_| wire != self.net.output()).map(|l| (reader, l))
    }

    fn source(&self, wire: Wire, input: usize) -> Result<usize> {
        let node = self.net.node(wire);
        self.at[index(self.net, node.inputs[input])]
            .ok_or_else(|| Error::missing(&node.name, "a layer before it in few bits", "none"))
    }

    fn push(&mut self, name: &str, inputs: Vec<usize>, end: Wire, kind: Kind) {
        let shape = self.net.node(end).shape;
        let form = self.form(end);
        self.steps.push((Step { name: name.into(), inputs, shape, kind, form }, end));
        self.at[index(self.net, end)] = Some(self.steps.len() - 1);
    }

    /// What the readers of a wire want; levels have no range yet.
    fn form(&self, end: Wire) -> Form {
        let signs = |readers: &[Wire]| !readers.is_empty() && readers.iter().all(|r| self.reads_signs(*r));
        match self.answers(end) {
            true => Form::Numbers,
            false if end != Wire::FIRST && signs(&self.readers(end)) => Form::Signs,
            false => Form::Levels { step: 0.0, bounds: (0, 0) },
        }
    }

    /// Whether a wire is the answer, or is only handed on to be it.
    fn answers(&self, wire: Wire) -> bool {
        let handed =
            |readers: Vec<Wire>| matches!(readers[..], [reader] if self.passes(reader) && self.answers(reader));
        wire == self.net.output() || handed(self.readers(wire))
    }

    fn reads_signs(&self, wire: Wire) -> bool {
        // The sign of a maximum is the maximum of signs.
        let pooled = || layer::<Pool>(self.net, wire).is_some_and(|pool| matches!(pool, Pool::Max(_)));
        layer::<Sign>(self.net, wire).is_some() || (pooled() && self.form(wire) == Form::Signs)
    }

    fn append(&mut self, wire: Wire) -> Result<()> {
        let net = self.net;
        let (node, here) = (net.node(wire), index(net, wire));
        let pool = layer::<Pool>(net, wire);
        if self.at[here].is_some() {
            // It went into the store of the layer before.
            return Ok(());
        }
        if node.layer.is_none() {
            self.push(&node.name, vec![], wire, Kind::Input);
        } else if let Some(layer) = Weighty::of(net, wire) {
            self.filters(wire, &layer)?;
        } else if let Some(Pool::Max(window)) = pool {
            let input = self.source(wire, 0)?;
            self.push(&node.name, vec![input], wire, Kind::MaxPool(*window));
        } else if let Some(Pool::GlobalAverage) = pool {
            let input = self.source(wire, 0)?;
            let Shape { h, w, .. } = self.steps[input].0.shape;
            if h * w * 255 > MOST {
                return Err(Error::missing(&node.name, format!("maps of at most {} pixels", MOST / 255), h * w));
            }
            self.push(&node.name, vec![input], wire, Kind::Mean);
        } else if layer::<Add>(net, wire).is_some() && node.inputs.len() == 2 {
            let inputs = vec![self.source(wire, 0)?, self.source(wire, 1)?];
            let relu = self.only::<Activation>(wire).filter(|(_, act)| **act == Activation::Relu).map(|(w, _)| w);
            self.push(&node.name, inputs, relu.unwrap_or(wire), Kind::Add { relu: relu.is_some() });
        } else if layer::<Sign>(net, wire).is_some() {
            let input = self.source(wire, 0)?;
            if self.steps[input].0.form == Form::Signs {
                self.at[here] = Some(input);
            } else {
                self.push(&node.name, vec![input], wire, Kind::Sign);
                self.steps.last_mut().expect("just pushed").0.form = Form::Signs;
            }
        } else if self.passes(wire) {
            self.at[here] = Some(self.source(wire, 0)?);
        } else {
            let kind = node.layer.as_ref().map_or("input", |l| l.kind());
            return Err(Error::missing(&node.name, "a layer that there is a form of few bits for", kind));
        }
        Ok(())
    }

    /// Whether a layer hands its input on while it infers.
    fn passes(&self, wire: Wire) -> bool {
        let net = self.net;
        layer::<Flatten>(net, wire).is_some()
            || layer::<Dropout>(net, wire).is_some()
            || layer::<StochasticDepth>(net, wire).is_some()
            || layer::<Activation>(net, wire) == Some(&Activation::Identity)
    }

    fn filters(&mut self, wire: Wire, layer: &Weighty<'_>) -> Result<()> {
        let (net, node) = (self.net, self.net.node(wire));
        let input = self.source(wire, 0)?;
        let x = self.steps[input].0.shape;
        let planned = *self.bits.get(self.weighty).unwrap_or(&self.bits[0]);
        self.weighty += 1;
        let weights = || self.params.get(&format!("{}.weight", node.name));
        let ((numbers, scales), bits, window) = match layer {
            Weighty::Conv(conv) => (weights::round(&weights()?, planned), planned, conv.window),
            // Over a flattened image: a window as large as the image.
            Weighty::Affine => {
                let window = Window { kernel: (x.h, x.w), ..Window::square(1) };
                (weights::round(&weights()?, planned), planned, window)
            }
            Weighty::Quant(quant) => {
                let (rounded, bits) = weights::learnt(quant, &node.name, self.params)?;
                (rounded, bits, quant.conv.window)
            }
        };
        if self.steps[input].0.form == Form::Signs && (bits != Bits::One || window.pad != (0, 0)) {
            let got = format!("{bits} bits, padding {:?}", window.pad);
            return Err(Error::missing(&node.name, "weights of one bit and no padding behind signs", got));
        }
        let bias = net.views()[node.params.clone()].iter().any(|view| view.name.ends_with(".bias"));
        let bias = match bias {
            true => self.params.get(&format!("{}.bias", node.name))?.iter().copied().collect(),
            false => vec![0.0; scales.len()],
        };
        let (mut end, mut norms) = (wire, None);
        let mut filters = Filters { window, bits, weights: numbers, scales, bias, relu: false };
        if let Some((norm, eps)) = self.only::<BatchNorm>(end).map(|(w, norm)| (w, norm.eps)) {
            self.fold(norm, eps, &mut filters.scales, &mut filters.bias)?;
            (end, norms) = (norm, Some(norm));
        }
        if let Some((relu, _)) = self.only::<Activation>(end).filter(|(_, act)| **act == Activation::Relu) {
            filters.relu = true;
            end = relu;
        }
        self.push(&node.name, vec![input], end, Kind::Filters(filters));
        if let Some(norm) = norms {
            // Nobody but a ReLU in the same store reads it.
            self.at[index(net, norm)] = Some(self.steps.len() - 1);
        }
        Ok(())
    }

    /// Works a batch norm into the scales and the bias.
    fn fold(&self, norm: Wire, eps: f32, scales: &mut [f32], bias: &mut [f32]) -> Result<()> {
        let of = |name: &str| self.params.get(&format!("{}.{name}", self.net.node(norm).name));
        let [gain, shift, mean, variance] = [of("weight")?, of("bias")?, of("running_mean")?, of("running_var")?];
        for (o, (scale, bias)) in scales.iter_mut().zip(bias).enumerate() {
            let factor = f64::from(gain[o]) / (f64::from(variance[o]) + f64::from(eps)).sqrt();
            *scale = (f64::from(*scale) * factor) as f32;
            *bias = (f64::from(shift[o]) + (f64::from(*bias) - f64::from(mean[o])) * factor) as f32;
        }
        Ok(())
    }

    /// Runs the network and looks at the values of every step that has a range of its own.
    fn see(&self, images: &[f32]) -> Result<Vec<Seen>> {
        let net = self.net;
        let taps: Vec<Wire> = self.steps.iter().map(|(_, wire)| *wire).collect();
        let mut run = Run::new(net, BATCH, &Want { values: Values::Also(taps), ..Want::outputs() });
        let mut seen = vec![Seen::default(); self.steps.len()];
        let each = net.input_shape().len();
        for images in images.chunks(BATCH * each) {
            let n = images.len() / each;
            run.forward(self.params, images, n, Mode::Infer)?;
            for ((step, wire), seen) in self.steps.iter().zip(&mut seen) {
                let own = matches!(step.kind, Kind::Input | Kind::Filters(_) | Kind::Add { .. });
                if own && matches!(step.form, Form::Levels { .. }) {
                    let (values, map) = run.values(*wire).expect("it is tapped");
                    map.rows(n).for_each(|row| seen.add(&values[row]));
                }
            }
        }
        Ok(seen)
    }

    /// The steps with the ranges of their levels.
    fn ranged(self, method: Method, seen: &[Seen]) -> Result<Vec<Step>> {
        let mut steps: Vec<Step> = Vec::new();
        for ((mut step, _), seen) in self.steps.into_iter().zip(seen) {
            let before = step.inputs.first().map(|i| (steps[*i].form, steps[*i].shape));
            step.form = match (&step.kind, step.form, before) {
                (Kind::MaxPool(_), Form::Levels { .. }, Some((form, _))) => form,
                (Kind::Mean, Form::Levels { .. }, Some((Form::Levels { step, .. }, x))) => {
                    Form::Levels { step: step / (x.h * x.w) as f32, bounds: (i16::MIN, i16::MAX) }
                }
                (_, Form::Levels { .. }, _) => {
                    let (step, bounds) = seen.levels(method);
                    Form::Levels { step, bounds }
                }
                (Kind::Filters(_), form, _) => form,
                (Kind::MaxPool(_) | Kind::Sign, Form::Signs, _) => Form::Signs,
                _ => {
                    let got = "an end that is no convolution or affine layer";
                    return Err(Error::missing(&step.name, "whole numbers of a layer with weights", got));
                }
            };
            steps.push(step);
        }
        Ok(steps)
    }
}

fn index(net: &Network, wire: Wire) -> usize {
    net.wires().position(|w| w == wire).expect("a wire of the network")
}
