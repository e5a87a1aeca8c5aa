//! Dense layers. Behind flattened maps the columns of the matrix are put into the order that maps with their channels first have.

use super::super::builder::{Hold, Wire, permuted, reshaped};
use super::super::translate::Translator;
use super::Job;
use crate::error::Result;
use crate::file::onnx::Attribute;
use crate::tensor::Tensor;

/// Rows, or whatever stands on the first axis, from the order of maps with their channels last to that with them first.
pub(super) fn turned(what: &str, tensor: Tensor, [h, w, c]: [usize; 3]) -> Result<Tensor> {
    let rest = tensor.shape()[1..].to_vec();
    let maps = reshaped(what, tensor, &[&[h, w, c], &rest[..]].concat())?;
    let axes: Vec<usize> = [2, 0, 1].into_iter().chain(3..3 + rest.len()).collect();
    reshaped(what, permuted(maps, &axes), &[&[h * w * c], &rest[..]].concat())
}

impl Translator<'_> {
    pub(super) fn dense(&mut self, job: &Job, x: Wire) -> Result<Wire> {
        let x = self.out.settled(x);
        let mut kernel = self.weight(job, "kernel", 0, 2)?;
        let (inside, out) = (kernel.shape()[0], kernel.shape()[1]);
        if x.channels().is_some_and(|c| c != inside) {
            return Err(job.layer.refuse(format!("{inside} numbers"), format!("{:?}", x.sides)));
        }
        let bias = job.layer.flag("use_bias", true);
        if let Hold::Flat(sides) = x.hold {
            kernel = turned(&job.name, kernel, sides)?;
        }
        let x = match x.hold {
            Hold::First => {
                let ones = vec![1; x.sides.len() - 1];
                let weight = reshaped(&job.name, permuted(kernel, &[1, 0]), &[&[out, inside], &ones[..]].concat())?;
                self.pixels(job, x, weight, Some(1).filter(|_| bias), out)?
            }
            _ if x.sides.len() == 1 => {
                let weight = self.out.constant(&job.part("weight"), permuted(kernel, &[1, 0]));
                let mut inputs = vec![x.name.as_str(), &weight];
                let name;
                if bias {
                    let bias = self.channels(job, "bias", 1, out)?;
                    name = self.out.constant(&job.part("bias"), bias);
                    inputs.push(&name);
                }
                let made = self.out.node("Gemm", &job.name, &inputs, &[("transB", Attribute::Int(1))]);
                Wire::new(made, vec![Some(out)], Hold::Plain)
            }
            _ => self.rows(job, x, kernel, bias)?,
        };
        self.own_activation(job, x)
    }

    /// On each row of a sequence.
    fn rows(&mut self, job: &Job, x: Wire, kernel: Tensor, bias: bool) -> Result<Wire> {
        let out = kernel.shape()[1];
        let weight = self.out.constant(&job.part("kernel"), kernel);
        let mut made = self.out.node("MatMul", &job.name, &[&x.name, &weight], &[]);
        if bias {
            let bias = self.channels(job, "bias", 1, out)?;
            let bias = self.out.constant(&job.part("bias"), bias);
            made = self.out.node("Add", &job.part("add"), &[&made, &bias], &[]);
        }
        Ok(Wire::new(made, x.spatial().iter().copied().chain([Some(out)]).collect(), Hold::Plain))
    }
}
