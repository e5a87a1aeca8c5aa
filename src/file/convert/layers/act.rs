//! Activations, as layers of their own and behind other layers.

use super::super::builder::{Hold, Wire, permuted};
use super::super::translate::{Dialect, Translator};
use super::Job;
use crate::error::Result;
use crate::file::onnx::Attribute;
use ndarray::arr0;

impl Translator<'_> {
    /// A constant of one number.
    pub(super) fn scalar(&mut self, name: &str, value: f32) -> String {
        self.out.constant(name, arr0(value).into_dyn())
    }

    /// The activation that a layer names in its settings.
    pub(super) fn own_activation(&mut self, job: &Job, x: Wire) -> Result<Wire> {
        let function = job.layer.function("activation", "linear")?.to_string();
        let name = job.part(&function);
        self.activation(job, x, &function, &name)
    }

    /// A function of Keras, by its name.
    pub(super) fn activation(&mut self, job: &Job, x: Wire, function: &str, name: &str) -> Result<Wire> {
        let x = self.out.settled(x);
        let float = |name: &'static str, value: f32| (name, Attribute::Float(value));
        let three = self.dialect == Dialect::Three;
        // The hard sigmoid of Keras 2 has another slope.
        let slope = if three { 1.0 / 6.0 } else { 0.2 };
        let made = match function {
            "linear" => return Ok(x),
            "softmax" | "log_softmax" => return self.softmax(x, function, name),
            "relu" => self.out.node("Relu", name, &[&x.name], &[]),
            "relu6" => return self.bounded(x, 6.0, name),
            "sigmoid" => self.out.node("Sigmoid", name, &[&x.name], &[]),
            "tanh" => self.out.node("Tanh", name, &[&x.name], &[]),
            "softplus" => self.out.node("Softplus", name, &[&x.name], &[]),
            "softsign" => self.out.node("Softsign", name, &[&x.name], &[]),
            "exponential" => self.out.node("Exp", name, &[&x.name], &[]),
            "elu" => self.out.node("Elu", name, &[&x.name], &[float("alpha", 1.0)]),
            "selu" => self.out.node("Selu", name, &[&x.name], &[]),
            "leaky_relu" => self.out.node("LeakyRelu", name, &[&x.name], &[float("alpha", 0.2)]),
            "hard_sigmoid" => {
                self.out.node("HardSigmoid", name, &[&x.name], &[float("alpha", slope), float("beta", 0.5)])
            }
            "swish" | "silu" => self.gated(&x, "Sigmoid", &[], name),
            "hard_silu" | "hard_swish" => {
                self.gated(&x, "HardSigmoid", &[float("alpha", 1.0 / 6.0), float("beta", 0.5)], name)
            }
            "mish" => {
                let soft = self.out.node("Softplus", &format!("{name}.softplus"), &[&x.name], &[]);
                let gate = self.out.node("Tanh", &format!("{name}.tanh"), &[&soft], &[]);
                self.out.node("Mul", name, &[&x.name, &gate], &[])
            }
            "gelu" => self.out.node("Gelu", name, &[&x.name], &[]),
            other => return Err(job.layer.refuse("an activation that is known here", other)),
        };
        let positive = matches!(function, "relu" | "sigmoid" | "softplus" | "exponential" | "hard_sigmoid");
        Ok(Wire { name: made, positive, ..x })
    }

    /// A wire times a function of itself.
    fn gated(&mut self, x: &Wire, op: &str, attributes: &[(&str, Attribute)], name: &str) -> String {
        let gate = self.out.node(op, &format!("{name}.gate"), &[&x.name], attributes);
        self.out.node("Mul", name, &[&x.name, &gate], &[])
    }

    /// Between 0 and a bound.
    fn bounded(&mut self, x: Wire, most: f32, name: &str) -> Result<Wire> {
        let (zero, most) = (self.scalar("zero", 0.0), self.scalar(&format!("{name}.most"), most));
        let made = self.out.node("Clip", name, &[&x.name, &zero, &most], &[]);
        Ok(Wire { name: made, positive: true, ..x })
    }

    /// Over the channels.
    fn softmax(&mut self, x: Wire, function: &str, name: &str) -> Result<Wire> {
        let axis = if x.hold == Hold::First { 1 } else { -1 };
        let op = if function == "softmax" { "Softmax" } else { "LogSoftmax" };
        let made = self.out.node(op, name, &[&x.name], &[("axis", Attribute::Int(axis))]);
        Ok(Wire { name: made, positive: op == "Softmax", ..x })
    }

    /// Activations that are layers with settings.
    pub(super) fn bend(&mut self, job: &Job, x: Wire) -> Result<Wire> {
        let x = self.out.settled(x);
        let (layer, name) = (job.layer, job.name.as_str());
        match layer.class.as_str() {
            "Softmax" => {
                let axis = layer.signed("axis", -1)?;
                let last = axis == -1 || axis == x.sides.len() as i64;
                if !last {
                    return Err(layer.refuse("a softmax over the last axis", axis));
                }
                self.softmax(x, "softmax", name)
            }
            "LeakyReLU" => {
                let slope = layer.float("negative_slope", layer.float("alpha", 0.3)?)?;
                let made = self.out.node("LeakyRelu", name, &[&x.name], &[("alpha", Attribute::Float(slope))]);
                Ok(Wire { name: made, positive: false, ..x })
            }
            "ELU" => {
                let alpha = layer.float("alpha", 1.0)?;
                let made = self.out.node("Elu", name, &[&x.name], &[("alpha", Attribute::Float(alpha))]);
                Ok(Wire { name: made, positive: false, ..x })
            }
            "PReLU" => self.prelu(job, x),
            _ => {
                let slope = layer.float("negative_slope", 0.0)?;
                if layer.float("threshold", 0.0)? != 0.0 || (slope != 0.0 && layer.get("max_value").is_some()) {
                    return Err(layer.refuse("a ReLU from 0, with a slope below it or a bound", "another"));
                }
                if layer.get("max_value").is_some() {
                    return self.bounded(x, layer.float("max_value", 6.0)?, name);
                }
                let (op, alpha) = if slope == 0.0 {
                    ("Relu", vec![])
                } else {
                    ("LeakyRelu", vec![("alpha", Attribute::Float(slope))])
                };
                let made = self.out.node(op, name, &[&x.name], &alpha);
                Ok(Wire { name: made, positive: slope == 0.0, ..x })
            }
        }
    }

    /// A slope for each number, or for each channel.
    fn prelu(&mut self, job: &Job, x: Wire) -> Result<Wire> {
        let rank = x.sides.len();
        let x = if rank >= 2 { self.out.first(x) } else { self.out.plain(x) };
        let mut alpha = self.weight(job, "alpha", 0, rank)?;
        if x.hold == Hold::First {
            let axes: Vec<usize> = std::iter::once(rank - 1).chain(0..rank - 1).collect();
            alpha = permuted(alpha, &axes);
        }
        let slope = self.out.constant(&job.part("weight"), alpha);
        let made = self.out.node("PRelu", &job.name, &[&x.name, &slope], &[]);
        Ok(Wire { name: made, positive: false, ..x })
    }
}
