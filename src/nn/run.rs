//! A run: the buffers of a plan and the loops over the list, forward and reversed.

use super::graph::Wire;
use super::layer::{Backward, Forward, Io, Mode, Op, Slot, Target};
use super::network::Network;
use super::params::Params;
use super::plan::{Place, Plan};
use super::port::Feed;
use super::want::Want;
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
    /// Rows of this run, by group; those of the images first.
    counts: Vec<usize>,
    /// What each loss came to.
    pub(super) totals: Vec<f64>,
}

impl Run {
    /// Buffers for up to `batch` images of `net`, computing with the best lanes of this machine.
    pub fn new(net: &Network, batch: usize, want: &Want) -> Self {
        Self::at_level(net, batch, want, Level::new())
    }

    /// As [`Run::new`] at a given lane level.
    pub fn at_level(net: &Network, batch: usize, want: &Want, level: Level) -> Self {
        let plan = Plan::new(net, batch, want);
        let ops: Vec<Option<Box<dyn Op>>> = net.wires().map(|w| op(net, &plan, w, level)).collect();
        let work = ops.iter().flatten().map(|op| op.workspace()).max().unwrap_or(0);
        let inputs =
            net.nodes().iter().map(|node| node.inputs.iter().map(|w| values(net, &plan, w.0)).collect()).collect();
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
            counts: vec![0; net.groups()],
            totals: vec![0.0; net.nodes().len()],
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
        self.counts[0]
    }

    /// Rows of a wire in the run that was loaded last.
    pub fn rows(&self, wire: Wire) -> usize {
        self.counts[self.net.node(wire).rows.0]
    }

    /// Computes every wire for `n` images, given as NCHW one after another: [`Run::forward_feeds`] of a network whose only
    /// input is its images.
    ///
    /// Fails, changing nothing, if `n` is zero or above the plan's batch, if sizes do not fit the network's, and if the
    /// network has another input.
    pub fn forward(&mut self, params: &Params, images: &[f32], n: usize, mode: Mode) -> Result<()> {
        self.load(params, images, n, mode)?;
        self.forward_from(params, Wire(0));
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
        if let Some(other) = self.net.inputs().nth(1) {
            return Err(Error::missing("inputs of the network", "a feed for each", &self.net.node(other).name));
        }
        self.fits(params)?;
        self.counts.fill(0);
        self.counts[0] = n;
        self.begin(mode);
        self.take_in(Wire(0), images);
        Ok(())
    }

    /// Computes every wire from what each input is fed. Inputs of one group have as many rows as one another.
    ///
    /// Fails, changing nothing: [`Error::Missing`] for an input that is not fed and for a feed without an input,
    /// [`Error::Shape`] for numbers that make no whole rows and for numbers of rows that differ, [`Error::Value`] for too many
    /// rows, for no images, and for numbers that the input's kind cannot have.
    pub fn forward_feeds(&mut self, params: &Params, feeds: &[Feed<'_>], mode: Mode) -> Result<()> {
        self.load_feeds(params, feeds, mode)?;
        self.forward_from(params, Wire(0));
        Ok(())
    }

    /// The beginning of [`Run::forward_feeds`], with its errors.
    pub fn load_feeds(&mut self, params: &Params, feeds: &[Feed<'_>], mode: Mode) -> Result<()> {
        let (counts, fed) = super::feeding::check(&self.net, self.plan.batch, feeds)?;
        self.fits(params)?;
        self.counts = counts;
        self.begin(mode);
        fed.into_iter().for_each(|(wire, values)| self.take_in(wire, values));
        Ok(())
    }

    /// The middle of [`Run::forward_feeds`] in stages: computes the wires before this one, which have not been computed. What
    /// follows may depend on them: see [`Run::feed`].
    pub fn forward_before(&mut self, params: &Params, until: Wire) {
        (0..until.0).for_each(|k| self.forward_layer(params, Wire(k)));
    }

    /// The rest of [`Run::forward_feeds`] in stages, from this wire on.
    pub fn forward_from(&mut self, params: &Params, from: Wire) {
        (from.0..self.ops.len()).for_each(|k| self.forward_layer(params, Wire(k)));
    }

    /// Fills inputs with rows of their own anew, all those of a group together, before the layers that read them are computed:
    /// proposals, say, that follow from what has been computed.
    ///
    /// Fails, changing nothing: [`Error::Missing`] for a name that no such input has and for an input of the group left out,
    /// [`Error::Shape`] and [`Error::Value`] for numbers that the input cannot have.
    pub fn feed(&mut self, feeds: &[Feed<'_>]) -> Result<()> {
        let (counts, fed) = super::feeding::check_late(&self.net, self.plan.batch, &self.counts, feeds)?;
        self.counts = counts;
        fed.into_iter().for_each(|(wire, values)| self.take_in(wire, values));
        Ok(())
    }

    fn fits(&self, params: &Params) -> Result<()> {
        if params.values().len() != self.net.arena_len() {
            return Err(Error::shape("parameters", self.net.arena_len(), params.values().len()));
        }
        Ok(())
    }

    fn begin(&mut self, mode: Mode) {
        self.mode = mode;
        self.written.fill(false);
        self.passed.fill(false);
    }

    /// Lays the rows of an input where its wire lives.
    fn take_in(&mut self, wire: Wire, values: &[f32]) {
        let (shape, Place { map, slot, clear_halo, .. }) = (self.net.node(wire).shape, self.plan.places[wire.0]);
        let buffers = self.slots[slot].chunks_exact_mut(map.len());
        for (row, buffer) in values.chunks_exact(shape.len()).zip(buffers) {
            if clear_halo {
                map.clear_halo(buffer);
            }
            map.fill_from_chw(row, buffer);
        }
    }

    /// Computes one wire, whose inputs have been computed.
    pub fn forward_layer(&mut self, params: &Params, Wire(k): Wire) {
        let place = self.plan.places[k];
        let Some(op) = &mut self.ops[k] else { return };
        let node = &self.net.nodes()[k];
        let n = self.counts[node.rows.0];
        if place.fused || n == 0 {
            self.totals[k] = 0.0;
            return;
        }
        let mut y = std::mem::take(&mut self.slots[place.slot]);
        if place.clear_halo {
            y.chunks_exact_mut(place.map.len()).take(n).for_each(|image| place.map.clear_halo(image));
        }
        if node.layer.as_ref().is_some_and(|l| l.in_place()) && !place.aliased {
            let x = node.inputs[0].0;
            copy_rows(&self.slots[self.plan.places[x].slot], &self.plan.places[x].map, &mut y, &place.map, n);
        }
        op.forward(Forward {
            level: self.level,
            n,
            mode: if node.infers { Mode::Infer } else { self.mode },
            node: k as u64,
            params: (params.values(), params.version()),
            y: &mut y[..n * place.map.len()],
            work: &mut self.work,
            total: &mut self.totals[k],
            slots: &self.slots,
            inputs: &self.inputs[k],
            counts: &self.counts,
        });
        self.slots[place.slot] = y;
    }

    /// The values of a wire after a forward run, with their layout: `n` images, NHWC with halo.
    ///
    /// `None` if the plan let another wire have the buffer.
    pub fn values(&self, wire: Wire) -> Option<(&[f32], Map)> {
        let place = &self.plan.places[wire.0];
        place.kept.then(|| (&self.slots[place.slot][..self.rows(wire) * place.map.len()], place.map))
    }

    /// The values of a wire of image `i` as CHW, written into `out`.
    pub fn read(&self, wire: Wire, i: usize, out: &mut [f32]) -> Result<()> {
        let name = &self.net.node(wire).name;
        let (values, map) =
            self.values(wire).ok_or_else(|| Error::missing("layer", "one that the plan keeps", name))?;
        if i >= self.rows(wire) || out.len() != map.shape.len() {
            let expected = format!("image below {} and {} numbers", self.rows(wire), map.shape.len());
            return Err(Error::shape(name, expected, format!("image {i}, {} numbers", out.len())));
        }
        map.copy_to_chw(&values[i * map.len()..][..map.len()], out);
        Ok(())
    }

    /// The rows of the network's output: `n` vectors one after another.
    pub fn output(&self) -> &[f32] {
        let place = &self.plan.places[self.net.output().0];
        &self.slots[place.slot][..self.rows(self.net.output()) * place.map.len()]
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
        let n = self.counts[self.net.node(wire).rows.0];
        let dy = &mut self.gradients[slot][..n * map.len()];
        let first = !std::mem::replace(&mut self.written[slot], true);
        if first && place.passing {
            dy.chunks_exact_mut(map.len()).for_each(|image| map.clear_halo(image));
        }
        Some((&self.slots[place.slot][..n * place.map.len()], place.map, dy, map, first))
    }

    /// The gradient of a wire after [`Run::backward`], with its layout, if anything reached it. A plan that does not keep
    /// gradients has none to show but where its buffers have one tenant.
    ///
    /// Where an in-place layer shares its input's buffer, this is the gradient of that input.
    pub fn gradient(&self, wire: Wire) -> Option<(&[f32], Map)> {
        let (map, slot) = self.plan.places[wire.0].gradient?;
        self.written[slot].then(|| (&self.gradients[slot][..self.rows(wire) * map.len()], map))
    }

    /// Adds to `dparams` the gradients of the parameters, from the wires that [`Run::seed_gradient`] filled.
    ///
    /// `dparams` has the arena's layout, and may be empty where no gradient of a parameter is wanted. Call it once after each
    /// forward run of a plan that goes backward.
    pub fn backward(&mut self, params: &Params, dparams: &mut [f32]) {
        let learns = self.plan.places.iter().any(|place| place.learns);
        let fits = dparams.len() == params.values().len() || (dparams.is_empty() && !learns);
        assert!(fits, "a gradient arena of the parameters' size");
        for k in (0..self.ops.len()).rev() {
            self.backward_layer(params, dparams, Wire(k));
        }
    }

    /// One step of [`Run::backward`]: the way back through one layer, whose readers have been gone through.
    pub fn backward_layer(&mut self, params: &Params, dparams: &mut [f32], Wire(k): Wire) {
        let place = self.plan.places[k];
        let (Some(op), Some((map, slot))) = (&mut self.ops[k], place.gradient) else { return };
        let node = &self.net.nodes()[k];
        let n = self.counts[node.rows.0];
        if !self.written[slot] || self.passed[k] || n == 0 {
            return;
        }
        let in_place = node.layer.as_ref().is_some_and(|l| l.in_place());
        let mut dy = std::mem::take(&mut self.gradients[slot]);
        for (i, w) in node.inputs.iter().enumerate() {
            let target = self.plan.places[w.0].gradient.filter(|_| (!in_place || i > 0) && Network::passes(node, i));
            self.targets[i] = target.map(|(map, number)| {
                let first = !std::mem::replace(&mut self.written[number], true);
                let rows = self.net.node(*w).rows.0;
                if first && self.plan.places[w.0].passing {
                    let images = self.gradients[number].chunks_exact_mut(map.len()).take(self.counts[rows]);
                    images.for_each(|image| map.clear_halo(image));
                }
                let relu = i == 0 && self.through[k];
                self.passed[w.0] |= relu;
                Target { slot: Slot { number, image: map.len(), rows }, first, relu }
            });
        }
        op.backward(Backward {
            level: self.level,
            n,
            mode: if node.infers { Mode::Infer } else { self.mode },
            node: k as u64,
            params: (params.values(), params.version()),
            dparams,
            dy: &mut dy[..n * map.len()],
            work: &mut self.work,
            slots: &self.slots,
            inputs: &self.inputs[k],
            output: values(&self.net, &self.plan, k),
            counts: &self.counts,
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
            add_rows(&dy, &map, &mut self.gradients[x], &to, n);
        }
        self.gradients[slot] = dy;
        if place.passing && !place.aliased {
            self.written[slot] = false;
        }
    }
}

/// The buffer of a wire's values.
fn values(net: &Network, plan: &Plan, wire: usize) -> Slot {
    Slot { number: plan.places[wire].slot, image: plan.places[wire].map.len(), rows: net.nodes()[wire].rows.0 }
}

fn op(net: &Network, plan: &Plan, wire: Wire, level: Level) -> Option<Box<dyn Op>> {
    let (node, place) = (net.node(wire), &plan.places[wire.0]);
    let layer = node.layer.as_ref()?;
    let dx = |w: &Wire| plan.places[w.0].gradient.map_or(plan.places[w.0].map, |(map, _)| map);
    let relu = net.wires().any(|w| plan.places[w.0].fused && net.node(w).inputs[0] == wire);
    Some(
        layer.op(&Io {
            level,
            batch: plan.batch * net.rows_each(wire),
            x: node.inputs.iter().map(|w| plan.places[w.0].map).collect(),
            y: place.map,
            gradients: place.gradient.map(|(dy, _)| (node.inputs.iter().map(dx).collect(), dy)),
            wants: node
                .inputs
                .iter()
                .enumerate()
                .map(|(i, w)| Network::passes(node, i) && plan.places[w.0].gradient.is_some())
                .collect(),
            learns: place.learns,
            params: net.views()[node.params.clone()].iter().map(|v| v.range()).collect(),
            relu,
        }),
    )
}
