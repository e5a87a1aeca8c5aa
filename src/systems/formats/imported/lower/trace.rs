//! What a run on zeros shows: every shape, and every array that does not depend on the inputs' numbers.

use super::super::call::sized;
use super::super::{Imported, Scope, evaluate, mentioned_by, shown};
use crate::error::{Error, Result};
use crate::file::array::{Array, Number};
use crate::file::onnx::{Node, Port};
use crate::shape::Shape;
use ndarray::ArrayD;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(in super::super) struct Trace<'a> {
    shapes: BTreeMap<&'a str, Vec<usize>>,
    constants: BTreeMap<&'a str, Arc<Array>>,
    /// Names whose numbers depend on the inputs'.
    dependent: BTreeSet<&'a str>,
}

/// The shape of one image for an input; or of as many as the file says, if it must be those. A size that somebody has said counts
/// whole.
fn one(model: &Imported, port: &Port, own_batch: bool) -> Result<Vec<usize>> {
    let sides = model.sides(port);
    let all: Option<Vec<usize>> = sides.iter().copied().collect();
    if let Some(all) = all.filter(|_| own_batch || model.sizes.contains_key(&port.name) || port.shape == Some(vec![])) {
        sized(&all)?;
        return Ok(all);
    }
    let known: Option<Vec<usize>> = sides.iter().skip(1).copied().collect();
    match known {
        Some(known) if (1..=3).contains(&known.len()) && !known.contains(&0) => {
            sized(&known)?;
            Ok([&[1][..], &known].concat())
        }
        _ => Err(Error::shape(&port.name, "a size that the file gives, or that is said", shown(port))),
    }
}

/// Whether the file says how many images an input takes, and not one.
fn fixed(port: &Port) -> bool {
    port.shape.as_ref().is_some_and(|sides| sides.len() > 1 && sides[0].is_some_and(|n| n != 1))
}

impl<'a> Trace<'a> {
    /// A run for one image; where the graph runs for the number of images alone that the file says, for those.
    pub(in super::super) fn new(model: &'a Imported) -> Result<Self> {
        let one = Self::of(model, false);
        if one.is_err() && model.graph.inputs.iter().any(fixed) {
            return Self::of(model, true).or(one);
        }
        one
    }

    fn of(model: &'a Imported, own_batch: bool) -> Result<Self> {
        let (inputs, outputs) = (&model.graph.inputs, &model.graph.outputs);
        if inputs.is_empty() || outputs.is_empty() {
            let got = format!("{} and {}", inputs.len(), outputs.len());
            return Err(Error::shape("model", "at least one input and one output", got));
        }
        let mut dependent: BTreeSet<&str> = inputs.iter().map(|port| port.name.as_str()).collect();
        for node in &model.graph.nodes {
            // What a shape is does not depend on the numbers.
            if !matches!(node.op.as_str(), "Shape" | "Size")
                && mentioned_by(node).iter().any(|name| dependent.contains(name))
            {
                dependent.extend(node.outputs.iter().map(String::as_str));
            }
        }
        let mut trace = Self { shapes: BTreeMap::new(), constants: BTreeMap::new(), dependent };
        let mut scope = Scope { shapes: trace.dependent.clone(), budget: model.budget(0), ..Scope::default() };
        scope.values.extend(model.constants.iter().map(|(name, array)| (name.as_str(), array.clone())));
        trace.constants.clone_from(&scope.values);
        for input in inputs {
            let shape = one(model, input, own_batch)?;
            let zeros = Array::from(ArrayD::<f32>::zeros(shape.as_slice())).cast(input.number.unwrap_or(Number::F32));
            trace.shapes.insert(&input.name, shape);
            scope.values.insert(&input.name, Arc::new(zeros));
        }
        evaluate(&model.graph, model.opset, &mut scope, &mut |name, array| {
            if trace.dependent.contains(name) {
                trace.shapes.insert(name, array.shape().to_vec());
            } else {
                trace.constants.insert(name, array.clone());
            }
        })?;
        Ok(trace)
    }

    /// Whether the numbers of a name depend on the input's.
    pub(in super::super) fn is_dependent(&self, name: &str) -> bool {
        self.dependent.contains(name)
    }

    /// Whether what a node makes depends on the input's numbers.
    pub(in super::super) fn depends(&self, node: &Node) -> bool {
        node.outputs.iter().any(|name| self.dependent.contains(name.as_str()))
    }

    /// The array of a name that does not depend on the input.
    pub(in super::super) fn constant(&self, name: &str) -> Option<&Arc<Array>> {
        self.constants.get(name)
    }

    /// The sides of an array that depends on the input.
    pub(in super::super) fn sides(&self, name: &str) -> &[usize] {
        self.shapes.get(name).map_or(&[], Vec::as_slice)
    }

    /// The sides of any array.
    pub(in super::super) fn sides_of_any(&self, name: &str) -> &[usize] {
        self.constant(name).map_or_else(|| self.sides(name), |array| array.shape())
    }

    /// Those sides as one image: vectors are channels, what has one axis more is one row.
    pub(in super::super) fn image(&self, name: &str) -> Result<Shape> {
        match *self.sides(name) {
            [1, c] => Ok(Shape::new(c, 1, 1)),
            [1, c, w] => Ok(Shape::new(c, 1, w)),
            [1, c, h, w] => Ok(Shape::new(c, h, w)),
            ref other => Err(Error::shape("as a layer", "one image or vector", format!("{other:?}"))),
        }
    }
}
