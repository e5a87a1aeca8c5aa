//! Recurrent layers. ONNX has the time first, and its own order of gates.

use super::super::builder::{Hold, Wire, permuted, reshaped};
use super::super::config::{self, Layer};
use super::super::translate::Translator;
use super::Job;
use crate::error::Result;
use crate::file::onnx::Attribute;
use crate::tensor::Tensor;
use ndarray::{Axis, concatenate};

/// The weights of one direction, as ONNX has them: for the input, for the state, and the biases of both.
type Direction = [Tensor; 3];

/// The gates of a layer in Keras, in the order in which ONNX has them.
fn gates(class: &str) -> &'static [usize] {
    match class {
        // Input, forget, cell, output; input, output, forget, cell.
        "LSTM" => &[0, 3, 1, 2],
        "GRU" => &[0, 1, 2],
        _ => &[0],
    }
}

impl Translator<'_> {
    pub(super) fn recurrent(&mut self, job: &Job, x: Wire) -> Result<Wire> {
        let one = self.direction(job, job.layer, "cell/")?;
        let backwards = job.layer.flag("go_backwards", false);
        let direction = if backwards { "reverse" } else { "forward" };
        let sequences = job.layer.flag("return_sequences", false);
        if backwards && sequences {
            return Err(job.layer.refuse("a sequence in its own order", "go_backwards with return_sequences"));
        }
        self.run(job, job.layer, x, &[one], direction)
    }

    /// One layer in each direction, side by side.
    pub(super) fn bidirectional(&mut self, job: &Job, x: Wire) -> Result<Wire> {
        let inner = job.layer.get("layer").ok_or_else(|| job.layer.refuse("a layer inside", "none"))?;
        let inner = config::single(inner)?;
        let merge = job.layer.text("merge_mode", "concat")?.to_string();
        let plain = matches!(inner.class.as_str(), "LSTM" | "GRU" | "SimpleRNN") && !inner.flag("go_backwards", false);
        if !plain || merge != "concat" {
            return Err(job.layer.refuse("an LSTM, GRU or SimpleRNN in both directions, side by side", &inner.class));
        }
        let forward = self.direction(job, &inner, "forward_layer/cell/")?;
        let backward = self.direction(job, &inner, "backward_layer/cell/")?;
        self.run(job, &inner, x, &[forward, backward], "bidirectional")
    }

    fn direction(&self, job: &Job, layer: &Layer, inside: &str) -> Result<Direction> {
        let usual = layer.function("activation", "tanh")? == "tanh"
            && (layer.class == "SimpleRNN" || layer.function("recurrent_activation", "sigmoid")? == "sigmoid");
        if !usual || layer.flag("return_state", false) {
            return Err(job.layer.refuse("tanh, sigmoid and no states as outputs", "others"));
        }
        let units = layer.int("units", 0)?;
        let order = gates(&layer.class);
        let need = |role: &str, index: usize, axes| self.store.need(job.place, inside, role, index, axes);
        let (kernel, state) = (need("kernel", 0, 2)?, need("recurrent_kernel", 1, 2)?);
        let wide = units.checked_mul(order.len()).filter(|wide| *wide > 0);
        if kernel.shape().get(1).copied() != wide || Some(state.shape()[1]) != wide || state.shape()[0] != units {
            let got = format!("{:?} and {:?}", kernel.shape(), state.shape());
            return Err(job.layer.refuse(format!("weights for {units} units"), got));
        }
        let wide = wide.unwrap_or(0);
        let both = if layer.flag("use_bias", true) {
            // The gated layer of Keras 2 has a bias for the input and one for the state.
            let two = layer.class == "GRU" && layer.flag("reset_after", true);
            let bias = need("bias", 2, if two { 2 } else { 1 })?;
            let have = bias.len();
            let rows = if two { 2 } else { 1 };
            if have != rows * wide {
                return Err(job.layer.refuse(format!("{rows} × {wide} biases"), have));
            }
            let mut flat: Vec<f32> = bias.iter().copied().collect();
            flat.resize(2 * wide, 0.0);
            flat
        } else {
            vec![0.0; 2 * wide]
        };
        let both = reshaped(&job.name, ndarray::arr1(&both).into_dyn(), &[2, wide])?;
        Ok([
            sorted(permuted(kernel, &[1, 0]), order, 0),
            sorted(permuted(state, &[1, 0]), order, 0),
            sorted(both, order, 1),
        ])
    }

    fn run(&mut self, job: &Job, layer: &Layer, x: Wire, all: &[Direction], way: &str) -> Result<Wire> {
        let x = self.out.plain(x);
        let units = layer.int("units", 0)?;
        let [time, features] = x.sides[..] else {
            return Err(job.layer.refuse("a sequence of rows", format!("{:?}", x.sides)));
        };
        if features != Some(all[0][0].shape()[1]) {
            return Err(job.layer.refuse(format!("rows of {}", all[0][0].shape()[1]), format!("{:?}", x.sides)));
        }
        let mut names = vec![self.out.transpose(&job.part("in"), &x.name, &[1, 0, 2])];
        for (k, what) in ["kernel", "recurrent_kernel", "bias"].into_iter().enumerate() {
            let views: Vec<_> = all.iter().map(|one| one[k].view().insert_axis(Axis(0))).collect();
            let stacked = concatenate(Axis(0), &views).map_err(|e| job.layer.refuse("two directions alike", e))?;
            let flat = if k == 2 { reshaped(&job.name, stacked, &[all.len(), all[0][2].len()])? } else { stacked };
            names.push(self.out.constant(&job.part(what), flat));
        }
        let op = if layer.class == "SimpleRNN" { "RNN" } else { &layer.class };
        let mut attributes =
            vec![("hidden_size", Attribute::Int(units as i64)), ("direction", Attribute::Text(way.into()))];
        if layer.class == "GRU" {
            attributes.push(("linear_before_reset", Attribute::Int(layer.flag("reset_after", true).into())));
        }
        let inputs: Vec<&str> = names.iter().map(String::as_str).collect();
        let made = self.out.node_of(op, &job.name, &inputs, &attributes, 2);
        let wide = units * all.len();
        if layer.flag("return_sequences", false) {
            // Time, direction, batch, units.
            let turned = self.out.transpose(&job.part("out"), &made[0], &[2, 0, 1, 3]);
            let rows = self.out.list(&job.part("rows"), &[0, 0, wide as i64]);
            let made = self.out.node("Reshape", &job.part("sequence"), &[&turned, &rows], &[]);
            return Ok(Wire::new(made, vec![time, Some(wide)], Hold::Plain));
        }
        let turned = self.out.transpose(&job.part("out"), &made[1], &[1, 0, 2]);
        let made = self.out.reshape(&job.part("last"), &turned, &[wide as i64]);
        Ok(Wire::new(made, vec![Some(wide)], Hold::Plain))
    }
}

/// The gates along an axis, each a part of it, in another order.
fn sorted(tensor: Tensor, order: &[usize], axis: usize) -> Tensor {
    let part = tensor.shape()[axis] / order.len();
    let rows: Vec<usize> = order.iter().flat_map(|gate| gate * part..(gate + 1) * part).collect();
    tensor.select(Axis(axis), &rows)
}
