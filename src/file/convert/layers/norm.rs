//! Norms, and the layers that bring a picture's numbers into a range.

use super::super::builder::{Hold, Wire, for_channels, ints};
use super::super::translate::Translator;
use super::Job;
use super::dense::turned;
use crate::error::Result;
use crate::file::onnx::Attribute;
use crate::tensor::Tensor;

impl Translator<'_> {
    /// Whether a norm is over the last axis, the channels.
    fn over_channels(&self, job: &Job, x: &Wire) -> Result<()> {
        let axis = job.layer.signed("axis", -1)?;
        match axis == -1 || axis == x.sides.len() as i64 {
            true => Ok(()),
            false => Err(job.layer.refuse("a norm of the channels, the last axis", axis)),
        }
    }

    pub(super) fn batch_norm(&mut self, job: &Job, x: Wire) -> Result<Wire> {
        self.over_channels(job, &x)?;
        let x = if x.sides.len() > 1 { self.out.first(x) } else { self.out.settled(x) };
        let (scale, center) = (job.layer.flag("scale", true), job.layer.flag("center", true));
        let first = usize::from(scale) + usize::from(center);
        let mean = self.weight(job, "moving_mean", first, 1)?;
        let count = mean.len();
        if x.channels().is_some_and(|c| c != count) {
            return Err(job.layer.refuse(format!("{count} channels"), format!("{:?}", x.sides)));
        }
        let variance = self.channels(job, "moving_variance", first + 1, count)?;
        let ones = |value: f32| for_channels(vec![value; count], 0);
        let gamma = if scale { self.channels(job, "gamma", 0, count)? } else { ones(1.0) };
        let beta = if center { self.channels(job, "beta", usize::from(scale), count)? } else { ones(0.0) };
        let eps = job.layer.float("epsilon", 1e-3)?;
        self.normed(job, x, [gamma, beta, mean, variance], eps)
    }

    /// The operator with its four rows of numbers.
    fn normed(&mut self, job: &Job, x: Wire, rows: [Tensor; 4], eps: f32) -> Result<Wire> {
        let mut names = Vec::new();
        for (what, row) in ["weight", "bias", "running_mean", "running_var"].into_iter().zip(rows) {
            let row = if let Hold::Flat(sides) = x.hold { turned(&job.name, row, sides)? } else { row };
            names.push(self.out.constant(&job.part(what), row));
        }
        let inputs: Vec<&str> = std::iter::once(&x.name).chain(&names).map(String::as_str).collect();
        let made = self.out.node("BatchNormalization", &job.name, &inputs, &[("epsilon", Attribute::Float(eps))]);
        Ok(Wire::new(made, x.sides, x.hold))
    }

    pub(super) fn layer_norm(&mut self, job: &Job, x: Wire) -> Result<Wire> {
        self.over_channels(job, &x)?;
        let x = self.out.plain(x);
        let count = x.channels().ok_or_else(|| job.layer.refuse("a known number of channels", "an open one"))?;
        let scale = job.layer.flag("scale", true);
        let gamma = if scale { self.channels(job, "gamma", 0, count)? } else { for_channels(vec![1.0; count], 0) };
        let gamma = self.out.constant(&job.part("weight"), gamma);
        let mut inputs = vec![x.name.as_str(), &gamma];
        let name;
        if job.layer.flag("center", true) {
            let beta = self.channels(job, "beta", usize::from(scale), count)?;
            name = self.out.constant(&job.part("bias"), beta);
            inputs.push(&name);
        }
        let eps = Attribute::Float(job.layer.float("epsilon", 1e-3)?);
        let made =
            self.out.node("LayerNormalization", &job.name, &inputs, &[("axis", Attribute::Int(-1)), ("epsilon", eps)]);
        Ok(Wire::new(made, x.sides, Hold::Plain))
    }

    /// `x · scale + offset`, or `(x − mean) / √variance`: for pictures a convolution of one pixel in each channel, which is a
    /// layer everywhere.
    pub(super) fn rescale(&mut self, job: &Job, x: Wire) -> Result<Wire> {
        let count = x.channels().ok_or_else(|| job.layer.refuse("a known number of channels", "an open one"))?;
        let (scale, offset) = if job.layer.class == "Rescaling" {
            let read = |key: &str, missing: f32| Ok(job.layer.floats(key)?.unwrap_or_else(|| vec![missing]));
            (self.wide(job, read("scale", 1.0)?, count)?, self.wide(job, read("offset", 0.0)?, count)?)
        } else {
            self.statistics(job, &x, count)?
        };
        if x.sides.len() != 3 {
            let x = if x.sides.len() > 1 { self.out.first(x) } else { self.out.plain(x) };
            let row = |values| for_channels(values, 0);
            let rows = [row(scale), row(offset), row(vec![0.0; count]), row(vec![1.0; count])];
            return self.normed(job, x, rows, 0.0);
        }
        let x = self.out.first(x);
        let weight = for_channels(scale, 3);
        let weight = self.out.constant(&job.part("weight"), weight);
        let bias = self.out.constant(&job.part("bias"), for_channels(offset, 0));
        let attributes = [("kernel_shape", ints(&[1, 1])), ("group", Attribute::Int(count as i64))];
        let made = self.out.node("Conv", &job.name, &[&x.name, &weight, &bias], &attributes);
        Ok(Wire::new(made, x.sides, Hold::First))
    }

    fn wide(&self, job: &Job, values: Vec<f32>, count: usize) -> Result<Vec<f32>> {
        match values.len() {
            1 => Ok(vec![values[0]; count]),
            many if many == count => Ok(values),
            many => Err(job.layer.refuse(format!("1 or {count} numbers"), many)),
        }
    }

    /// Factors and offsets of a Normalization, from its settings or its weights.
    fn statistics(&self, job: &Job, x: &Wire, count: usize) -> Result<(Vec<f32>, Vec<f32>)> {
        if job.layer.get("axis").is_some_and(|axis| !axis.is_null()) {
            self.over_channels(job, x)?;
        }
        let given = |key: &str| job.layer.floats(key);
        let (mean, variance) = match (given("mean")?, given("variance")?) {
            (Some(mean), Some(variance)) => (mean, variance),
            _ => {
                let row =
                    |role: &str, index| Ok(self.store.need(job.place, "", role, index, 1)?.iter().copied().collect());
                (row("mean", 0)?, row("variance", 1)?)
            }
        };
        let (mean, variance) = (self.wide(job, mean, count)?, self.wide(job, variance, count)?);
        // Keras' smallest deviation.
        let deviation = |v: f32| v.max(0.0).sqrt().max(1e-7);
        let invert = job.layer.flag("invert", false);
        Ok(mean
            .into_iter()
            .zip(variance)
            .map(|(mean, v)| if invert { (deviation(v), mean) } else { (1.0 / deviation(v), -mean / deviation(v)) })
            .unzip())
    }
}
