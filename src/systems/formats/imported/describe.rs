//! What there is to see of a graph without running it on anybody's data: shapes, parameters, cost.

use super::Imported;
use super::lower::Trace;
use crate::error::Result;

/// One operator of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Operator {
    /// Its name; that of its first output if it has none.
    pub name: String,
    /// The operator.
    pub op: String,
    /// The sides of its first output, for one image.
    pub shape: Vec<usize>,
    /// Numbers in the constants that it alone reads or reads first.
    pub parameters: usize,
    /// Multiply-adds for one image; as the field counts, of convolutions and matrix products only.
    pub multiply_adds: u64,
    /// The arrays that it reads and that depend on an input.
    pub reads: Vec<String>,
    /// The arrays that it makes.
    pub makes: Vec<String>,
}

impl Imported {
    /// Every operator whose answer depends on an input, in order, for one image. What depends on shapes only is left out.
    ///
    /// Errors: [`Error::Shape`](crate::Error::Shape) for inputs other than images and vectors; those of a run on zeros.
    pub fn operators(&self) -> Result<Vec<Operator>> {
        Ok(self.described()?.1)
    }

    /// The sides of one image of each input, and every operator behind them. Errors: those of [`Imported::operators`].
    pub fn described(&self) -> Result<(Vec<Vec<usize>>, Vec<Operator>)> {
        let trace = Trace::new(self)?;
        let mut counted = std::collections::BTreeSet::new();
        let nodes = self.graph.nodes.iter().filter(|node| trace.depends(node));
        let rows = nodes.map(|node| {
            let first = node.outputs.first().map_or("", |name| name);
            let shape = trace.sides(first).to_vec();
            let own = node.inputs.iter().filter(|name| self.constants.contains_key(*name) && counted.insert(*name));
            let parameters = own.map(|name| self.constants[name].len()).sum();
            let sides = |i: usize| node.inputs.get(i).map_or(&[][..], |name| trace.sides_of_any(name));
            let out: u64 = shape.iter().map(|&side| side as u64).product();
            let multiply_adds = match node.op.as_str() {
                // Each output: the filter's channels and window. Each input of the other way round: the filter's outputs.
                "Conv" => out * sides(1).iter().skip(1).map(|&side| side as u64).product::<u64>(),
                "ConvTranspose" => {
                    let input: u64 = sides(0).iter().map(|&side| side as u64).product();
                    input * sides(1).iter().skip(1).map(|&side| side as u64).product::<u64>()
                }
                "Gemm" | "MatMul" => {
                    let turned = matches!(node.attributes.get("transA"), Some(crate::file::onnx::Attribute::Int(1)));
                    let a = sides(0);
                    let depth = if turned { a.first() } else { a.last() };
                    out * depth.map_or(0, |&side| side as u64)
                }
                _ => 0,
            };
            let name = if node.name.is_empty() { first } else { &node.name };
            let reads = node.inputs.iter().filter(|name| trace.is_dependent(name)).cloned().collect();
            let (name, op, makes) = (name.to_string(), node.op.clone(), node.outputs.clone());
            Operator { name, op, shape, parameters, multiply_adds, reads, makes }
        });
        let images = self.graph.inputs.iter().map(|port| trace.sides(&port.name).to_vec());
        Ok((images.collect(), rows.collect()))
    }
}
