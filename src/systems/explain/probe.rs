//! A run whose every value and gradient stays to be looked at, and which goes back by a rule.

use crate::error::{Error, Result};
use crate::kernel::reduce;
use crate::nn::{Mode, Network, Params, Run, Want, Wire};
use crate::tensor::Map;

/// The most numbers that the buffers of one probe may hold: 256 MB.
const MOST: usize = 1 << 26;

/// What passes a ReLU on the way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// The derivative: what arrives, where the value was positive.
    Gradient,
    /// Only what is positive of that.
    Guided,
}

pub(super) struct Probe {
    pub run: Run,
    /// The gradient of the parameters after the last way back, in the arena's order.
    pub weights: Vec<f32>,
}

/// One picture's values on a wire, and the gradient to fill, each in its layout.
pub(super) struct At<'a> {
    pub y: &'a [f32],
    pub map: Map,
    pub dy: &'a mut [f32],
    pub dmap: Map,
}

impl Probe {
    /// For batches of up to `batch` pictures, or as many of them as memory allows.
    pub fn new(net: &Network, batch: usize) -> Result<Self> {
        let numbers = 3 * net.nodes().iter().map(|node| node.shape.len()).sum::<usize>();
        if numbers > MOST {
            return Err(Error::value("network to explain", format!("at most {MOST} numbers at work"), numbers));
        }
        let run = Run::new(net, batch.min(MOST / numbers.max(1)), &Want::everything());
        Ok(Self { run, weights: vec![0.0; net.arena_len()] })
    }

    /// The most pictures in a batch.
    pub fn batch(&self) -> usize {
        self.run.plan().batch
    }

    /// Computes every wire for pictures (CHW) one after another; dropout passes everything.
    pub fn forward(&mut self, params: &Params, pictures: &[f32]) -> Result<()> {
        if !reduce::sum(self.run.level(), pictures).is_finite() {
            return Err(Error::value("picture", "finite numbers", "others"));
        }
        let n = pictures.len() / self.run.network().input_shape().len();
        self.run.forward(params, pictures, n, Mode::Infer)
    }

    /// The rows of scores.
    pub fn scores(&self) -> &[f32] {
        self.run.output()
    }

    /// Goes back once after a forward pass: from `from`, whose gradient `seed` fills for each picture, to before `to`,
    /// whose gradient is then that of its values.
    pub fn back(
        &mut self,
        params: &Params,
        from: Wire,
        to: Option<Wire>,
        rule: Rule,
        mut seed: impl FnMut(usize, At<'_>),
    ) {
        let (y, map, dy, dmap) = self.run.seed_gradient(from).expect("a plan that keeps gradients");
        for (i, (y, dy)) in y.chunks_exact(map.len()).zip(dy.chunks_exact_mut(dmap.len())).enumerate() {
            seed(i, At { y, map, dy, dmap });
        }
        self.walk(params, from, to, |run, wire| {
            if rule == Rule::Guided && is(run.network(), wire, "relu") {
                let (_, _, dy, _) = run.seed_gradient(wire).expect("a plan that keeps gradients");
                dy.iter_mut().for_each(|dy| *dy = dy.max(0.0));
            }
        });
    }

    /// Goes back from a seeded wire; `before` sees each wire once its gradient is complete, before it is passed on.
    pub fn walk(&mut self, params: &Params, from: Wire, to: Option<Wire>, mut before: impl FnMut(&mut Run, Wire)) {
        self.weights.fill(0.0);
        let wires: Vec<Wire> =
            self.run.network().wires().filter(|&w| w <= from && to.is_none_or(|to| w > to)).collect();
        for wire in wires.into_iter().rev() {
            before(&mut self.run, wire);
            self.run.backward_layer(params, &mut self.weights, wire);
        }
    }

    /// Appends the gradients of a wire (CHW), a picture after another; zeros where nothing arrived.
    pub fn gradients(&self, wire: Wire, out: &mut Vec<f32>) {
        let (n, len) = (self.run.images(), self.run.network().node(wire).shape.len());
        let start = out.len();
        out.resize(start + n * len, 0.0);
        if let Some((values, map)) = self.run.gradient(wire) {
            for (image, out) in values.chunks_exact(map.len()).zip(out[start..].chunks_exact_mut(len)) {
                map.copy_to_chw(image, out);
            }
        }
    }

    /// The last wire that works in this one's buffer without changing its shape: behind its activation.
    pub fn behind(&self, wire: Wire) -> Wire {
        let (places, net) = (&self.run.plan().places, self.run.network());
        let mut last = wire;
        for (next, place) in net.wires().zip(places) {
            let node = net.node(next);
            if place.aliased && node.inputs.first() == Some(&last) && !is(net, next, "flatten") {
                last = next;
            }
        }
        last
    }
}

/// Whether a wire comes from a layer of this kind.
pub(super) fn is(net: &Network, wire: Wire, kind: &str) -> bool {
    net.node(wire).layer.as_ref().is_some_and(|layer| layer.kind() == kind)
}
