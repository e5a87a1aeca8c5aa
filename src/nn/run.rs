//! A run: the buffers of a plan and the loops over the list, forward and reversed.

use super::graph::{Network, Wire};
use super::layer::{Backward, Forward, Io, Mode, Op, Slot, Target};
use super::params::Params;
use super::plan::{Place, Plan, Purpose};
use crate::error::{Error, Result};
use crate::kernel::Level;
use crate::tensor::{Map, add_rows, copy_rows};

/// One replica of a network at work. Allocates when made, never afterwards.
pub struct Run {
    net: Network,
    plan: Plan,
    ops: Vec<Option<Box<dyn Op>>>,
    slots: Vec<Vec<f32>>,
    gradients: Vec<Vec<f32>>,
    work: Vec<f32>,
    written: Vec<bool>,
    /// Nodes whose way back goes through the ReLU before them, too.
    through: Vec<bool>,
    /// ReLUs that this way back has gone through already.
    passed: Vec<bool>,
    inputs: Vec<Vec<Slot>>,
    targets: Vec<Option<Target>>,
    level: Level,
    mode: Mode,
    n: usize,
}

impl Run {
    /// Buffers for up to `batch` images of `net`, computing with the best lanes of this machine.
    pub fn new(net: &Network, batch: usize, purpose: &Purpose) -> Self {
        Self::at_level(net, batch, purpose, Level::new())
    }

    /// As [`Run::new`] at a given lane level.
    pub fn at_level(net: &Network, batch: usize, purpose: &Purpose, level: Level) -> Self {
        let plan = Plan::new(net, batch, purpose);
        let ops: Vec<Option<Box<dyn Op>>> = net.wires().map(|w| op(net, &plan, w, level)).collect();
        let work = ops.iter().flatten().map(|op| op.workspace()).max().unwrap_or(0);
        let inputs = net.nodes().iter().map(|node| node.inputs.iter().map(|w| values(&plan, w.0)).collect()).collect();
        let most = net.nodes().iter().map(|node| node.inputs.len()).max().unwrap_or(0);
        let through = |(place, op): (&Place, &Option<Box<dyn Op>>)| {
            place.behind_relu && op.as_ref().is_some_and(|op| op.passes_relu())
        };
        Self {
            net: net.clone(),
            slots: plan.slots.iter().map(|&len| vec![0.0; len]).collect(),
            gradients: plan.gradients.iter().map(|&len| vec![0.0; len]).collect(),
            work: vec![0.0; work],
            written: vec![false; plan.gradients.len()],
            through: plan.places.iter().zip(&ops).map(through).collect(),
            passed: vec![false; plan.places.len()],
            inputs,
            targets: vec![None; most],
            ops,
            plan,
            level,
            mode: Mode::Infer,
            n: 0,
        }
    }

    /// The lane level it computes at.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The network it runs.
    pub fn network(&self) -> &Network {
        &self.net
    }

    /// Bytes of all buffers, workspace included.
    pub fn bytes(&self) -> usize {
        self.plan.bytes() + 4 * self.work.len()
    }

    /// The plan that this run follows.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Images in the run that was loaded last; 0 before the first.
    pub fn images(&self) -> usize {
        self.n
    }

    /// Computes every wire for `n` images, given as NCHW one after another.
    ///
    /// Fails, changing nothing, if `n` is zero or above the plan's batch, or if sizes do not fit the network's.
    pub fn forward(&mut self, params: &Params, images: &[f32], n: usize, mode: Mode) -> Result<()> {
        self.load(params, images, n, mode)?;
        for k in 0..self.ops.len() {
            self.forward_layer(params, Wire(k));
        }
        Ok(())
    }

    /// The beginning of [`Run::forward`], with its errors: takes the images in. [`Run::forward_layer`] for every wire
    /// in order is the rest, in steps that a caller can time.
    pub fn load(&mut self, params: &Params, images: &[f32], n: usize, mode: Mode) -> Result<()> {
        let shape = self.net.input_shape();
        if n == 0 || n > self.plan.batch {
            return Err(Error::value("images in a run", format!("1 to {}", self.plan.batch), n));
        }
        if images.len() != n * shape.len() {
            return Err(Error::shape("images", format!("{n} × {shape} numbers"), images.len()));
        }
        if params.values().len() != self.net.arena_len() {
            return Err(Error::shape("parameters", self.net.arena_len(), params.values().len()));
        }
        (self.n, self.mode) = (n, mode);
        self.written.fill(false);
        self.passed.fill(false);
        let Place { map, slot, clear_halo, .. } = self.plan.places[0];
        let buffers = self.slots[slot].chunks_exact_mut(map.len());
        for (image, buffer) in images.chunks_exact(shape.len()).zip(buffers) {
            if clear_halo {
                map.clear_halo(buffer);
            }
            map.fill_from_chw(image, buffer);
        }
        Ok(())
    }

    /// Computes one wire, whose inputs have been computed.
    pub fn forward_layer(&mut self, params: &Params, Wire(k): Wire) {
        let place = self.plan.places[k];
        let Some(op) = &mut self.ops[k] else { return };
        if place.fused {
            return;
        }
        let mut y = std::mem::take(&mut self.slots[place.slot]);
        if place.clear_halo {
            y.chunks_exact_mut(place.map.len()).take(self.n).for_each(|image| place.map.clear_halo(image));
        }
        let node = &self.net.nodes()[k];
        if node.layer.as_ref().is_some_and(|l| l.in_place()) && !place.aliased {
            let x = node.inputs[0].0;
            copy_rows(&self.slots[self.plan.places[x].slot], &self.plan.places[x].map, &mut y, &place.map, self.n);
        }
        op.forward(Forward {
            level: self.level,
            n: self.n,
            mode: if node.frozen { Mode::Infer } else { self.mode },
            node: k as u64,
            params: (params.values(), params.version()),
            y: &mut y[..self.n * place.map.len()],
            work: &mut self.work,
            slots: &self.slots,
            inputs: &self.inputs[k],
        });
        self.slots[place.slot] = y;
    }

    /// The values of a wire after a forward run, with their layout: `n` images, NHWC with halo.
    ///
    /// `None` if the plan let another wire have the buffer.
    pub fn values(&self, wire: Wire) -> Option<(&[f32], Map)> {
        let place = &self.plan.places[wire.0];
        place.kept.then(|| (&self.slots[place.slot][..self.n * place.map.len()], place.map))
    }

    /// The values of a wire of image `i` as CHW, written into `out`.
    pub fn read(&self, wire: Wire, i: usize, out: &mut [f32]) -> Result<()> {
        let name = &self.net.node(wire).name;
        let (values, map) =
            self.values(wire).ok_or_else(|| Error::missing("layer", "one that the plan keeps", name))?;
        if i >= self.n || out.len() != map.shape.len() {
            let expected = format!("image below {} and {} numbers", self.n, map.shape.len());
            return Err(Error::shape(name, expected, format!("image {i}, {} numbers", out.len())));
        }
        map.copy_to_chw(&values[i * map.len()..][..map.len()], out);
        Ok(())
    }

    /// The rows of the network's output: `n` vectors one after another.
    pub fn output(&self) -> &[f32] {
        let place = &self.plan.places[self.net.output().0];
        &self.slots[place.slot][..self.n * place.map.len()]
    }

    /// The values of a wire and its gradient buffer, zeroed, for a loss to fill before [`Run::backward`].
    ///
    /// `None` if the plan has no gradient there, or takes no loss there because the buffer is another wire's first. Layouts
    /// are those of [`Run::values`] and of the second map.
    pub fn seed_gradient(&mut self, wire: Wire) -> Option<(&[f32], Map, &mut [f32], Map)> {
        let (values, place, dy, map, first) = self.open_gradient(wire)?;
        if first {
            dy.fill(0.0);
        }
        Some((values, place, dy, map))
    }

    /// As [`Run::seed_gradient`], with whether the buffer is to be set (`true`) or added to. What lies in the halo is zero
    /// and must stay so.
    #[allow(clippy::type_complexity, reason = "one borrow of two buffers")]
    pub fn open_gradient(&mut self, wire: Wire) -> Option<(&[f32], Map, &mut [f32], Map, bool)> {
        let place = self.plan.places[wire.0];
        let read = self.net.nodes().iter().any(|node| node.inputs.contains(&wire));
        let (map, slot) = place.gradient.filter(|_| place.loss || !(place.passing && read))?;
        let dy = &mut self.gradients[slot][..self.n * map.len()];
        let first = !std::mem::replace(&mut self.written[slot], true);
        if first && place.passing {
            dy.chunks_exact_mut(map.len()).for_each(|image| map.clear_halo(image));
        }
        Some((&self.slots[place.slot][..self.n * place.map.len()], place.map, dy, map, first))
    }

    /// The gradient of a wire after [`Run::backward`], with its layout, if anything reached it. A plan that does not keep
    /// gradients has none to show but where its buffers have one tenant.
    ///
    /// Where an in-place layer shares its input's buffer, this is the gradient of that input.
    pub fn gradient(&self, wire: Wire) -> Option<(&[f32], Map)> {
        let (map, slot) = self.plan.places[wire.0].gradient?;
        self.written[slot].then(|| (&self.gradients[slot][..self.n * map.len()], map))
    }

    /// Adds to `dparams` the gradients of the parameters, from the wires that [`Run::seed_gradient`] filled.
    ///
    /// `dparams` has the arena's layout. Call it once after each [`Run::forward`] of a plan that trains.
    pub fn backward(&mut self, params: &Params, dparams: &mut [f32]) {
        assert_eq!(dparams.len(), params.values().len(), "a gradient arena of the parameters' size");
        for k in (0..self.ops.len()).rev() {
            self.backward_layer(params, dparams, Wire(k));
        }
    }

    /// One step of [`Run::backward`]: the way back through one layer, whose readers have been gone through.
    pub fn backward_layer(&mut self, params: &Params, dparams: &mut [f32], Wire(k): Wire) {
        let place = self.plan.places[k];
        let (Some(op), Some((map, slot))) = (&mut self.ops[k], place.gradient) else { return };
        if !self.written[slot] || self.passed[k] {
            return;
        }
        let node = &self.net.nodes()[k];
        let in_place = node.layer.as_ref().is_some_and(|l| l.in_place());
        let mut dy = std::mem::take(&mut self.gradients[slot]);
        for (i, w) in node.inputs.iter().enumerate() {
            let target = self.plan.places[w.0].gradient.filter(|_| !in_place || i > 0);
            self.targets[i] = target.map(|(map, number)| {
                let first = !std::mem::replace(&mut self.written[number], true);
                if first && self.plan.places[w.0].passing {
                    let images = self.gradients[number].chunks_exact_mut(map.len()).take(self.n);
                    images.for_each(|image| map.clear_halo(image));
                }
                let relu = i == 0 && self.through[k];
                self.passed[w.0] |= relu;
                Target { slot: Slot { number, image: map.len() }, first, relu }
            });
        }
        op.backward(Backward {
            level: self.level,
            n: self.n,
            mode: if node.frozen { Mode::Infer } else { self.mode },
            node: k as u64,
            params: (params.values(), params.version()),
            dparams,
            dy: &mut dy[..self.n * map.len()],
            work: &mut self.work,
            slots: &self.slots,
            inputs: &self.inputs[k],
            output: values(&self.plan, k),
            gradients: &mut self.gradients,
            dinputs: &self.targets[..node.inputs.len()],
        });
        if in_place
            && !place.aliased
            && let Some((to, x)) = self.plan.places[node.inputs[0].0].gradient
        {
            if !std::mem::replace(&mut self.written[x], true) {
                self.gradients[x].fill(0.0);
            }
            add_rows(&dy, &map, &mut self.gradients[x], &to, self.n);
        }
        self.gradients[slot] = dy;
        if place.passing && !place.aliased {
            self.written[slot] = false;
        }
    }
}

/// The buffer of a wire's values.
fn values(plan: &Plan, wire: usize) -> Slot {
    Slot { number: plan.places[wire].slot, image: plan.places[wire].map.len() }
}

fn op(net: &Network, plan: &Plan, wire: Wire, level: Level) -> Option<Box<dyn Op>> {
    let (node, place) = (net.node(wire), &plan.places[wire.0]);
    let layer = node.layer.as_ref()?;
    let dx = |w: &Wire| plan.places[w.0].gradient.map_or(plan.places[w.0].map, |(map, _)| map);
    let relu = net.wires().any(|w| plan.places[w.0].fused && net.node(w).inputs[0] == wire);
    Some(layer.op(&Io {
        level,
        batch: plan.batch,
        x: node.inputs.iter().map(|w| plan.places[w.0].map).collect(),
        y: place.map,
        gradients: place.gradient.map(|(dy, _)| (node.inputs.iter().map(dx).collect(), dy)),
        wants: node.inputs.iter().map(|w| plan.places[w.0].gradient.is_some()).collect(),
        learns: !node.frozen,
        params: net.views()[node.params.clone()].iter().map(|v| v.range()).collect(),
        relu,
    }))
}
