//! The plan: which buffer every wire lives in, with which halo, decided before the first run.
//!
//! Inference reuses a buffer once its last reader has run; training keeps every value, since backward reads them. A
//! tap pins its wire so that it can be looked at after the run. A layer that works in place shares its input's
//! buffer where nobody else needs that input, and a ReLU behind a layer that can do it in its own store costs
//! nothing.

use super::graph::{Node, Wire};
use super::layer::Layer;
use super::network::Network;
use super::want::{Losses, Values, Want};
use crate::error::{Error, Result};
use crate::tensor::Map;
use std::sync::Arc;

/// Where one wire lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Layout of its values.
    pub map: Map,
    /// Which value buffer.
    pub slot: usize,
    /// Layout and buffer of its gradient, if it has one.
    pub gradient: Option<(Map, usize)>,
    /// Its gradient's buffer has other tenants: it is gone once it has been passed on, and its halo must be zeroed.
    pub passing: bool,
    /// It shares the buffer of its layer's input.
    pub aliased: bool,
    /// Its layer is done by the store of the layer before.
    pub fused: bool,
    /// The buffer had another tenant, so the halo must be zeroed in every run.
    pub clear_halo: bool,
    /// Its values are still there after the run.
    pub kept: bool,
    /// Gradients of its layer's own parameters are wanted.
    pub learns: bool,
    /// A loss can be taken here, though layers read it and its gradient's buffer has other tenants.
    pub loss: bool,
    /// Its first input is what a ReLU made for it alone, whose way back it may go, too: nobody looks at the gradient between.
    pub behind_relu: bool,
}

/// The buffers of a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// One place for each wire.
    pub places: Vec<Place>,
    /// Numbers in each value buffer, for the whole batch.
    pub slots: Vec<usize>,
    /// Numbers in each gradient buffer, for the whole batch.
    pub gradients: Vec<usize>,
    /// Most images in one run.
    pub batch: usize,
    needed: usize,
}

impl Plan {
    /// Plans `net` for runs of up to `batch` images.
    pub fn new(net: &Network, batch: usize, want: &Want) -> Self {
        Planner::new(net, batch, want).plan()
    }

    /// Bytes of all value and gradient buffers.
    pub fn bytes(&self) -> usize {
        4 * (self.slots.iter().sum::<usize>() + self.gradients.iter().sum::<usize>())
    }

    /// Bytes that the algorithm itself needs, whatever the layout: every value that is kept, and the most
    /// numbers of gradients that are in use at once, without halos.
    pub fn needed(&self) -> usize {
        4 * self.batch * self.needed
    }
}

struct Planner<'a> {
    nodes: &'a [Node],
    net: &'a Network,
    batch: usize,
    want: &'a Want,
    train: bool,
    /// Gradients are passed on and not looked at.
    passing: bool,
    losses: &'a [Wire],
    taps: &'a [Wire],
    readers: Vec<Vec<usize>>,
    /// Most rows of each wire for one image.
    each: Vec<usize>,
    /// The wire whose buffer each wire shares; its own number if none.
    root: Vec<usize>,
}

impl<'a> Planner<'a> {
    fn new(net: &'a Network, batch: usize, want: &'a Want) -> Self {
        let nodes = net.nodes();
        let mut readers = vec![Vec::new(); nodes.len()];
        for (k, node) in nodes.iter().enumerate() {
            for w in &node.inputs {
                readers[w.0].push(k);
            }
        }
        let taps: &[Wire] = if let Values::Also(taps) = &want.values { taps } else { &[] };
        let losses: &[Wire] = if let Losses::At(losses) = &want.losses { losses } else { &[] };
        let (train, root) = (want.backward(), (0..nodes.len()).collect());
        let each = net.wires().map(|wire| net.rows_each(wire)).collect();
        let passing = train && want.losses != Losses::Anywhere;
        Self { nodes, net, batch, want, train, passing, losses, taps, readers, each, root }
    }

    fn plan(mut self) -> Plan {
        self.alias();
        let halos = self.halos();
        let maps: Vec<Map> =
            (0..self.nodes.len()).map(|k| Map::new(self.nodes[k].shape, halos[self.root[k]])).collect();
        let (slot, slots, shared) = self.value_slots(&maps);
        let (gradient, gradients, passing) = self.gradient_slots();
        let place = |k: usize| Place {
            map: maps[k],
            slot: slot[self.root[k]],
            gradient: gradient[k],
            passing: passing[self.root[k]],
            aliased: self.root[k] != k,
            fused: self.fused(k),
            clear_halo: shared[self.root[k]] && self.root[k] == k,
            kept: self.train || self.kept(k),
            learns: self.learns(&self.nodes[k]),
            loss: self.losses.contains(&Wire(k)),
            behind_relu: self.passing && self.behind_relu(k),
        };
        Plan {
            places: (0..self.nodes.len()).map(place).collect(),
            slots,
            gradients,
            batch: self.batch,
            needed: self.needed(),
        }
    }

    /// Lets in-place layers share their input's buffer where nobody else needs that input.
    fn alias(&mut self) {
        for (k, node) in self.nodes.iter().enumerate() {
            let Some(layer) = &node.layer else { continue };
            if !layer.in_place() {
                continue;
            }
            let x = node.inputs[0];
            let producer = &self.nodes[x.0];
            let needed = producer.layer.as_ref().is_none_or(|l| self.train && l.reads().output);
            if self.readers[x.0].len() == 1 && !self.kept(x.0) && !needed {
                self.root[k] = self.root[x.0];
            }
        }
        // A halo fits one shape only: a wire of another shape in a buffer with a halo moves out.
        let (halos, gradient_halos) = (self.halos(), self.gradient_halos());
        for k in 0..self.nodes.len() {
            let r = self.root[k];
            let framed = halos[r] != (0, 0) || (self.train && gradient_halos[r] != (0, 0));
            if self.nodes[k].shape != self.nodes[r].shape && framed {
                for later in k..self.nodes.len() {
                    if self.root[later] == r && self.nodes[later].shape == self.nodes[k].shape {
                        self.root[later] = k;
                    }
                }
            }
        }
    }

    /// The widest halo that any reader of each buffer needs.
    fn halos(&self) -> Vec<(usize, usize)> {
        let mut halos = vec![(0, 0); self.nodes.len()];
        for node in self.nodes {
            let Some(layer) = &node.layer else { continue };
            for w in &node.inputs {
                widen(&mut halos[self.root[w.0]], layer.halo());
            }
        }
        halos
    }

    /// The widest halo that the backward of any layer needs around each gradient buffer.
    fn gradient_halos(&self) -> Vec<(usize, usize)> {
        let (mut halos, wants) = (vec![(0, 0); self.nodes.len()], self.wants_gradient());
        for (k, node) in self.nodes.iter().enumerate() {
            // Only what passes a gradient on reads beyond the borders of its own, as a rule.
            let passes = node.inputs.iter().any(|w| wants[w.0]);
            let reads = |l: &&Arc<dyn Layer>| passes || (self.learns(node) && l.parameters_read_halo());
            if let Some(layer) = node.layer.as_ref().filter(reads) {
                widen(&mut halos[self.root[k]], layer.gradient_halo(&self.net.input_shapes(node)));
            }
        }
        halos
    }

    fn kept(&self, k: usize) -> bool {
        let named = || self.net.outputs().iter().any(|(_, wire)| wire.0 == k);
        self.net.output().0 == k || self.taps.contains(&Wire(k)) || named()
    }

    /// Whether node `k` is a ReLU that the store of the layer before can do.
    fn fused(&self, k: usize) -> bool {
        let Some(layer) = &self.nodes[k].layer else { return false };
        if layer.kind() != "relu" || self.root[k] == k {
            return false;
        }
        self.nodes[self.nodes[k].inputs[0].0].layer.as_ref().is_some_and(|l| l.fuses_relu())
    }

    /// Whether the first input of node `k` is a ReLU's that works in place and that nobody else reads.
    fn behind_relu(&self, k: usize) -> bool {
        self.nodes[k].inputs.first().is_some_and(|&Wire(x)| {
            let relu = self.nodes[x].layer.as_ref().is_some_and(|layer| layer.kind() == "relu");
            relu && self.root[x] != x && self.readers[x].len() == 1
        })
    }

    /// A buffer for every root: its number, all sizes, and which roots share one.
    fn value_slots(&self, maps: &[Map]) -> (Vec<usize>, Vec<usize>, Vec<bool>) {
        let count = self.nodes.len();
        let mut last = vec![0; count];
        for k in 0..count {
            let r = self.root[k];
            let end = self.readers[k].iter().copied().max().unwrap_or(k).max(k);
            last[r] = if self.train || self.kept(k) { usize::MAX } else { end.max(last[r]) };
        }
        let (mut slot, mut buffers) = (vec![0; count], Buffers::default());
        for k in (0..count).filter(|&k| self.root[k] == k) {
            let size = self.rows(k) * maps[k].len();
            slot[k] = buffers.place(k, size, |t| last[t] < k);
        }
        let shared = buffers.shared(count);
        (slot, buffers.sizes, shared)
    }

    /// A gradient buffer for every root that wants one, all sizes, and which roots share one.
    #[allow(clippy::type_complexity, reason = "three tables that belong together")]
    fn gradient_slots(&self) -> (Vec<Option<(Map, usize)>>, Vec<usize>, Vec<bool>) {
        let count = self.nodes.len();
        let (lives, halos) = (self.gradient_lives(), self.gradient_halos());
        let (mut places, mut buffers) = (vec![None; count], Buffers::default());
        // Backward comes to the last wires first.
        for r in (0..count).rev().filter(|&r| self.root[r] == r) {
            let Some(life) = &lives[r] else { continue };
            let members = || (0..count).filter(|&k| self.root[k] == r);
            let size =
                members().map(|k| self.rows(k) * Map::new(self.nodes[k].shape, halos[r]).len()).max().unwrap_or(0);
            let apart =
                |t: usize| lives[t].as_ref().is_none_or(|other| other.end <= life.start || life.end <= other.start);
            let s = buffers.place(r, size, |t| self.passing && apart(t));
            for k in members() {
                places[k] = Some((Map::new(self.nodes[k].shape, halos[r]), s));
            }
        }
        let passing = buffers.shared(count);
        (places, buffers.sizes, passing)
    }

    /// When the gradient of each root is in use, counted by nodes as backward comes to them from the last one down: from
    /// its last reader, or from the start where a loss is taken, to its own layer.
    fn gradient_lives(&self) -> Vec<Option<std::ops::Range<usize>>> {
        let count = self.nodes.len();
        let mut lives = vec![None::<std::ops::Range<usize>>; count];
        for (k, _) in self.wants_gradient().iter().enumerate().filter(|(_, wants)| **wants) {
            let reader = self.readers[k].iter().max().filter(|_| !self.losses.contains(&Wire(k)));
            let end = reader.map_or(count, |&reader| reader) + 1;
            let r = self.root[k];
            let before = lives[r].as_ref().map_or(0, |life| life.end);
            lives[r] = Some(r..end.max(before));
        }
        lives
    }

    /// Which wires a gradient must reach: those with parameters behind them, and an input that is to be looked at.
    fn wants_gradient(&self) -> Vec<bool> {
        let mut wants = vec![false; self.nodes.len()];
        for (k, node) in self.nodes.iter().enumerate().filter(|_| self.train) {
            wants[k] = match &node.layer {
                None => self.want.inputs && node.port.has_gradient(),
                Some(_) => {
                    let mut inputs = node.inputs.iter().enumerate();
                    self.learns(node) || inputs.any(|(i, w)| Network::passes(node, i) && wants[w.0])
                }
            };
        }
        wants
    }

    /// Whether gradients of a node's own parameters are wanted.
    fn learns(&self, node: &Node) -> bool {
        self.want.parameters && !node.params.is_empty() && !node.frozen
    }

    /// Most rows of a wire in a run.
    fn rows(&self, k: usize) -> usize {
        self.batch * self.each[k]
    }

    /// Numbers for one image that no layout can do without.
    fn needed(&self) -> usize {
        let count = self.nodes.len();
        let len = |r: usize| self.each[r] * self.nodes[r].shape.len();
        let roots = || (0..count).filter(|&r| self.root[r] == r);
        let lives = self.gradient_lives();
        let at = |k: usize| roots().filter(|&r| lives[r].as_ref().is_some_and(|life| life.contains(&k))).map(len).sum();
        let values: usize = roots().filter(|&r| self.train || self.kept(r)).map(len).sum();
        values + (0..=count).map(at).max().unwrap_or(0)
    }
}

/// Buffers and the roots that live in them.
#[derive(Default)]
struct Buffers {
    sizes: Vec<usize>,
    tenants: Vec<Vec<usize>>,
}

impl Buffers {
    /// A buffer of at least `size` numbers for `root`: of those whose tenants all may share it, the one nearest in size, else
    /// a new one.
    fn place(&mut self, root: usize, size: usize, may_share: impl Fn(usize) -> bool) -> usize {
        let free = |&s: &usize| self.tenants[s].iter().all(|&t| may_share(t));
        let best = (0..self.sizes.len()).filter(free).min_by_key(|&s| self.sizes[s].abs_diff(size));
        let s = best.unwrap_or_else(|| {
            self.sizes.push(0);
            self.tenants.push(Vec::new());
            self.sizes.len() - 1
        });
        self.sizes[s] = self.sizes[s].max(size);
        self.tenants[s].push(root);
        s
    }

    /// Which of `count` roots share a buffer.
    fn shared(&self, count: usize) -> Vec<bool> {
        let mut shared = vec![false; count];
        self.tenants.iter().filter(|t| t.len() > 1).flatten().for_each(|&t| shared[t] = true);
        shared
    }
}

fn widen(halo: &mut (usize, usize), need: (usize, usize)) {
    *halo = (halo.0.max(need.0), halo.1.max(need.1));
}

/// The most bytes that buffers may take. A page has 4 GiB in all, and the browser needs room for copies; a program of its own
/// has what machines for this have.
const MOST_BYTES: u64 = if cfg!(target_pointer_width = "32") { 1 << 30 } else { 8 << 30 };

/// Refuses what would not fit into memory, before anything is allocated. Errors: [`Error::Value`] for an empty batch and for
/// buffers of more than 1 GiB in a page, 8 GiB elsewhere.
pub fn affordable(net: &Network, batch: usize, want: &Want) -> Result<()> {
    if batch == 0 {
        return Err(Error::value("batch", "at least 1 image", batch));
    }
    let each = |wire: Wire| (net.rows_each(wire) * net.node(wire).shape.len()) as u64;
    let numbers: u64 = net.wires().map(each).sum();
    let (values, copies) = if want.backward() { (2, 5) } else { (1, 2) };
    let numbers = numbers.saturating_mul(batch as u64).saturating_add(copies * net.parameters() as u64 / values);
    let bytes = numbers.saturating_mul(4 * values);
    if bytes > MOST_BYTES {
        let mega = |bytes: u64| bytes >> 20;
        return Err(Error::value(
            "memory of a run",
            format!("at most {} MiB (fewer images at once or smaller layers take less)", mega(MOST_BYTES)),
            format!("about {} MiB", mega(bytes)),
        ));
    }
    Ok(())
}
