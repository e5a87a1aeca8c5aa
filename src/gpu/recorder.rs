//! Records a network's kernels once: the list forward, the list reversed backward, as [`crate::nn::Run`] goes through it, with
//! who sets and who adds to a gradient known beforehand.

use super::device::Device;
use super::kernel::Dispatch;
use super::layers::{Back, Form, Io, Shared, Target, Wired, form};
use super::step::Step;
use crate::error::Result;
use crate::nn::graph::Node;
use crate::nn::layers::dropout::{Dropout, StochasticDepth};
use crate::nn::plan::Place;
use crate::nn::{Network, Plan, Wire};
use std::any::Any;
use std::collections::BTreeSet;

/// A layer that draws: its wire, where its keys begin, rows of an image, and the part that it keeps of whole images.
pub(super) struct Draw {
    pub(super) node: u64,
    pub(super) at: usize,
    pub(super) rows: usize,
    pub(super) whole: Option<f32>,
}

/// What was recorded.
pub(super) struct Recorded {
    pub(super) shared: Shared,
    pub(super) slots: Vec<wgpu::Buffer>,
    pub(super) forward: Vec<(Wire, Vec<Dispatch>)>,
    pub(super) backward: Vec<(Wire, Vec<Dispatch>)>,
    pub(super) draws: Vec<Draw>,
    /// The values of every loss, its pixels for an image, and its weight.
    pub(super) losses: Vec<(wgpu::Buffer, usize, f32)>,
}

struct Recorder<'a> {
    net: &'a Network,
    plan: &'a Plan,
    shared: Shared,
    slots: Vec<wgpu::Buffer>,
    gradients: Vec<wgpu::Buffer>,
    draws: Vec<Draw>,
    trains: bool,
}

/// Makes buffers and kernels for a plan. Errors: those of [`Device::buffer`], and a layer without kernels.
pub(super) fn record(device: &Device, net: &Network, plan: &Plan, shard: usize, trains: bool) -> Result<Recorded> {
    let draws = draws(net, plan.batch);
    let keys =
        draws.last().map_or(0, |draw| draw.at + plan.batch * draw.rows * if draw.whole.is_some() { 1 } else { 2 });
    let room = |what: &str, numbers: usize| device.buffer(what, numbers);
    let shared = Shared {
        device: device.clone(),
        step: Step::buffer(device),
        params: room("the parameters", net.arena_len())?,
        gradient: room("the gradient", if trains { net.arena_len() } else { 0 })?,
        keys: room("dropout", keys)?,
        batch: plan.batch,
        shard,
    };
    let slots = plan.slots.iter().map(|&len| room("values", len)).collect::<Result<_>>()?;
    let gradients = plan.gradients.iter().map(|&len| room("gradients", len)).collect::<Result<_>>()?;
    Recorder { net, plan, shared, slots, gradients, draws, trains }.record()
}

/// The layers that draw, with room for their keys one after another.
fn draws(net: &Network, batch: usize) -> Vec<Draw> {
    let mut at = 0;
    let mut all = Vec::new();
    for (k, node) in net.nodes().iter().enumerate() {
        let Some(layer) = &node.layer else { continue };
        let layer: &dyn Any = &**layer;
        let whole = layer.downcast_ref::<StochasticDepth>().map(|depth| 1.0 - depth.0);
        if whole.is_none() && !layer.is::<Dropout>() {
            continue;
        }
        let rows = if whole.is_some() { 1 } else { node.shape.h };
        all.push(Draw { node: k as u64, at, rows, whole });
        at += batch * rows * if whole.is_some() { 1 } else { 2 };
    }
    all
}

impl Recorder<'_> {
    fn record(self) -> Result<Recorded> {
        let mut forms: Vec<Option<Box<dyn Form>>> = Vec::new();
        let (mut forward, mut losses) = (Vec::new(), Vec::new());
        for (wire, node) in self.net.wires().zip(self.net.nodes()) {
            if node.layer.is_none() {
                forms.push(None);
                continue;
            }
            let io = self.io(wire, node);
            let form = form(node, &io)?;
            // The store of the layer before does it, too.
            let kernels = if self.place(wire).fused { vec![] } else { form.forward(&io)? };
            forward.push((wire, kernels));
            losses.extend(form.values().map(|(values, pixels)| (values.clone(), pixels, io.weight)));
            forms.push(Some(form));
        }
        let backward = if self.trains { self.backward(&forms)? } else { vec![] };
        let Self { shared, slots, draws, .. } = self;
        Ok(Recorded { shared, slots, forward, backward, draws, losses })
    }

    fn backward(&self, forms: &[Option<Box<dyn Form>>]) -> Result<Vec<(Wire, Vec<Dispatch>)>> {
        let mut written = vec![false; self.gradients.len()];
        let mut learnt = BTreeSet::new();
        let mut all = Vec::new();
        for (k, wire) in self.net.wires().enumerate().collect::<Vec<_>>().into_iter().rev() {
            let (node, place) = (self.net.node(wire), *self.place(wire));
            let (Some(form), Some(layer)) = (&forms[k], &node.layer) else { continue };
            let dy = match place.gradient {
                Some((map, slot)) if written[slot] => Some(Wired { buffer: self.gradients[slot].clone(), map }),
                _ if layer.is_loss() => None,
                _ => continue,
            };
            let skips = layer.in_place() && place.aliased;
            let mut dx = Vec::new();
            for (i, &input) in node.inputs.iter().enumerate() {
                let wanted = layer.passes(i, node.inputs.len()) && !(skips && i == 0);
                let target = self.place(input).gradient.filter(|_| wanted);
                dx.push(target.map(|(map, slot)| {
                    let first = !std::mem::replace(&mut written[slot], true);
                    Target { buffer: self.gradients[slot].clone(), map, first }
                }));
            }
            let io = self.io(wire, node);
            let first = io.params.first().is_none_or(|range| learnt.insert(range.start));
            all.push((wire, form.backward(&io, &Back { dy, dx, first })?));
            if let (Some((_, slot)), true) = (place.gradient, place.passing && !place.aliased) {
                written[slot] = false;
            }
        }
        Ok(all)
    }

    fn place(&self, wire: Wire) -> &Place {
        &self.plan.places[wire.index()]
    }

    fn wired(&self, wire: Wire) -> Wired {
        let place = self.place(wire);
        Wired { buffer: self.slots[place.slot].clone(), map: place.map }
    }

    fn io<'b>(&'b self, wire: Wire, node: &'b Node) -> Io<'b> {
        let place = self.place(wire);
        let fused = |other: Wire| self.place(other).fused && self.net.node(other).inputs[0] == wire;
        let weight = self.net.losses().iter().find(|(loss, _)| *loss == wire).map_or(1.0, |(_, weight)| *weight);
        Io {
            shared: &self.shared,
            name: &node.name,
            x: node.inputs.iter().map(|input| self.wired(*input)).collect(),
            y: self.wired(wire),
            aliased: place.aliased,
            relu: self.net.wires().any(fused),
            trains: self.trains && !node.infers,
            learns: place.learns,
            params: self.net.views()[node.params.clone()].iter().map(|view| view.range()).collect(),
            keys: self.draws.iter().find(|draw| draw.node == wire.index() as u64).map_or(0, |draw| draw.at),
            weight,
        }
    }
}
