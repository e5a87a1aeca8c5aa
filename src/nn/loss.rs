//! What the losses of a run came to and the backward pass from them; and losses at wires of networks that have no loss
//! layers: what the wire's values cost, and the gradient that the backward pass starts from.

use super::graph::{Node, Wire};
use super::params::Params;
use super::run::Run;
use crate::error::{Error, Result};
use crate::kernel::softmax;

impl Run {
    /// What the loss of this name came to in the last forward run: its sum over the rows, its weight left aside.
    ///
    /// Errors: [`Error::Missing`] for a name that is no loss's.
    pub fn loss(&self, name: &str) -> Result<f64> {
        let found = self.network().losses().iter().find(|(wire, _)| self.network().node(*wire).name == name);
        found.map(|(wire, _)| self.totals[wire.0]).ok_or_else(|| {
            let names: Vec<&str> =
                self.network().losses().iter().map(|(w, _)| self.network().node(*w).name.as_str()).collect();
            Error::missing("loss", format!("one of {}", names.join(", ")), name)
        })
    }

    /// What the last of the losses came to; 0 without any.
    pub fn last_loss(&self) -> f64 {
        self.network().losses().last().map_or(0.0, |(wire, _)| self.totals[wire.0])
    }

    /// What all losses came to, each times its weight.
    pub fn total_loss(&self) -> f64 {
        self.network().losses().iter().map(|(wire, weight)| f64::from(*weight) * self.totals[wire.0]).sum()
    }

    /// The backward pass from every loss: adds to `dparams` the gradients of `scale` times [`Run::total_loss`]. A scale of
    /// `1 / images` makes them those of the mean over images. See [`Run::backward`].
    pub fn backward_losses(&mut self, params: &Params, dparams: &mut [f32], scale: f32) {
        self.seed_losses(scale);
        self.backward(params, dparams);
    }

    /// As [`Run::backward_losses`] into a full arena, told of on the way: `ready` hears behind each layer the gradient and the
    /// place from which on it is final, and at last, once, 0.
    pub fn backward_telling(
        &mut self,
        params: &Params,
        dparams: &mut [f32],
        scale: f32,
        ready: &mut dyn FnMut(&[f32], usize),
    ) {
        assert_eq!(dparams.len(), params.values().len(), "a gradient arena of the parameters' size");
        self.seed_losses(scale);
        let net = self.network().clone();
        // Behind a node all is final that no earlier node has; parameters that nodes share count for the first of them.
        let end = |node: &Node| net.views()[node.params.clone()].iter().map(|v| v.range().end).max().unwrap_or(0);
        let ends = net.nodes().iter().scan(0, |most, node| Some(std::mem::replace(most, end(node).max(*most))));
        let ends: Vec<usize> = ends.collect();
        let mut told = dparams.len();
        for (k, from) in ends.into_iter().enumerate().rev() {
            self.backward_layer(params, dparams, Wire(k));
            if told > 0 {
                ready(dparams, from);
                told = from;
            }
        }
        if dparams.is_empty() {
            ready(dparams, 0);
        }
    }

    fn seed_losses(&mut self, scale: f32) {
        let net = self.network().clone();
        for (wire, weight) in net.losses() {
            if let Some((_, _, dy, _, _)) = self.open_gradient(*wire) {
                dy.fill(weight * scale);
            }
        }
    }

    /// Softmax and cross-entropy on a wire of class scores: returns the sum over images of `−ln p[label]`, and leaves
    /// `scale · (p − onehot)` as the wire's gradient. A `scale` of `1 / images` makes the gradient that of the mean.
    ///
    /// Fails on a wire that is not a vector, on another number of labels than images and on a label without a class.
    pub fn softmax_cross_entropy(&mut self, logits: Wire, labels: &[u8], scale: f32) -> Result<f64> {
        let level = self.level();
        let (y, map, dy) = self.vector_gradient(logits)?;
        if labels.len() * map.shape.c != y.len() {
            return Err(Error::shape("labels", y.len() / map.shape.c, labels.len()));
        }
        if let Some(bad) = labels.iter().find(|&&l| usize::from(l) >= map.shape.c) {
            return Err(Error::value("label", format!("below {}", map.shape.c), bad));
        }
        Ok(softmax::softmax_cross_entropy(level, y, labels, map.shape.c, scale, dy))
    }

    /// As [`Run::softmax_cross_entropy`] against distributions: rows of as many targets as classes, each row summing to 1.
    pub fn soft_cross_entropy(&mut self, logits: Wire, targets: &[f32], scale: f32) -> Result<f64> {
        let level = self.level();
        let (y, map, dy) = self.vector_gradient(logits)?;
        if targets.len() != y.len() {
            return Err(Error::shape("targets", y.len(), targets.len()));
        }
        Ok(softmax::softmax_cross_entropy_soft(level, y, targets, map.shape.c, scale, dy))
    }

    /// What a network of class scores costs: returns the cross-entropy of its output, as [`Run::soft_cross_entropy`], and
    /// leaves the gradients of the output and of every auxiliary classifier, times its weight.
    pub fn classification_loss(&mut self, targets: &[f32], scale: f32) -> Result<f64> {
        for i in 0..self.network().auxiliaries().len() {
            let (wire, weight) = self.network().auxiliaries()[i];
            self.soft_cross_entropy(wire, targets, weight * scale)?;
        }
        self.soft_cross_entropy(self.network().output(), targets, scale)
    }

    /// Squared error of a vector wire: returns `½ Σ (y − target)²` over all images, as the sources define it, and leaves
    /// `scale · (y − target)` as the wire's gradient.
    pub fn squared_error(&mut self, wire: Wire, targets: &[f32], scale: f32) -> Result<f64> {
        let level = self.level();
        let (y, _, dy) = self.vector_gradient(wire)?;
        if targets.len() != y.len() {
            return Err(Error::shape("targets", y.len(), targets.len()));
        }
        Ok(softmax::squared_error(level, y, targets, scale, dy))
    }

    fn vector_gradient(&mut self, wire: Wire) -> Result<(&[f32], crate::tensor::Map, &mut [f32])> {
        let Some((y, map, dy, dmap)) = self.seed_gradient(wire) else {
            return Err(Error::value("loss", "a plan that trains and a wire with a gradient", "neither"));
        };
        if map.len() != map.shape.c || dmap.len() != map.shape.c {
            return Err(Error::shape("loss", "a wire of vectors", map.shape));
        }
        Ok((y, map, dy))
    }
}
